import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from kdaudit.errors import InvalidInput
from kdaudit.statistics.nulls import permuted_gap


def test_chance_gaps_are_those_of_all_exchanges():
    y, first = np.random.default_rng(6).normal(size=11), np.arange(11) < 4
    gaps = [y[list(c)].mean() - np.delete(y, c).mean() for c in combinations(range(11), 4)]
    null = permuted_gap(y, first, np.random.default_rng(0), draws=20_000)
    gap = y[first].mean() - y[~first].mean()
    assert null.p == pytest.approx(np.mean(np.abs(gaps) >= abs(gap) - 1e-12), abs=0.015)
    assert null.interval.value == pytest.approx(0, abs=0.02)
    assert (null.interval.low, null.interval.high) == pytest.approx(np.quantile(gaps, (0.025, 0.975)), abs=0.05)


def test_p_is_fishers_for_decisions():
    y, first = np.repeat([1.0, 0, 1, 0], [12, 18, 5, 25]), np.repeat([True, False], [30, 30])
    exact = stats.fisher_exact([[12, 18], [5, 25]]).pvalue
    assert permuted_gap(y, first, np.random.default_rng(1), draws=20_000).p == pytest.approx(exact, abs=0.01)


def test_no_gap_is_called_significant_as_often_as_alpha_says():
    rng, small = np.random.default_rng(2), 0
    for _ in range(400):
        y = rng.random(80)
        small += permuted_gap(y, np.arange(80) < 30, rng, draws=199).p <= 0.05
    assert 0.02 <= small / 400 <= 0.08


def test_drawing_counts_is_permuting_rows():
    y, first = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], 300), np.arange(300) < 90
    counted = permuted_gap(y, first, np.random.default_rng(0), draws=4000).interval
    # so many more values, so near to the others that only the way changes
    permuted = permuted_gap(y + 1e-6 * np.arange(300), first, np.random.default_rng(0), draws=4000).interval
    assert (counted.low, counted.high) == pytest.approx((permuted.low, permuted.high), abs=0.035)


def test_same_seed_same_range_and_missing_values_left_out():
    y, first = np.random.default_rng(3).random(100), np.arange(100) < 40
    one = permuted_gap(y, first, np.random.default_rng(4))
    assert one == permuted_gap(y, first, np.random.default_rng(4))
    holes = np.insert(y, 50, math.nan)
    assert permuted_gap(holes, np.insert(first, 50, True), np.random.default_rng(4)) == one
    assert one.interval.n == 100
    assert "999 permutations" in one.interval.method


def test_chance_is_never_ruled_out():
    y, first = np.repeat([0.0, 1.0], 50), np.arange(100) < 50
    assert permuted_gap(y, first, np.random.default_rng(0), draws=199).p == 1 / 200


def test_many_rows_are_permuted_in_blocks():
    y = np.arange(3_000_000) % 12 / 12
    null = permuted_gap(y, np.arange(3_000_000) % 2 == 0, np.random.default_rng(0), draws=3)
    assert abs(null.interval.value) < 0.002


def test_one_group_alone_has_no_gap():
    null = permuted_gap([0.0, 1.0], [True, True], np.random.default_rng(0))
    assert not null.interval.known
    assert null.p == 1
    with pytest.raises(InvalidInput):
        permuted_gap([0.0, 1.0], [True], np.random.default_rng(0))
