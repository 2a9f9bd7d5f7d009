"""False alarms over several strangers, and over one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kdaudit.errors import InvalidInput
from kdaudit.statistics.gaps import paired
from kdaudit.statistics.strangers import control_over, counted_over, excess_over


def draws(rng, k, n, shift=0.0):
    """Likeness of k proxies: rows share what they are like, proxies have their own luck."""
    rows = rng.normal(0.7, 0.2, n)
    luck = rng.normal(0.0, 0.03, k + 1)
    luck[0] += shift
    return rows + luck[:, None] + rng.normal(0, 0.1, (k + 1, n))


def test_strangers_raise_no_more_alarms_than_promised_where_one_alone_does():
    rng, alarms, one = np.random.default_rng(0), [], []
    for _ in range(600):
        found = draws(rng, 5, 200)
        interval, p = excess_over(found[0], found[1:])
        alarms.append(interval.low > 0)
        assert (p < 0.025) == (interval.low > 0)
        one.append(paired(found[0], found[1]).low > 0)
    assert np.mean(alarms) <= 0.04
    assert np.mean(one) > 0.2  # rows alone do not know the strangers' spread


def test_a_proxy_that_is_nearer_is_seen():
    rng = np.random.default_rng(1)
    seen = [excess_over(*(lambda f: (f[0], f[1:]))(draws(rng, 6, 200, shift=0.2)))[0].low > 0 for _ in range(100)]
    assert np.mean(seen) > 0.95


def test_missing_rows_are_left_out_and_one_stranger_is_refused():
    found = draws(np.random.default_rng(2), 3, 20)
    found[0, :3], found[2, 5] = np.nan, np.nan
    interval, _ = excess_over(found[0], found[1:])
    assert interval.n == 16
    assert interval.value == pytest.approx(np.delete(found[0] - found[1:].mean(axis=0), [0, 1, 2, 5]).mean())
    with pytest.raises(InvalidInput, match="at least 2"):
        excess_over(found[0], found[1:2])
    assert not excess_over(np.full(4, np.nan), np.ones((2, 4)))[0].known


def plain(values, controls, level=0.95):
    """The formulas again, by loops; rows without a hole."""
    k, n = len(controls), len(values)
    means = [sum(one) / n for one in controls]
    grand = sum(means) / k
    between = sum((m - grand) ** 2 for m in means) / (k - 1)
    averages = [sum(one[r] for one in controls) / k for r in range(n)]
    excess = [values[r] - averages[r] for r in range(n)]

    def over(parts):
        middle = sum(parts) / n
        return sum((part - middle) ** 2 for part in parts) / (n - 1) / n

    out = []
    for value, a, b in (
        (sum(excess) / n, between * (1 + 1 / k), over(excess)),
        (grand, between / k, over(averages)),
    ):
        degrees = k - 1 if k < 3 else (a + b) ** 2 / (a**2 / (k - 1) + b**2 / (n - 1))
        half = stats.t.ppf((1 + level) / 2, degrees) * (a + b) ** 0.5
        out.append((value, value - half, value + half))
    return out


@pytest.mark.parametrize("k", [2, 3, 5])
def test_intervals_are_those_of_the_formulas(k):
    found = draws(np.random.default_rng(k), k, 40)
    for got, expected in zip((excess_over(found[0], found[1:])[0], control_over(found[1:])),
                             plain(found[0].tolist(), found[1:].tolist()), strict=True):  # fmt: skip
        assert (got.value, got.low, got.high) == pytest.approx(expected)
        assert str(k) in got.method


def test_intervals_end_where_values_do():
    found = np.array([[1.0, 1, 1, 0], [1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]])
    assert excess_over(found[0], found[1:], span=(0, 1))[0].low >= -1
    assert 0 <= control_over(found[1:], span=(0, 1)).low <= control_over(found[1:], span=(0, 1)).high <= 1


def test_what_is_all_alike_proves_nothing_of_others():
    ones = np.ones((4, 50))
    excess, p = excess_over(ones[0], ones[1:], span=(0, 1))
    assert excess.value == 0
    assert excess.low < 0 < excess.high
    assert p == 1
    assert control_over(ones[1:], span=(0, 1)).low < 1


def test_where_all_rows_are_counted_strangers_alone_differ():
    controls = np.array([0.8, 0.84, 0.85, 0.91])
    control, excess = counted_over(0.95, controls, 900)
    half = stats.t.ppf(0.975, 3) * controls.std(ddof=1)
    assert (control.value, control.half) == pytest.approx((0.85, half / 2))
    assert (excess.value, excess.half) == pytest.approx((0.10, half * np.sqrt(1.25)))


@pytest.mark.parametrize("k", [3, 4])
@pytest.mark.parametrize("luck", [0.0, 0.01, 0.03])
def test_decisions_beside_few_strangers_raise_few_false_alarms(k, luck):
    rng, alarms = np.random.default_rng(7), 0
    for _ in range(500):
        hard = rng.random(400) < 0.3
        hits = np.where(hard, rng.random((k + 1, 400)) < (0.7 + rng.normal(0, 3 * luck, k + 1))[:, None], True) * 1.0
        alarms += excess_over(hits[0], hits[1:], span=(0, 1))[0].low > 0
    assert alarms <= 25
