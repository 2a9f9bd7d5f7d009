import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdaudit.errors import InvalidInput
from kdaudit.statistics.rates import (
    clopper_pearson,
    critical,
    hypergeometric,
    linearised,
    mean,
    rate,
    weighted_mean,
    wilson,
)

COUNTS = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.sampled_from((0.8, 0.9, 0.95, 0.99)))
def test_wilson_and_clopper_pearson_are_those_of_scipy(counts, level):
    hits, n = counts
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        interval, theirs = ours(hits, n, level=level), stats.binomtest(hits, n).proportion_ci(level, method=method)
        assert interval.value == hits / n
        assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def slow_hypergeometric(hits, n, pool, level):
    """All numbers of hits in the pool that neither tail excludes."""
    tail = (1 - level) / 2
    inside = [
        k
        for k in range(hits, pool - (n - hits) + 1)
        if stats.hypergeom.sf(hits - 1, pool, k, n) > tail and stats.hypergeom.cdf(hits, pool, k, n) > tail
    ]
    return min(inside) / pool, max(inside) / pool


@given(st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), st.data())
def test_the_exact_interval_of_a_pool_holds_all_pools_that_no_tail_excludes(sizes, data):
    n, pool = sizes
    hits = data.draw(st.integers(0, n))
    interval = hypergeometric(hits, n, pool)
    assert (interval.low, interval.high) == pytest.approx(slow_hypergeometric(hits, n, pool, 0.95))


@pytest.mark.parametrize(("n", "pool"), [(10, 40), (30, 60), (20, 400)])
def test_the_exact_interval_of_a_pool_never_covers_too_little(n, pool):
    intervals = [hypergeometric(hits, n, pool) for hits in range(n + 1)]
    for inside in range(pool + 1):
        chance = stats.hypergeom.pmf(np.arange(n + 1), pool, inside, n)
        covered = np.array([i.low - 1e-12 <= inside / pool <= i.high + 1e-12 for i in intervals])
        assert chance[covered].sum() >= 0.95


def test_a_large_pool_is_a_population():
    pool, population = hypergeometric(40, 100, 10**8), clopper_pearson(40, 100)
    assert (pool.low, pool.high) == pytest.approx((population.low, population.high), abs=1e-4)


@given(COUNTS, st.integers(0, 1000))
def test_rates_lie_in_their_intervals_and_pools_narrow_them(counts, more):
    hits, n = counts
    for exact in (False, True):
        inside, outside = rate(hits, n, pool=n + more, exact=exact), rate(hits, n, exact=exact)
        for interval in (inside, outside):
            assert 0 <= interval.low <= interval.value <= interval.high <= 1
            assert interval.n == n
        assert inside.half <= outside.half + 1e-12


def test_a_pool_asked_whole_is_exact_and_no_rows_say_nothing():
    assert rate(3, 10, pool=10).half == 0
    assert "exact" in rate(3, 10, pool=10).method
    for interval in (
        rate(0, 0),
        rate(0, 0, exact=True),
        wilson(0, 0),
        hypergeometric(0, 0, 5),
        mean([]),
        mean([math.nan]),
    ):
        assert not interval.known
        assert interval.n == 0


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=30))
def test_a_mean_of_numbers_has_students_interval(values):
    y = np.array([*values, 1.5, -0.25])
    interval = mean(y)
    low, high = stats.t.interval(0.95, len(y) - 1, y.mean(), stats.sem(y))
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)
    assert interval.method == "Student t"


def test_a_mean_in_a_pool_is_narrower_by_the_rows_left():
    y = np.random.default_rng(0).normal(size=50)
    assert mean(y, pool=101).half == pytest.approx(mean(y).half * math.sqrt(51 / 100))
    assert mean(y, pool=50).half == 0


def test_missing_values_are_left_out_and_not_counted():
    y = np.array([1.0, 2.5, math.nan, 4.0])
    assert mean(y) == mean(y[[0, 1, 3]])
    assert mean(y).n == 3


@given(st.lists(st.integers(0, 1), min_size=1, max_size=50))
def test_a_mean_of_decisions_is_a_rate(values):
    assert mean(values) == wilson(sum(values), len(values))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_equal_decisions_do_not_prove_that_all_are(value):
    interval = mean(np.full(30, value))
    assert interval.half > 0.05
    assert interval.low <= value <= interval.high


@pytest.mark.parametrize("n", [1, 2, 40])
def test_equal_numbers_claim_no_certainty(n):
    assert not mean(np.full(n, 0.3)).known
    assert not mean(np.full(n, 0.0), span=(0, math.inf)).known
    interval = mean(np.full(n, 0.3), span=(-1, 1))
    unseen = 1 - 0.025 ** (1 / n)
    assert (interval.low, interval.high) == pytest.approx((0.3 - 1.3 * unseen, 0.3 + 0.7 * unseen))


def test_ends_stay_where_a_value_can_be():
    interval = mean([0.0, 0.0, 0.0, 0.9], span=(0, 1))
    assert interval.low == 0
    assert mean([0.0, 0.0, 0.0, 0.9]).low < 0


