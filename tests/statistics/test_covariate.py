import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdaudit.errors import InvalidInput
from kdaudit.statistics.covariate import Prospect, assisted, combine, forecast, within_correlation
from kdaudit.statistics.gaps import difference
from kdaudit.statistics.rates import clopper_pearson, hypergeometric, mean, rate

POOL = 6000


@cache
def world(kind, rates=(0.25, 0.44), sharp=0.2, seed=5):
    """Teacher's decisions and a proxy's scores in two groups, a pool of 6,000 rows."""
    rng = np.random.default_rng(seed)
    group = (rng.random(POOL) < 0.52).astype(int)
    line, z = stats.norm.isf(np.array(rates))[group], rng.standard_normal(POOL)
    y = (z > line).astype(float)
    seen = (z + sharp * rng.standard_normal(POOL)) / (1 + sharp**2)
    s = stats.norm.sf((line - seen) / (sharp / math.sqrt(1 + sharp**2)))
    match kind:
        case "noise":
            s = rng.permutation(s)
        case "inverse":
            s = np.where(group == 1, 1 - s, s)
        case "decision":
            s = (s > 0.5).astype(float)
        case "almost":
            s = np.where(rng.random(POOL) < 0.02, 1 - y, y)
        case "one-sided":
            s = np.where((y == 1) & (rng.random(POOL) < 0.1), 0.0, y)
    return group, y, s


def audits(kind, n, reps, rates=(0.25, 0.44)):
    """Coverage with and without the proxy, and the width ratio, over choices of n rows, half of them in each group."""
    group, y, s = world(kind, rates)
    places = [np.flatnonzero(group == g) for g in (1, 0)]
    truth, rng = y[places[0]].mean() - y[places[1]].mean(), np.random.default_rng(n)
    covered, widths = np.zeros(2), np.zeros(2)
    for _ in range(reps):
        asked = [rng.choice(place, n // 2, replace=False) for place in places]
        found = combine([assisted(y[a], s[a], s[p]) for a, p in zip(asked, places, strict=True)], (1, -1))
        covered += [i.low <= truth <= i.high for i in (found.interval, found.plain)]
        widths += [found.interval.half, found.plain.half]
    return covered[0] / reps, covered[1] / reps, widths[0] / widths[1]


@pytest.mark.parametrize("n", [100, 300, 1000])
@pytest.mark.parametrize("kind", ["good", "noise", "inverse", "decision", "almost", "one-sided"])
def test_no_proxy_makes_the_interval_wrong_or_wider(kind, n):
    covered, plain, ratio = audits(kind, n, 400)
    # four standard errors of 400 audits below .95
    assert covered >= 0.906
    assert plain >= 0.906
    assert ratio <= 1.005


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 300, 1000, 3000])
@pytest.mark.parametrize("kind", ["good", "noise", "inverse", "decision", "almost", "one-sided"])
@pytest.mark.parametrize("rates", [(0.25, 0.44), (0.03, 0.09)])
def test_coverage_is_what_the_level_says(kind, n, rates):
    covered, plain, ratio = audits(kind, n, 2000, rates)
    assert covered >= 0.93
    assert plain >= 0.93
    assert ratio <= 1.005
    if n >= 1000 and kind == "good":
        assert covered <= 0.97


def test_a_good_proxy_halves_the_width_and_a_reversed_one_too():
    for kind in ("good", "inverse"):
        assert audits(kind, 1000, 30)[2] < 0.5


def textbook(y, s, pool_s):
    """The PPI++ estimate and its variance, term by term."""
    n, size = len(y), len(pool_s)
    slope = np.cov(y, s)[0, 1] / np.var(s, ddof=1)
    value = slope * pool_s.mean() + sum(a - slope * b for a, b in zip(y, s, strict=True)) / n
    rectified = [a - slope * b for a, b in zip(y, s, strict=True)]
    middle = sum(rectified) / n
    return slope, value, sum((r - middle) ** 2 for r in rectified) / (n - 2) / n * (1 - n / size)


def good_rows(n, seed=0):
    group, y, s = world("good")
    place = np.flatnonzero(group == 1)
    rows = np.random.default_rng(seed).choice(place, n, replace=False)
    return y[rows], s[rows], s[place]


