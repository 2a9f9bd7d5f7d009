"""Differences between two subjects, distilled: the rules find where they part, and what was saved reads back."""

import numpy as np
import pytest

from kdaudit.behaviour import Minus
from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity
from kdaudit.surrogates.departures import DepartureTree
from kdaudit.surrogates.surrogate import load, save


class Somebody:
    scale, form = "probability", None
    offers = frozenset({SCORE, LABEL})

    def __init__(self, name, extra, outputs=("yes",)):
        self.identity, self.extra, self.outputs = Identity(name, name[0] * 64), extra, outputs


OLD, NEW = Somebody("old", 0.0), Somebody("new", 0.3)


def ask(subject, samples, signals):
    score = 0.1 + 0.004 * samples.columns["hours"] + subject.extra * (samples.columns["school"] >= 2)
    return Answers({SCORE: score[:, None], LABEL: (score > 0.5).astype(int)})


def made(recipe, behaviour, draw_rows, n=600):
    parts = {"fit": draw_rows(n), "select": draw_rows(n // 2, seed=1)}
    return recipe.against(OLD).make(behaviour, NEW, parts, ask, np.random.default_rng(0))


def test_rules_say_what_changed(behaviour, draw_rows, tmp_path):
    found = made(DepartureTree("old"), behaviour, draw_rows)
    fresh = draw_rows(300, seed=2)
    assert found.rules.fields == ("school",)
    assert len(found.rules.rules) == 2
    np.testing.assert_allclose(found.rules.evaluate(fresh)[:, 0], 0.3 * (fresh.columns["school"] >= 2), atol=1e-9)
    assert found.minus == Minus("old", "o" * 64)
    save(found, tmp_path)
    assert load(tmp_path).minus == found.minus
    assert load(tmp_path).identity == found.identity


def test_shares_of_decisions(behaviour, draw_rows):
    found = made(DepartureTree("old", of="decision", leaves=8, slack=0.0), behaviour, draw_rows, n=2000)
    fresh = draw_rows(2000, seed=2)
    apart = (ask(NEW, fresh, ()).label != ask(OLD, fresh, ()).label).astype(float)
    told = found.rules.evaluate(fresh)[:, 0]
    assert found.outputs == ("decides otherwise",)
    # the squared error of the rates is far below that of the rate over all rows
    assert ((told - apart) ** 2).mean() < 0.2 * apart.var()


def test_a_row_that_one_of_them_failed_has_failed():
    a = Answers({SCORE: np.array([[0.5], [0.5], [0.5]])}, {0: "broken"})
    b = Answers({SCORE: np.array([[0.1], [0.2], [np.nan]])}, {2: "late"})
    found = Minus("b", "b" * 64).read(a, b, ("yes",))
    assert set(found.failed) == {0, 2}
    assert found.score[1, 0] == pytest.approx(0.3)


def test_labels_are_compared_where_one_gives_nothing_else():
    a = Answers({SCORE: np.array([[0.9], [0.2]]), LABEL: np.array([1, 0])})
    b = Answers({LABEL: np.array([0, 0])})
    assert Minus("b", "b" * 64).read(a, b, ("yes",)).score[:, 0].tolist() == [1.0, 0.0]


def test_alone_it_is_refused(behaviour, draw_rows):
    with pytest.raises(InvalidInput, match="needs that other subject"):
        DepartureTree("old").make(behaviour, NEW, {"fit": draw_rows(30)}, ask, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="names nobody"):
        DepartureTree("")
    with pytest.raises(InvalidInput, match="leave output away"):
        DepartureTree("old", of="decision", output="yes")
    with pytest.raises(InvalidInput, match="one of yes"):
        made(DepartureTree("old", output="no"), behaviour, draw_rows)


def test_differences_may_be_cut_by_sums(behaviour, draw_rows):
    class Sloping(Somebody):
        pass

    sloping = Sloping("new", 0.3)

    def by_sum(subject, samples, signals):
        debt = np.nan_to_num(samples.columns["debt"])
        moved = 0.4 * (samples.columns["hours"] + 30 * debt > 50) if subject is sloping else 0.0
        score = 0.2 + moved + 0.0 * debt
        return Answers({SCORE: (score * np.ones(len(samples)))[:, None]})

    parts = {"fit": draw_rows(600), "select": draw_rows(300, seed=1)}
    fresh = draw_rows(500, seed=2)
    truth = by_sum(sloping, fresh, ()).score[:, 0] - 0.2
    left = {}
    for fields in (1, 2):
        recipe = DepartureTree("old", leaves=3, fields=fields, slack=0.0).against(OLD)
        found = recipe.make(behaviour, sloping, parts, by_sum, np.random.default_rng(0))
        left[fields] = ((found.rules.evaluate(fresh)[:, 0] - truth) ** 2).mean()
    assert left[2] < 0.5 * left[1]
