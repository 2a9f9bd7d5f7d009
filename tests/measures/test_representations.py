"""Likeness of representations: each measure against a slow twin, and the invariances that it promises."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group, spearmanr

from kdaudit.errors import InvalidInput
from kdaudit.measures.representations import (
    cka,
    cka_batches,
    hsic,
    jackknifed,
    linear_kernel,
    mutual_neighbours,
    procrustes,
    ratio,
    rbf_kernel,
    readout,
    rsa,
)


def pair(seed=0, n=9, p=4, q=6):
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(n, p))
    return x, 0.6 * x @ chance.normal(size=(p, q)) + chance.normal(size=(n, q))


def slow_hsic(k, m):
    """The U-statistic of Song et al. (2012): all ordered quadruples of distinct rows."""
    n, total = len(k), 0.0
    for i, j, q, r in itertools.permutations(range(n), 4):
        total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
    return total / (n * (n - 1) * (n - 2) * (n - 3))


@pytest.mark.parametrize("kernel", [linear_kernel, rbf_kernel])
def test_the_criterion_equals_the_sum_over_quadruples(kernel):
    x, y = pair()
    assert hsic(kernel(x), kernel(y)) == pytest.approx(slow_hsic(kernel(x), kernel(y)), abs=1e-12)


@pytest.mark.parametrize("kernel", [linear_kernel, rbf_kernel])
def test_alignment_equals_its_slow_twin(kernel):
    x, y = (side - side.mean(axis=0) for side in pair())
    k, m = kernel(x), kernel(y)
    expected = slow_hsic(k, m) / math.sqrt(slow_hsic(k, k) * slow_hsic(m, m))
    assert cka(x, y, kernel=kernel) == pytest.approx(expected, abs=1e-12)


def test_rbf_kernel_equals_a_loop():
    x, _ = pair()
    apart = [[math.dist(a, b) for b in x] for a in x]
    middle = np.median([apart[i][j] for i in range(9) for j in range(i + 1, 9)])
    expected = [[math.exp(-(d**2) / (2 * (0.5 * middle) ** 2)) for d in row] for row in apart]
    np.testing.assert_allclose(rbf_kernel(x), expected, atol=1e-12)


def test_independent_gaussians_score_nothing():
    found = []
    for seed in range(20):
        chance = np.random.default_rng(seed)
        found.append(cka(chance.normal(size=(64, 512)), chance.normal(size=(64, 512))))
    assert abs(np.mean(found)) <= 0.02


def test_batches_average_criteria_and_never_ratios():
    x, y = pair(n=40)
    batches = [np.arange(i, i + 10) for i in range(0, 40, 10)]
    criteria = cka_batches(x, y, batches)
    slow = np.zeros(3)
    for rows in batches:
        a, b = (side[rows] - side[rows].mean(axis=0) for side in (x, y))
        slow += [slow_hsic(a @ a.T, b @ b.T), slow_hsic(a @ a.T, a @ a.T), slow_hsic(b @ b.T, b @ b.T)]
    np.testing.assert_allclose(criteria.sum(axis=0), slow, rtol=1e-11, atol=1e-12)
    pseudo = jackknifed(criteria)
    whole = ratio(*criteria.mean(axis=0))
    left = [ratio(*criteria[[j for j in range(4) if j != i]].mean(axis=0)) for i in range(4)]
    np.testing.assert_allclose(pseudo, [4 * whole - 3 * r for r in left], atol=1e-12)


def test_small_batches_estimate_what_all_rows_give():
    x, y = pair(n=600)
    batches = np.random.default_rng(0).permutation(600).reshape(-1, 30)
    assert ratio(*cka_batches(x, y, list(batches)).mean(axis=0)) == pytest.approx(cka(x, y), abs=0.03)


def test_procrustes_equals_the_best_rotation_found_otherwise():
    x, y = pair(p=5, q=5)
    a, b = (side - side.mean(axis=0) for side in (x, y))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    # the square root of a Gram matrix has the same nuclear norm
    values = np.linalg.eigvals((a.T @ b) @ (a.T @ b).T)
    assert procrustes(x, y) == pytest.approx(np.sqrt(np.maximum(values.real, 0)).sum(), abs=1e-12)
    u, _, vt = np.linalg.svd(a.T @ b)
    distance = np.linalg.norm(a @ (u @ vt) - b) ** 2
    assert 1 - procrustes(x, y) == pytest.approx(distance / 2, abs=1e-12)


def test_dissimilarities_are_ranked_as_scipy_ranks_them():
    x, y = pair()
    upper = np.triu_indices(9, 1)
    first = [1 - np.corrcoef(x[i], x[j])[0, 1] for i, j in zip(*upper, strict=True)]
    second = [1 - np.corrcoef(y[i], y[j])[0, 1] for i, j in zip(*upper, strict=True)]
    assert rsa(x, y) == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)


def test_neighbours_equal_a_loop():
    x, y = pair(n=15)

    def near(side, i):
        others = [j for j in range(15) if j != i]
        unit = side / np.linalg.norm(side, axis=1)[:, None]
        return set(sorted(others, key=lambda j: (-float(unit[i] @ unit[j]), j))[:4])

    expected = [len(near(x, i) & near(y, i)) / 4 for i in range(15)]
    np.testing.assert_allclose(mutual_neighbours(x, y, k=4), expected, atol=1e-12)


def test_neighbours_by_chance_are_shared_as_often_as_the_formula_says():
    chance = np.random.default_rng(0)
    found = mutual_neighbours(chance.normal(size=(400, 8)), chance.normal(size=(400, 8)), k=10)
    assert found.mean() == pytest.approx(10 / 399, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
def test_rotation_and_scale_change_nothing(seed, scale):
    x, y = pair(seed)
    turned = scale * x @ ortho_group.rvs(4, random_state=np.random.default_rng(seed))
    for measure in (cka, procrustes):
        assert measure(x, turned) == pytest.approx(1.0, abs=1e-9)
        assert measure(turned, y) == pytest.approx(measure(x, y), abs=1e-9)
        assert measure(y, x) == pytest.approx(measure(x, y), abs=1e-12)
    np.testing.assert_allclose(mutual_neighbours(x, turned, k=3), 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_angle_of_procrustes_is_a_metric(seed):
    chance = np.random.default_rng(seed)
    a, b, c = (chance.normal(size=(7, 3)) for _ in range(3))

    def far(x, y):
        return math.acos(procrustes(x, y))

    assert far(a, c) <= far(a, b) + far(b, c) + 1e-9


def test_a_readout_knows_what_is_there_and_not_what_is_made_up():
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 3, 300)
    x = np.concatenate([np.eye(3)[labels] + 0.3 * chance.normal(size=(300, 3)), chance.normal(size=(300, 5))], axis=1)
    fold = chance.permutation(np.arange(300) % 5)
    assert readout(x, labels, fold).mean() > 0.9
    assert readout(x, chance.permutation(labels), fold).mean() < 0.45


def test_a_readout_equals_least_squares_row_by_row():
    chance = np.random.default_rng(1)
    x, labels, fold = chance.normal(size=(30, 3)), chance.integers(0, 2, 30), np.arange(30) % 3
    got = readout(x, labels, fold, ridge=0.5)
    for i in range(30):
        rest = [j for j in range(30) if fold[j] != fold[i]]
        centre, spread = x[rest].mean(axis=0), x[rest].std(axis=0)
        z = (x - centre) / spread
        sides = []
        for c in range(2):
            target = (labels[rest] == c) - (labels[rest] == c).mean()
            # ridge regression as least squares with further rows
            rows = np.concatenate([z[rest], math.sqrt(0.5 * len(rest)) * np.eye(3)])
            weights = np.linalg.lstsq(rows, np.concatenate([target, np.zeros(3)]), rcond=None)[0]
            sides.append(z[i] @ weights + (labels[rest] == c).mean())
        assert got[i] == float(np.argmax(sides) == labels[i])


def test_what_does_not_vary_has_no_likeness():
    x, _ = pair()
    still = np.ones((9, 3))
    assert math.isnan(cka(x, still)) and math.isnan(procrustes(x, still)) and math.isnan(rsa(x, still))


@pytest.mark.parametrize(
    "x, y, words",
    [
        (np.ones((3, 2)), np.ones((3, 2)), "at least 4"),
        (np.ones((5, 2)), np.ones((6, 2)), "expected"),
        (np.full((5, 2), np.nan), np.ones((5, 2)), "no number"),
    ],
)
def test_bad_input_is_told(x, y, words):
    with pytest.raises(InvalidInput, match=words):
        cka(x, y)
    with pytest.raises(InvalidInput, match="neighbours"):
        mutual_neighbours(np.eye(5), np.eye(5), k=5)