def test_the_estimate_is_that_of_the_textbook():
    y, s, pool = good_rows(200)
    estimate, (slope, value, variance) = assisted(y, s, pool), textbook(y, s, pool)
    assert (estimate.slope, estimate.value, estimate.variance) == pytest.approx((slope, value, variance))
    assert estimate.population_variance == pytest.approx(variance + np.var(y, ddof=1) / len(pool))
    assert estimate.plain == mean(y, pool=len(pool))
    kurtosis = stats.kurtosis(y - slope * s, fisher=False)
    assert estimate.dof == pytest.approx(min(198, 2 * 200 / (kurtosis - 1)))
    interval = estimate.interval
    half = stats.t.ppf(0.975, estimate.dof) * math.sqrt(variance)
    assert (interval.low, interval.high) == pytest.approx((value - half, value + half))


def test_a_gap_adds_variances_and_degrees_of_freedom_as_welch_does():
    parts = [assisted(*good_rows(200, seed)) for seed in (0, 1)]
    found, (a, b) = combine(parts, (1, -1)), (p.variance for p in parts)
    dof = (a + b) ** 2 / (a**2 / parts[0].dof + b**2 / parts[1].dof)
    assert found.interval.half == pytest.approx(stats.t.ppf(0.975, dof) * math.sqrt(a + b))
    assert found.interval.value == pytest.approx(parts[0].value - parts[1].value)
    assert found.plain == difference(parts[0].plain, parts[1].plain)
    assert found.population.half > found.interval.half
    assert found.interval.n == 400


@given(st.floats(-5, 5).filter(lambda x: abs(x) > 0.01), st.floats(-3, 3))
def test_the_proxys_scale_does_not_matter(factor, shift):
    y, s, pool = good_rows(150)
    one, other = assisted(y, s, pool), assisted(y, factor * s + shift, factor * pool + shift)
    assert (other.value, other.variance, other.dof) == pytest.approx((one.value, one.variance, one.dof))
    assert other.slope == pytest.approx(one.slope / factor)


def test_few_hits_fall_back_to_the_exact_plain_interval():
    y, s, pool = good_rows(150)
    y = np.zeros(150)
    y[:9] = 1
    estimate = assisted(y, s, pool)
    assert estimate.plain == hypergeometric(9, 150, len(pool))
    assert estimate.plain_population == clopper_pearson(9, 150)
    found = combine([estimate])
    assert (found.interval.low, found.interval.high) == (estimate.plain.low, estimate.plain.high)
    assert (found.population.low, found.population.high) == (
        estimate.plain_population.low,
        estimate.plain_population.high,
    )
    assert "without the proxy (fewer than 10 rows differ)" in found.interval.method
    gap = combine([estimate, assisted(*good_rows(150))], (1, -1)).interval
    assert "without the proxy in one group" in gap.method
    assert "MOVER of exact hypergeometric and PPI++" in gap.method
    y[9] = 1
    assert assisted(y, y * 0.5 + s, pool).unaided == ""


def test_a_proxy_that_is_never_seen_to_differ_proves_nothing():
    y, _, _ = good_rows(150)
    pool = world("good")[1]
    estimate = assisted(y, y, pool)
    assert estimate.unaided == "teacher and proxy differ in too few rows"
    assert estimate.interval.half == estimate.plain.half


@pytest.mark.parametrize(("wrong", "helps"), [(1, False), (2, False), (8, True)])
def test_a_proxy_seen_to_differ_once_or_twice_proves_little(wrong, helps):
    y, _, _ = good_rows(150)
    proxy = y.copy()
    proxy[:wrong] = 1 - proxy[:wrong]
    assert (assisted(y, proxy, world("good")[1]).unaided == "") is helps


def test_a_proxy_that_says_nothing_leaves_the_plain_interval():
    y, s, pool = good_rows(150)
    for useless in (np.full(150, 0.5), np.random.default_rng(0).permutation(s)):
        estimate = assisted(y, useless, np.full(len(pool), 0.5))
        assert estimate.unaided == "the proxy does not narrow it"
        assert estimate.interval.half == estimate.plain.half


def test_rows_that_failed_count_as_not_asked():
    y, s, pool = good_rows(150)
    y[:20] = math.nan
    assert assisted(y, s, pool) == assisted(y[20:], s[20:], pool)


