"""The best tree of a depth: no other does better, by trying them all; and what growing misses is found."""

from itertools import product

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.optimal import Tried, best_leaf, best_tree
from kdaudit.surrogates.targets import ask_for_targets
from kdaudit.surrogates.trees import tree

DOMAIN = Domain((Real("a", 0, 3, integer=True), Real("b", 0, 3, integer=True), Category("c", ("x", "y"))))


def rows(n, seed):
    rng = np.random.default_rng(seed)
    columns = {"a": rng.integers(0, 4, n).astype(float), "b": rng.integers(0, 4, n).astype(float)}
    return Samples(DOMAIN, {**columns, "c": rng.integers(0, 2, n)}, np.arange(n), Origin("drawn"))


def targets(k, numeric, seed, n=80):
    samples = rows(n, seed)
    score = np.random.default_rng(seed + 100).random((n, k))
    score = score / score.sum(axis=1, keepdims=True) if k > 1 else score
    behaviour = Behaviour("b", tuple("xyz"[:k]), DOMAIN, scale="value" if numeric else "probability")
    return behaviour, ask_for_targets(behaviour, samples, lambda s, w: Answers({SCORE: score[s.ids]}))


def slow(tried, inside, depth):
    """The best worth of all trees of a depth, one after another."""
    best = best_leaf(tried, inside)[0]
    if depth:
        for held in tried.holds.astype(bool):
            best = max(best, slow(tried, inside & held, depth - 1) + slow(tried, inside & ~held, depth - 1))
    return best


@pytest.mark.parametrize(("k", "numeric", "depth"), [*product([1, 3], [False], [1, 2, 3]), (1, True, 2), (1, True, 3)])
def test_no_tree_of_the_depth_does_better(k, numeric, depth):
    for seed in range(2):
        behaviour, some = targets(k, numeric, seed)
        tried = Tried.of(behaviour, some, 8)
        every = np.ones(len(some), dtype=bool)
        worth, paths = best_tree(tried, every, depth)
        assert worth == pytest.approx(slow(tried, every, depth), rel=1e-5)
        total = 0.0
        for path in paths:
            inside = every.copy()
            for at, holds in path:
                inside &= tried.holds[at].astype(bool) == holds
            assert inside.sum() >= tried.smallest
            total += best_leaf(tried, inside)[0]
        assert total == pytest.approx(worth, rel=1e-5)
        assert len(paths) <= 2**depth


def test_what_growing_cannot_see_is_found():
    # either both or neither: no single test tells anything
    behaviour = Behaviour("same", ("same",), DOMAIN)

    def ask(samples, signals):
        same = (samples.columns["a"] > 1) == (samples.columns["b"] > 1)
        return Answers({SCORE: np.where(same, 0.9, 0.1)[:, None]})

    fit, fresh = rows(800, 0), rows(300, 1)
    found = tree(behaviour, fit, ask, leaves=4, optimal=True, rng=np.random.default_rng(0))
    assert {"the best of depth 1", "the best of depth 2"} <= {one["way"] for one in found.making.curve}
    np.testing.assert_allclose(found.rules.evaluate(fresh), ask(fresh, ()).score)


def test_too_few_rows_for_two_leaves_are_one_leaf():
    behaviour, some = targets(1, False, 0, n=5)
    tried = Tried.of(behaviour, some, 1)
    big = Tried(tried.tests, tried.holds, tried.worth, numeric=False, smallest=4)
    assert best_tree(big, np.ones(5, dtype=bool), 3)[1] == [()]
    assert best_tree(big, np.array([True, False, False, False, False]), 2)[1] == [()]
