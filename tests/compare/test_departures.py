"""Where the teacher answers otherwise than another: the rows' own differences by rule, by a loop."""

import numpy as np
import pytest

from kdaudit.behaviour import Minus
from kdaudit.cast import Cast, Empty
from kdaudit.compare.departures import DECISIONS, SCORES, Departures
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity
from kdaudit.surrogates.surrogate import Surrogate

DOMAIN = Domain((Real("age"), Category("sex", ("female", "male"))))


def rules(young, old):
    return Rules(
        "tree", (Rule((Test("age", below=40.0),), (young,), 5), Rule((Test("age", above=40.0),), (old,), 5)), ("x",)
    )


class Somebody:
    outputs, scale, form = ("yes",), "probability", None
    offers = frozenset({SCORE, LABEL})

    def __init__(self, name, older):
        self.identity, self.older = Identity(name, name[0] * 64), older


NEW, OLD = Somebody("new", 0.2), Somebody("old", 0.0)


def ask(subject, samples, signals):
    age, sex = samples.columns["age"], samples.columns["sex"]
    score = 0.2 + 0.25 * sex + 0.001 * age + subject.older * (age > 40)
    return Answers({SCORE: score[:, None], LABEL: (score > 0.5).astype(int)})


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"age": rng.uniform(20, 60, n), "sex": rng.integers(0, 2, n)}
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def examine(proxy, samples, **keys):
    cast = Cast(NEW, proxy, Empty("none"), Empty("none"), proxy_name="what changed", other=OLD)
    return Departures(**keys).examine(cast, samples, ask, np.random.default_rng(0))


def test_each_rule_has_the_mean_of_its_rows():
    samples = rows(200)
    proxy = Surrogate("d", rules(0.0, 0.15), DOMAIN, scale="value", minus=Minus("old", "o" * 64))
    found = examine(proxy, samples)
    old = samples.columns["age"] > 40
    of = {kind: [row.value for row in found.rows[1:] if row.of == kind] for kind in ("teacher", "proxy")}
    assert [value.value for value in of["teacher"]] == pytest.approx([0.0, 0.2])
    assert [value.value for value in of["proxy"]] == pytest.approx([0.0, 0.15])
    assert [value.n for value in of["teacher"]] == [int((~old).sum()), int(old.sum())]
    assert found.rows[0].value.value == pytest.approx(0.2 * old.mean())
    assert {row.measure for row in found.rows} == {SCORES}
    assert [claim.form for claim in found.claims] == ["within", "within"]


def test_decisions_are_told_as_shares_of_rows():
    samples = rows(300)
    proxy = Surrogate("d", rules(0.0, 0.4), DOMAIN, scale="value", minus=Minus("old", "o" * 64, "decision"))
    found = examine(proxy, samples)
    for place, inside in enumerate((samples.columns["age"] <= 40, samples.columns["age"] > 40)):
        other = 0
        for at in np.flatnonzero(inside):
            one = samples.take([at])
            new, old = (ask(subject, one, ()).label[0] for subject in (NEW, OLD))
            other += new != old
        row = [row for row in found.rows[1:] if row.of == "teacher"][place]
        assert (row.measure, row.unit) == (DECISIONS, "percent")
        assert row.value.value == pytest.approx(other / inside.sum())
    assert {claim.form for claim in found.claims} == {"at most"}


def test_without_an_other_there_is_a_reason():
    found = examine(Surrogate("d", rules(0, 1), DOMAIN), rows(10))
    assert not found.rows
    assert "no tree of the teacher minus another" in found.context["reason"]


def test_a_margin_is_above_nothing():
    with pytest.raises(InvalidInput):
        Departures(margin=0)
