"""Shapley values against the definition, and whether their intervals cover."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kdaudit.errors import InvalidInput
from kdaudit.explain.coalitions import drawn, every, prefixes
from kdaudit.explain.shapley import (
    exact,
    exact_interactions,
    fewest,
    interactions,
    kernel,
    permutations,
    plan_of,
    shapley,
)


def game_of(players, seed=3):
    """A game of singles, pairs and triples, and its table of worths."""
    g = np.random.default_rng(seed)
    masks = every(players)
    worth = masks @ g.normal(size=(players, 2)) * 0.2
    for size in (2, 2, 2, 3, 3):
        chosen = g.choice(players, min(size, players), replace=False)
        worth += g.normal(size=2) * masks[:, chosen].all(axis=1)[:, None]
    return (lambda m: worth[m @ (1 << np.arange(players))]), worth


def by_orders(worth, players):
    """The definition: mean contribution over all orders."""
    out = np.zeros((worth.shape[1], players))
    for order in itertools.permutations(range(players)):
        code = 0
        for player in order:
            out[:, player] += worth[code | 1 << player] - worth[code]
            code |= 1 << player
    return out / math.factorial(players)


@pytest.mark.parametrize("players", [1, 2, 5])
def test_exact_values_are_means_over_all_orders(players):
    game, worth = game_of(players)
    got = exact(game, players)
    assert np.allclose(got.values, by_orders(worth, players), atol=1e-12)
    assert (got.error == 0).all()


@pytest.mark.parametrize("way", ["kernel", "permutations"])
def test_an_additive_game_is_solved_without_error(way):
    weights = np.random.default_rng(0).normal(size=(6, 3))
    rng = np.random.default_rng(1)
    got = (
        kernel(lambda m: m @ weights, 6, 20, rng) if way == "kernel" else permutations(lambda m: m @ weights, 6, 3, rng)
    )
    assert np.allclose(got.values, weights.T, atol=1e-12)
    assert got.error.max() < 1e-12


@pytest.mark.parametrize("way", ["kernel", "permutations"])
def test_sampled_values_sum_to_what_is_known_and_come_near(way):
    game, _ = game_of(8)
    truth = exact(game, 8)
    rng = np.random.default_rng(1)
    got = kernel(game, 8, 2000, rng) if way == "kernel" else permutations(game, 8, 500, rng)
    assert np.allclose(got.values.sum(axis=1), truth.reach, atol=1e-10)
    assert np.abs(got.values - truth.values).max() < 0.05


@pytest.mark.parametrize(
    ("way", "pairs", "low", "worst"), [("kernel", 72, 0.93, 0.90), ("permutations", 16, 0.90, 0.86)]
)
def test_intervals_cover(way, pairs, low, worst):
    game, _ = game_of(10)
    truth = exact(game, 10).values[0]
    function = kernel if way == "kernel" else permutations
    inside = []
    for seed in range(300):
        ends = function(lambda m: game(m)[:, :1], 10, pairs, np.random.default_rng(seed)).interval()
        inside.append((ends[0][0] - 1e-12 <= truth) & (truth <= ends[1][0] + 1e-12))
    rate = np.mean(inside, axis=0)
    assert low <= rate.mean() <= 0.985
    assert rate.min() >= worst


def test_the_regression_is_that_of_all_coalitions_one_by_one():
    """Least squares on the single coalitions with the constraint put in by a large weight, as a textbook does it."""
    game, _ = game_of(5)
    got = kernel(game, 5, 40, np.random.default_rng(2))
    masks, weight = drawn(5, 40, np.random.default_rng(2))
    both, double = np.concatenate([masks, ~masks]).astype(float), np.concatenate([weight, weight])
    none, whole = game(np.array([[False] * 5, [True] * 5]))
    design = np.concatenate([both * np.sqrt(double)[:, None], 1e6 * np.ones((1, 5))])
    target = np.concatenate([(game(both.astype(bool)) - none) * np.sqrt(double)[:, None], 1e6 * (whole - none)[None]])
    want = np.linalg.lstsq(design, target, rcond=None)[0].T
    assert np.allclose(got.values, want, atol=1e-6)


def test_a_budget_goes_to_what_serves_it_best():
    assert plan_of(8, 256) == ("exact", 0)
    assert plan_of(64, 512) == ("kernel", 255)
    assert plan_of(64, 256) == ("permutations", 2)
    assert shapley(game_of(8)[0], 8, budget=300, rng=np.random.default_rng(0)).method.startswith("exact")
    with pytest.raises(InvalidInput, match="too few"):
        plan_of(64, 100)
    with pytest.raises(InvalidInput, match="take permutations"):
        kernel(game_of(5)[0], 5, 9, np.random.default_rng(0))


def test_few_permutations_say_that_their_errors_are_rough():
    few = permutations(game_of(5)[0], 5, 1, np.random.default_rng(0))
    assert np.isnan(few.error).all()
    assert "rough" in few.method
    assert "rough" not in permutations(game_of(5)[0], 5, 16, np.random.default_rng(0)).method


def test_prefixes_grow_along_the_order():
    got = prefixes(np.array([2, 0, 1]))
    assert got.tolist() == [[False, False, True], [True, False, True]]


def test_sizes_are_weighted_back_to_the_shapley_kernel():
    masks, weight = drawn(6, 5000, np.random.default_rng(0))
    size = masks.sum(axis=1)
    share = np.bincount(size, weights=weight, minlength=7)[1:6] / weight.sum()
    want = 1 / (np.arange(1, 6) * (6 - np.arange(1, 6)))
    assert np.allclose(share, want / want.sum(), atol=0.01)


def test_interactions_come_near_their_definition():
    game, worth = game_of(6)
    got, error = interactions(game, 6, draws=400, rng=np.random.default_rng(0))
    for i, j in ((0, 1), (2, 5)):
        want = np.zeros(2)
        for code in range(64):
            if not (code >> i & 1 or code >> j & 1):
                s = bin(code).count("1")
                share = math.factorial(s) * math.factorial(4 - s) / math.factorial(5)
                both = code | 1 << i | 1 << j
                want += share * (worth[both] - worth[code | 1 << i] - worth[code | 1 << j] + worth[code])
        assert (np.abs(got[:, i, j] - want) <= 4 * error[:, i, j] + 1e-9).all()
        assert np.array_equal(got[:, i, j], got[:, j, i])


def test_exact_interactions_are_those_of_sampling_and_of_their_definition():
    exact_pairs = exact_interactions(product_game, 4)
    # v = 2 a b + a b c, so that a and b get 2 + 1/2, a and c and b and c 1/2 each
    want = np.zeros((4, 4))
    want[0, 1] = want[1, 0] = 2.5
    want[0, 2] = want[2, 0] = want[1, 2] = want[2, 1] = 0.5
    assert np.allclose(exact_pairs[0], want, atol=1e-12)
    sampled, error = interactions(product_game, 4, draws=300, rng=np.random.default_rng(0))
    assert np.all(np.abs(sampled - exact_pairs) <= 4 * error + 1e-9)


def product_game(masks):
    a, b, c, _ = masks.T.astype(float)
    return (2 * a * b + a * b * c)[:, None]


def test_interactions_take_all_coalitions_where_these_are_fewer():
    assert fewest(4) == 16
    assert fewest(12) == 4 * 8 * 66
    assert fewest(40) == 4 * 8 * 780
    with pytest.raises(InvalidInput, match="2 to 16"):
        exact_interactions(product_game, 17)
