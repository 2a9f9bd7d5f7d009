"""Active choice: chances, fixed sizes, shared rows, estimates by hand, and intervals that cover whatever the proxy."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import binomtest

from kdaudit.errors import InvalidInput
from kdaudit.measures.chances import chances
from kdaudit.probe.trials import change_errors
from kdaudit.statistics.active import drawn, inclusion, likelihoods, picked, promised, reckoned, spread, weighted
from kdaudit.statistics.choice import balanced
from kdaudit.statistics.covariate import assisted, combine
from kdaudit.statistics.gaps import ratio


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
    hits = np.where(groups == 0, rng.beta(0.2, 0.2, 2000), 0.001)
    design = spread(groups, 400, order, hits * (1 - hits), hits)
    assert np.ptp(design.chance[groups == 0]) > 0
    assert np.ptp(design.chance[groups == 1]) == 0


def test_a_proxy_whose_errors_promise_nothing_chooses_nothing():
    rng = np.random.default_rng(12)
    one, even = np.zeros(2000, dtype=int), rng.uniform(0.2, 0.3, 2000)
    assert np.ptp(likelihoods(one, 300, even, None)) == 0
    # five of a hundred rows hold nearly all that is expected to go wrong
    rare = np.where(rng.random(2000) < 0.05, 0.25, 1e-3)
    assert np.ptp(likelihoods(one, 300, rare, None)) > 0


def test_few_rows_are_chosen_simply_where_only_the_proxy_brings_enough_hits_together():
    sure = np.where(np.arange(2000) < 200, 0.5, 0.01)
    one, errors = np.zeros(2000, dtype=int), sure * (1 - sure)
    flat, active = 2000 * sure.mean() * 90 / 2000, float((inclusion(errors, 90) * sure).sum())
    assert flat < 10 < active
    assert np.ptp(likelihoods(one, 90, errors, sure)) == 0
    assert np.ptp(likelihoods(one, 100, errors, sure)) > 0


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
KINDS = ("good", "mediocre", "noise", "liar", "inverse", "stale")
BLUR = {"good": 0.3, "mediocre": 0.6}
FLIP_BLUR = {"good": 0.08, "mediocre": 0.3}
"""How far off a proxy is: a good one predicts flips with a correlation of .77, as one that learnt pairs."""


@dataclass(frozen=True, eq=False)
class World:
    """Groups, the teacher's values, a proxy's values, the errors that it expects of itself, and chances of yes."""

    group: np.ndarray
    y: np.ndarray
    c: np.ndarray
    errors: np.ndarray
    hits: np.ndarray

    @cached_property
    def rows(self):
        """Rows of the group compared, and of the other where there is one."""
        return [rows for rows in (np.flatnonzero(self.group == level) for level in (1, 0)) if len(rows)]

    @cached_property
    def span(self):
        return (-1, 1) if (self.y < 0).any() else (0, 1)

    def truth(self, case):
        rates = [self.y[rows].mean() for rows in self.rows]
        return rates[0] / rates[1] if case == "ratio" else rates[0] - sum(rates[1:])


def world(kind, case="gap"):
    """A teacher of a kind of question, and a proxy of a kind; scores are read as chances by 1,000 rows known before."""
    rng = np.random.default_rng(7)
    group = (rng.random(N) < 0.48).astype(int)
    line = np.where(group == 1, 1.9, 1.3) if case == "rare" else np.where(group == 1, 0.65, 0.15)
    z, known = rng.standard_normal(N), rng.permutation(N)[:1000]
    blur = (FLIP_BLUR if case == "flip" else BLUR).get(kind, 0.3)
    whole = math.hypot(1, blur)
    seen = (z + blur * rng.standard_normal(N)) / whole
    sides = np.column_stack([ndtr((seen / whole - at) * whole / blur) for at in (line, line + 0.25)])
    teacher, other = (z > line).astype(float), (z > line + 0.25).astype(float)
    match kind:
        case "noise":
            sides = sides[rng.permutation(N)]
        case "liar":
            wrong, yes = rng.random(N) < 0.15, (teacher - other if case == "flip" else teacher) > 0
            sides[:, 0] = np.where(wrong, np.where(yes, 0.01, 0.99), np.where(yes, 0.6, 0.4))
            sides[:, 1] = np.where(wrong, 0.01, 0.4)
        case "inverse":
            sides = sides[:, ::-1] if case == "flip" else np.where((group == 1)[:, None], 1 - sides, sides)
    # decisions known before are those of a teacher that has changed since, where the reading is stale
    before = (z > line - 0.4 * (kind == "stale")).astype(float)
    sides = np.column_stack([chances(sides[known, 0], before[known], side) for side in sides.T])
    if case == "flip":
        c = sides[:, 0] - sides[:, 1]
        return World(np.zeros(N, dtype=int), teacher - other, c, change_errors(sides), np.abs(c))
    c = sides[:, 0]
    return World(group, teacher, c, np.maximum(c * (1 - c), 1e-3), c)


def interval(values, design, covariate, case):
    """What an audit says of the rows that a design chose."""
    parts, group = [], values.group[design.chosen]
    for rows in values.rows:
        at = design.chosen[group == values.group[rows[0]]]
        parts.append(weighted(values.y[at], design.chance[at], covariate[at], covariate[rows], span=values.span))
    if case == "ratio":
        return ratio(*(part.interval for part in parts))
    return combine(parts, [1.0, -1.0][: len(parts)]).interval


def measured(kind, n, audits, seed=0, case="gap"):
    """Intervals that hold, and their mean width beside that of plain sampling, even over groups."""
    values = world(kind, case)
    truth, rng = values.truth(case), np.random.default_rng(seed)
    ours, plainly = (likelihoods(values.group, n, *told) for told in ((values.errors, values.hits), (None, None)))
    held, halves, others = 0, [], []
    for audit in range(audits):
        order = priorities(rng, N)
        found = interval(values, picked(values.group, ours, order), values.c, case)
        held += found.low <= truth <= found.high
        halves.append(found.half)
        if audit % max(audits // 200, 1) == 0:
            others.append(interval(values, picked(values.group, plainly, order), np.zeros(N), case).half)
    return held, float(np.mean(halves) / np.mean(others))


@pytest.mark.parametrize(
    ("case", "kind", "most"),
    [("gap", "good", 0.5), ("gap", "noise", 1.05), ("gap", "stale", 1.05), ("flip", "good", 0.54)],
)
def test_a_good_proxy_halves_the_width_and_a_useless_one_costs_nothing(case, kind, most):
    held, width = measured(kind, 1000, 40, case=case)
    assert held >= 32
    assert width <= most


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 300, 1000, 3000])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", ["gap", "ratio", "rare", "flip"])
def test_intervals_cover_whatever_the_proxy_is_worth(case, kind, n):
    audits = 300
    held, width = measured(kind, n, audits, case=case)
    print(f"{case} {kind} n={n}: cover {held / audits:.3f}, width {width:.2f}")
    # exact intervals of few hits cover more than they say, which is no fault
    assert binomtest(held, audits).proportion_ci(0.99).high > (0.925 if n == 100 else 0.93)
    assert width <= 1.05