def test_a_linearised_mean_is_the_ratio_and_its_jackknife():
    rng = np.random.default_rng(3)
    y, w = rng.random((2, 60)), rng.uniform(0.2, 4, 60)
    y[0, 5], w[7] = np.nan, 0.0
    found = linearised(y, w)
    rows = np.setdiff1d(np.arange(60), [5, 7])
    assert np.isnan(found[:, [5, 7]]).all()
    np.testing.assert_allclose(np.nanmean(found, axis=1), np.average(y[:, rows], axis=1, weights=w[rows]))
    left_out = [np.average(np.delete(y[1, rows], i), weights=np.delete(w[rows], i)) for i in range(len(rows))]
    n = len(rows)
    jackknife = (n - 1) / n * np.sum((left_out - np.mean(left_out)) ** 2)
    assert np.nanvar(found[1], ddof=1) / n == pytest.approx(jackknife, rel=0.05)


def test_sampling_weights_are_worth_what_their_scatter_says():
    rng = np.random.default_rng(4)
    w = np.repeat([1.0, 9.0], [300, 100])
    y = (rng.random(400) < np.where(w > 1, 0.5, 0.95)).astype(float)
    found, plain = weighted_mean(y, w), mean(y, weights=w)
    assert found.value == plain.value == pytest.approx(np.average(y, weights=w))
    drawn = rng.integers(400, size=(4000, 400))
    means = (y[drawn] * w[drawn]).sum(axis=1) / w[drawn].sum(axis=1)
    assert found.half == pytest.approx(1.96 * means.std(), rel=0.1)
    assert plain.half < found.half
    same = weighted_mean(y, np.full(400, 3.0))
    assert (same.low, same.high) == pytest.approx((mean(y).low, mean(y).high))


@pytest.mark.slow
def test_a_weighted_rate_holds_the_truth_of_the_population():
    rng, hits = np.random.default_rng(5), 0
    w = rng.choice([1.0, 2.0, 8.0], size=20_000)
    y = (rng.random(20_000) < np.where(w > 2, 0.7, 0.92)).astype(float)
    for _ in range(2000):
        rows = rng.choice(20_000, size=400, p=(1 / w) / (1 / w).sum())
        found = weighted_mean(y[rows], w[rows], span=(0, 1))
        hits += found.low <= y.mean() <= found.high
    assert 0.935 <= hits / 2000 <= 0.985


def test_weights_count_rows_several_times_but_promise_no_more():
    y = np.random.default_rng(1).normal(size=20)
    assert mean(y, weights=np.full(20, 7.0)).half == pytest.approx(mean(y).half)
    assert mean(y, weights=np.full(20, 7.0)).value == pytest.approx(mean(y).value)
    heavy = np.where(np.arange(20) < 2, 50.0, 1.0)
    assert mean(y, weights=heavy).value == pytest.approx((heavy * y).sum() / heavy.sum())
    assert mean((y > 0).astype(float), weights=heavy).half > mean((y > 0).astype(float)).half
    for wrong in (np.ones(3), -np.ones(20), np.full(20, math.inf)):
        with pytest.raises(InvalidInput, match="weights"):
            mean(y, weights=wrong)


def test_the_weighted_interval_covers():
    rng = np.random.default_rng(3)
    w = rng.uniform(0.2, 3, 5000)
    y = rng.gamma(2, size=5000) + w
    truth, hits = np.average(y, weights=w), 0
    for _ in range(400):
        rows = rng.integers(5000, size=80)
        interval = mean(y[rows], weights=w[rows])
        hits += interval.low <= truth <= interval.high
    assert 0.91 <= hits / 400 <= 0.98


@pytest.mark.parametrize(("up", "down"), [(0.3, 0.1), (0.02, 0.02), (0.08, 0.0)])
def test_differences_of_decisions_cover_when_few_differ(up, down):
    rng = np.random.default_rng(4)
    draws = rng.choice([1.0, -1.0, 0.0], p=[up, down, 1 - up - down], size=(1500, 60))
    intervals = [mean(row, span=(-1, 1)) for row in draws]
    covered = np.mean([i.low <= up - down <= i.high for i in intervals])
    assert covered >= 0.93
    assert all(
        i.method in ("Agresti-Min", "exact bound: all values equal") and -1 <= i.low <= i.value <= i.high <= 1
        for i in intervals
    )


def test_differences_of_decisions_by_the_published_formula():
    b, c, n = 12, 5, 80
    y = np.repeat([1.0, -1.0, 0.0], [b, c, n - b - c])
    # Agresti and Min 2005: half a row more in each of the four cells
    b2, c2, n2 = b + 0.5, c + 0.5, n + 2
    d = (b2 - c2) / n2
    half = 1.959963985 * math.sqrt((b2 + c2) / n2 - d * d) / math.sqrt(n2)
    interval = mean(y)
    assert (interval.low, interval.high) == pytest.approx((d - half, d + half))
    assert interval.value == (b - c) / n


@given(st.floats(0.5, 0.999), st.integers(1, 100))
def test_critical_values_are_those_of_scipy(level, dof):
    assert critical(level, dof) == pytest.approx(stats.t.ppf((1 + level) / 2, dof))
    assert critical(level) == pytest.approx(stats.norm.ppf((1 + level) / 2))
