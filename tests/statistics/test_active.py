"""Active choice: chances, fixed sizes, shared rows, estimates by hand, and intervals that cover whatever the proxy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import binomtest

from kdaudit.errors import InvalidInput
from kdaudit.measures.chances import chances
from kdaudit.statistics.active import drawn, inclusion, promised, reckoned, spread, weighted
from kdaudit.statistics.choice import balanced
from kdaudit.statistics.covariate import assisted, combine


def priorities(rng, n):
    return rng.integers(0, 2**64, n, dtype=np.uint64)


@given(
    errors=st.lists(st.floats(0, 1), min_size=5, max_size=60),
    share=st.floats(0.05, 0.95),
    even=st.floats(0.1, 1),
)
def test_chances_sum_to_the_rows_and_keep_the_even_part(errors, share, even):
    size = len(errors)
    n = max(1, int(share * size))
    chance = inclusion(np.array(errors), n, even=even)
    assert chance.sum() == pytest.approx(n)
    assert (chance <= 1).all()
    assert chance.min() >= even * n / size * 0.999
    order = np.argsort(errors)
    assert (np.diff(chance[order]) >= -1e-12).all()


def test_a_chance_above_one_is_cut_and_goes_to_the_others():
    chance = inclusion(np.array([100.0, *np.full(9, 0.01)]), 5)
    assert chance[0] == 1
    assert chance[1:] == pytest.approx(4 / 9)
    with pytest.raises(InvalidInput, match="cannot be asked"):
        inclusion(np.ones(3), 4)


def test_rows_are_drawn_as_often_as_was_said():
    rng = np.random.default_rng(0)
    chance = inclusion(rng.random(60) ** 4, 20)
    times = np.zeros(60)
    for _ in range(4000):
        rows = drawn(chance, priorities(rng, 60))
        assert len(rows) == 20
        times[rows] += 1
    assert np.abs(times / 4000 - chance).max() < 0.035


def test_equal_chances_are_simple_random_choice_and_questions_share_rows():
    rng = np.random.default_rng(1)
    order, groups = priorities(rng, 2000), rng.integers(-1, 3, 2000)
    assert (spread(groups, 600, order).chosen == balanced(groups, 600, order)).all()
    errors = rng.random(2000) * 0.25
    one, two = (spread(g, 600, order, errors).chosen for g in (groups, rng.integers(0, 2, 2000)))
    assert len(np.intersect1d(one, two)) > 1.6 * 600 * 600 / 2000
    assert (groups[one] >= 0).all()


def test_a_group_with_few_hits_is_chosen_simply():
    rng = np.random.default_rng(2)
    groups, order = np.repeat([0, 1], 1000), priorities(rng, 2000)
    hits = np.where(groups == 0, rng.random(2000), 0.001)
    design = spread(groups, 400, order, hits * (1 - hits), hits)
    assert np.ptp(design.chance[groups == 0]) > 0
    assert np.ptp(design.chance[groups == 1]) == 0


def slow_regression(y, w, s, pool):
    """Weighted least squares by its normal equations, and the variance by the textbook's sum."""
    X = np.column_stack([np.ones(len(y)), s])
    line = np.linalg.solve(X.T @ (w[:, None] * X), X.T @ (w * y))
    n = len(y)
    variance = n / (n - 2) * sum((1 - 1 / wi) * (wi * ri) ** 2 for wi, ri in zip(w, y - X @ line, strict=True))
    return float(line @ [1, pool.mean()]), variance / w.sum() ** 2


def test_the_estimate_is_weighted_least_squares_at_the_pools_mean():
    rng = np.random.default_rng(3)
    pool = rng.random(3000)
    chance = inclusion(pool * (1 - pool), 400)
    rows = drawn(chance, priorities(rng, 3000))
    y = (rng.random(400) < pool[rows]).astype(float)
    found = weighted(y, chance[rows], pool[rows], pool, span=(0, 1))
    value, variance = slow_regression(y, 1 / chance[rows], pool[rows], pool)
    assert found.value == pytest.approx(value)
    assert found.variance == pytest.approx(variance)


def test_equal_chances_fall_back_on_the_simple_estimate_and_failed_rows_are_not_asked():
    rng = np.random.default_rng(4)
    pool = rng.random(500)
    y = (rng.random(100) < pool[:100]).astype(float)
    flat = np.full(100, 0.2)
    assert weighted(y, flat, pool[:100], pool, span=(0, 1)) == assisted(y, pool[:100], pool, span=(0, 1))
    chance = np.where(np.arange(100) < 50, 0.1, 0.4)
    gone = y.copy()
    gone[::7] = np.nan
    kept = ~np.isnan(gone)
    whole = weighted(gone, chance, pool[:100], pool)
    assert whole == weighted(y[kept], chance[kept], pool[:100][kept], pool)


def test_rows_all_alike_leave_room_for_those_that_are_not():
    pool = np.linspace(0, 1, 1000)
    chance = np.where(np.arange(60) < 30, 0.03, 0.3)
    found = weighted(np.zeros(60), chance, pool[:60], pool, span=(0, 1))
    assert found.unaided
    # as many rows as would be asked had all the smallest chance: 30, and the rule of three for them
    assert found.interval.high == pytest.approx(1 - 0.025 ** (1 / 30), rel=1e-6)


