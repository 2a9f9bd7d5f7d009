"""Splits that are sure: the clear winner is taken, a tie is none, questions are kept to, and refits are one tree."""

import numpy as np
import pytest
from scipy.stats import norm

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput, OverBudget
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.certainty import FEWEST, ROUNDS, Aim, surely_grown
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.splits import best_split
from kdaudit.surrogates.targets import ask_for_targets
from kdaudit.surrogates.trees import Tree, tree

DOMAIN = Domain((*(Real(name) for name in "abc"), Category("kind", ("x", "y", "z"))))
BEHAVIOUR = Behaviour("yes", ("yes",), DOMAIN)
NONE = Limits()


def rows(n, seed):
    rng = np.random.default_rng(seed)
    columns = {name: rng.standard_normal(n) for name in "abc"}
    return Samples(DOMAIN, {**columns, "kind": rng.integers(0, 3, n)}, np.arange(n), Origin("drawn"))


def teaching(first, second):
    """A teacher that goes by a and b, and a wave of c that no split can follow."""

    def ask(samples, signals):
        ask.asked += len(samples)
        a, b, c = (samples.columns[name] for name in "abc")
        score = 0.3 + first * (a > 0) + second * (b > 0) + 0.05 * np.sin(50 * c)
        return Answers({SCORE: score[:, None], LABEL: (score > 0.5).astype(int)})

    ask.asked = 0
    return ask


def grown(ask, seed, level=0.95, budget=2000, n=200, leaves=4, limits=NONE):
    targets = ask_for_targets(BEHAVIOUR, rows(n, seed), ask)
    ask.asked = 0
    return surely_grown(BEHAVIOUR, targets, ask, Aim(leaves, level, budget, limits), np.random.default_rng(seed))


def test_a_clear_winner_is_taken_without_a_question():
    ask = teaching(0.4, 0.15)
    found = grown(ask, 0)
    assert [(c["winner"], c["won"]) for c in found.contests[:3]] == [("a", True), ("b", True), ("b", True)]
    assert found.contests[0]["asked"] == 0
    assert [len(one.rules.rules) for one in found.candidates] == [1, 2, 3, 4]


def test_a_closer_contest_is_asked_for():
    asked = 0
    for seed in range(6):
        ask = teaching(0.2, 0.19)
        found = grown(ask, seed)
        assert found.asked == ask.asked <= 2000
        asked += found.contests[0]["asked"]
    assert asked > 0


def test_a_tie_is_seldom_won():
    won = sum(grown(teaching(0.2, 0.2), seed, budget=400, leaves=2).contests[0]["won"] for seed in range(40))
    # either of two fields may win by chance, each in one of twenty refits at most
    assert won <= 8


def test_the_surely_larger_effect_wins_in_nearly_every_refit():
    firsts = [grown(teaching(0.24, 0.18), seed, leaves=2).contests[0] for seed in range(40)]
    wins = [one["winner"] for one in firsts if one["won"]]
    assert len(wins) >= 30
    assert wins.count("a") >= 0.95 * len(wins)


def test_leaves_answer_with_the_mean_of_their_rows():
    ask = teaching(0.4, 0.1)
    found = tree(BEHAVIOUR, rows(300, 1), ask, leaves=4, queries=3, sure=0.9, select=rows(150, 2), slack=0.0,
                 rng=np.random.default_rng(0))  # fmt: skip
    assert found.rules.fields == ("a", "b") or found.rules.fields == ("a",)
    fresh = rows(2000, 9)
    truth = ask(fresh, ()).score[:, 0]
    assert np.abs(found.rules.evaluate(fresh)[:, 0] - truth).mean() < 0.1
    assert found.notes["contests"][0]["winner"] == "a"
    assert found.making.beyond <= 3 * 300


def test_a_budget_that_ends_stops_and_says_so():
    ask = teaching(0.21, 0.2)

    def short(samples, signals):
        if ask.asked:
            raise OverBudget("no more", needed=len(samples), left=0)
        return ask(samples, signals)

    targets = ask_for_targets(BEHAVIOUR, rows(200, 0), short)
    found = surely_grown(BEHAVIOUR, targets, short, Aim(4, 0.99, 500), np.random.default_rng(0))
    assert "the budget ended" in found.note
    assert found.asked == 0


def test_one_leaf_is_explained():
    found = tree(
        BEHAVIOUR, rows(200, 0), teaching(0.2, 0.2), leaves=4, queries=1, sure=0.9999, rng=np.random.default_rng(0)
    )
    if len(found.rules.rules) == 1:
        assert "neither wins at" in found.making.why


@pytest.mark.parametrize("keys", [{"sure": 0.3, "queries": 1}, {"sure": 1.0, "queries": 1}, {"sure": 0.9}])
def test_levels_that_are_none_are_refused(keys):
    with pytest.raises(InvalidInput):
        Tree(**keys)


def test_how_sure_by_a_loop_over_rows():
    ask = teaching(0.22, 0.19)
    targets = ask_for_targets(BEHAVIOUR, rows(200, 4), ask)
    found = surely_grown(BEHAVIOUR, targets, ask, Aim(1, 0.95, 0), np.random.default_rng(0))
    first = found.contests[0]
    score, columns = targets.score[:, 0], columns_of(targets.samples)
    errors = {}
    for column in columns:
        split = best_split([column], np.arange(200), targets.score, FEWEST)
        if split is not None:
            left = [bool(split.left[code]) for code in column.codes]
            means = {
                side: np.mean([s for s, at in zip(score, left, strict=True) if at is side]) for side in (True, False)
            }
            errors[column.field.name] = np.array([(s - means[at]) ** 2 for s, at in zip(score, left, strict=True)])
    winner = min(errors, key=lambda name: errors[name].sum())
    lead = min(
        np.mean(d := errors[name] - errors[winner]) / (np.std(d, ddof=1) / np.sqrt(200))
        for name in errors.keys() - {winner}
    )
    assert first["winner"] == winner
    assert first["sure"] == pytest.approx(max(0.0, 1 - (ROUNDS + 1) * norm.sf(lead)), abs=1e-6)