def test_rows_in_which_the_proxy_failed_get_its_mean():
    y, s, pool = good_rows(150)
    holes = pool.copy()
    holes[::50] = math.nan
    known = np.where(np.isnan(holes), np.nanmean(holes), holes)
    s[0] = math.nan
    filled = np.where(np.isnan(s), np.nanmean(holes), s)
    assert assisted(y, s, holes) == assisted(y, filled, known)
    nothing = np.full(len(pool), math.nan)
    assert assisted(y, nothing[:150], nothing).unaided == "the proxy does not narrow it"


def test_a_pool_asked_whole_is_exact_here_and_a_sample_elsewhere():
    _, y, s = world("good")
    found = combine([assisted(y[:500], s[:500], s[:500]), assisted(y[500:900], s[500:900], s[500:900])], (1, -1))
    assert found.interval.value == pytest.approx(y[:500].mean() - y[500:900].mean())
    assert found.interval.half == found.plain.half == 0
    assert found.width_ratio == 1
    alone = difference(rate(int(y[:500].sum()), 500), rate(int(y[500:900].sum()), 400))
    assert found.population.half == pytest.approx(alone.half, rel=0.02)
    none = assisted(np.zeros(40), np.zeros(40), np.zeros(40))
    assert none.interval.half == 0
    assert combine([none]).population.half > 0.02
    gap = combine([none, assisted(np.ones(5), np.ones(5), np.ones(5))], (1, -1))
    assert gap.interval.method == "exact: all rows counted"
    assert gap.interval.value == -1
    assert "fewer than 10 rows differ" in gap.population.method


def test_no_rows_and_equal_numbers_say_nothing():
    for estimate in (assisted([], [], [0.5, 0.5]), assisted(np.full(30, 0.4), np.arange(30), np.arange(90))):
        found = combine([estimate])
        assert not any(i.known for i in (found.interval, found.plain, found.population))
        assert math.isnan(found.width_ratio)
    with pytest.raises(InvalidInput):
        assisted([1.0, 0.0], [1.0], [1.0, 0.0])
    with pytest.raises(InvalidInput):
        assisted([1.0, 0.0], [1.0, 0.0], [1.0])


def test_the_population_is_covered():
    rng, hits, truth = np.random.default_rng(2), 0, stats.norm.sf(0.5)
    for _ in range(400):
        z = rng.standard_normal(1000)
        y, s = (z > 0.5).astype(float), stats.norm.cdf(z + 0.3 * rng.standard_normal(1000))
        interval = combine([assisted(y[:250], s[:250], s)]).population
        hits += interval.low <= truth <= interval.high
    assert 0.91 <= hits / 400 <= 0.985


def test_the_forecast_meets_what_asking_then_gives():
    group, y, s = world("good")
    rho = within_correlation(y, s, group)
    places = [np.flatnonzero(group == g) for g in (1, 0)]
    told = forecast([Prospect(s[p].mean(), 500, len(p), rho) for p in places], (1, -1))
    rng = np.random.default_rng(0)
    asked = [rng.choice(p, 500, replace=False) for p in places]
    found = combine([assisted(y[a], s[a], s[p]) for a, p in zip(asked, places, strict=True)], (1, -1))
    assert told.half == pytest.approx(found.interval.half, rel=0.12)
    assert told.plain == pytest.approx(found.plain.half, rel=0.05)
    assert told.ratio == pytest.approx(math.sqrt(1 - rho**2), rel=0.01)


def test_forecasts_promise_nothing_from_nothing():
    assert forecast([Prospect(0.3, 0, 100)]).half == math.inf
    assert forecast([Prospect(0.0, 100, 1000)]).plain > 0.01
    useless = forecast([Prospect(0.3, 100, 1000, 0.0)])
    assert useless.half == useless.plain
    assert useless.ratio == 1


def test_correlation_is_taken_inside_groups():
    group, y, s = world("good", (0.1, 0.8))
    parts = [np.flatnonzero(group == g) for g in (0, 1)]
    centred = np.concatenate([y[p] - y[p].mean() for p in parts]), np.concatenate([s[p] - s[p].mean() for p in parts])
    assert within_correlation(y, s, group) == pytest.approx(np.corrcoef(*centred)[0, 1])
    # what only tells groups apart is worth nothing inside them
    assert abs(within_correlation(y, group * 1.0, group)) < 1e-9
    assert within_correlation([math.nan, 1.0], [0.0, 1.0], [0, 0]) == 0