def test_what_another_design_would_reach_is_what_it_reaches():
    rng = np.random.default_rng(5)
    pool = rng.random(20_000)
    y = (rng.random(20_000) < pool).astype(float)
    chance = inclusion(pool * (1 - pool), 2000)
    rows = drawn(chance, priorities(rng, 20_000))
    flat = np.full(2000, 0.1)
    told = reckoned(y[rows], chance[rows], np.zeros(2000), flat)
    assert told == pytest.approx(y.var() / 2000 * 0.9, rel=0.08)
    own = weighted(y[rows], chance[rows], pool[rows], pool).variance
    assert reckoned(y[rows], chance[rows], pool[rows], chance[rows]) == pytest.approx(own, rel=0.01)
    assert promised(pool * (1 - pool), chance) == pytest.approx(own, rel=0.1)


N = 20_000


def world(kind, rare=False, flip=False):
    """Groups, teacher's values and a proxy's chances, of the kinds that a proxy may be."""
    rng = np.random.default_rng(7)
    group = (rng.random(N) < 0.48).astype(int)
    z, noise = rng.standard_normal(N), 0.3
    line = np.where(group == 1, 1.9, 1.3) if rare else np.where(group == 1, 0.65, 0.15)
    seen = (z + noise * rng.standard_normal(N)) / math.hypot(1, noise)
    score = ndtr((seen / math.hypot(1, noise) - line) / (noise / math.hypot(1, noise)))
    teacher = (z > line).astype(float)
    match kind:
        case "noise":
            score = score[rng.permutation(N)]
        case "liar":
            wrong = rng.random(N) < 0.15
            score = np.where(wrong, np.where(teacher > 0, 0.01, 0.99), np.where(teacher > 0, 0.6, 0.4))
        case "inverse":
            score = np.where(group == 1, 1 - score, score)
    # as an audit does: read as chances on rows answered before
    known = rng.permutation(N)[:1000]
    if flip:
        other = (z > line + 0.25).astype(float)
        lower = ndtr((seen / math.hypot(1, noise) - line - 0.25) / (noise / math.hypot(1, noise)))
        lower = lower[rng.permutation(N)] if kind == "noise" else lower
        first, second = (chances(score[known], teacher[known], side) for side in (score, lower))
        return np.zeros(N, dtype=int), teacher - other, first - second
    return group, teacher, chances(score[known], teacher[known], score)


def audited(values, n, rng):
    """One audit: with active choice, and the half-width of balanced plain sampling."""
    group, y, c = values
    order = priorities(rng, N)
    hits = np.abs(c)
    design = spread(group, n, order, np.maximum(hits * (1 - hits), 1e-3), hits)
    plain = spread(group, n, order)
    levels = np.unique(group)[::-1]
    weights = [1.0, -1.0][: len(levels)]
    span = (-1, 1) if (y < 0).any() else (0, 1)

    def parts(chosen, chance, covariate):
        for level in levels:
            at = chosen[group[chosen] == level]
            yield weighted(y[at], chance[at], covariate[at], covariate[group == level], span=span)

    ours = combine(list(parts(design.chosen, design.chance, c)), weights).interval
    theirs = combine(list(parts(plain.chosen, plain.chance, np.zeros(N))), weights).interval
    return ours, theirs.half


def measured(kind, n, audits, seed=0, **case):
    values = world(kind, **case)
    group, y, _ = values
    truth = y[group == 1].mean() - y[group == 0].mean() if (group == 1).any() else y.mean()
    rng = np.random.default_rng(seed)
    found = [audited(values, n, rng) for _ in range(audits)]
    held = sum(ours.low <= truth <= ours.high for ours, _ in found)
    ratio = np.mean([ours.half for ours, _ in found]) / np.mean([half for _, half in found])
    return held, float(ratio)


@pytest.mark.parametrize(("kind", "most"), [("good", 0.5), ("noise", 1.05)])
def test_a_good_proxy_halves_the_width_and_a_useless_one_costs_nothing(kind, most):
    held, ratio = measured(kind, 1000, 60)
    assert held >= 50
    assert ratio <= most


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 300, 1000, 3000])
@pytest.mark.parametrize("kind", ["good", "noise", "liar", "inverse"])
@pytest.mark.parametrize("case", ["gap", "rare", "flip"])
def test_intervals_cover_whatever_the_proxy_is_worth(case, kind, n):
    if case == "flip" and kind in ("liar", "inverse"):
        pytest.skip("a change has no such proxy here")
    audits = 500
    held, ratio = measured(kind, n, audits, rare=case == "rare", flip=case == "flip")
    print(f"{case} {kind} n={n}: cover {held / audits:.3f}, width {ratio:.2f}")
    # exact intervals of few hits cover more than they say, which is no fault
    assert binomtest(held, audits).proportion_ci(0.99).high > (0.925 if n == 100 else 0.93)
    assert ratio <= (1.1 if n == 100 else 1.05)
