"""Means over templates: the plain formula, coverage over templates and texts, and rare values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from kdaudit.chance import rng
from kdaudit.statistics.nested import mean_of_units, over_units, unit_means

SPAN = (-1.0, 1.0)


def drawn(chance, units, texts, each, share=0.8):
    """A draw of templates with values of their texts, a proxy that knows a share of them, and rows asked."""
    own = chance.normal(0.1, 0.05, units)
    parts = chance.normal(0, 0.3, (units, texts))
    proxy = share * parts + (1 - share) * chance.normal(0, 0.3, (units, texts)) + chance.normal(0, 1, (units, 1))
    unit = np.repeat(np.arange(units), texts)
    asked = np.concatenate([u * texts + np.sort(chance.permutation(texts)[:each]) for u in range(units)])
    values = (own[:, None] + parts).ravel()
    return values[asked], asked, proxy.ravel(), unit


def test_without_help_it_is_a_t_interval_of_template_means():
    y, asked, _, unit = drawn(rng(0, "nested"), 12, 40, 5)
    found = over_units(y, asked, np.zeros(len(unit)), unit, span=SPAN)
    means = np.array([y[unit[asked] == u].mean() for u in range(12)])
    low, high = stats.t.interval(0.95, 11, means.mean(), means.std(ddof=1) / math.sqrt(12))
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))
    assert found.interval.n == 12
    assert found.width_ratio == 1


def test_with_help_it_is_the_slow_formula():
    y, asked, s, unit = drawn(rng(1, "nested"), 12, 40, 5)
    found = over_units(y, asked, s, unit, span=SPAN)
    top = bottom = 0.0
    for u in range(12):
        here = unit[asked] == u
        a, b = y[here] - y[here].mean(), s[asked][here] - s[asked][here].mean()
        top, bottom = top + (a * b).sum(), bottom + (b * b).sum()
    slope = top / bottom
    helped = [
        y[unit[asked] == u].mean() + slope * (s[unit == u].mean() - s[asked][unit[asked] == u].mean())
        for u in range(12)
    ]  # fmt: skip
    assert found.values == pytest.approx(helped)
    assert found.interval.value == pytest.approx(np.mean(helped))
    assert found.width_ratio < 1
    assert "moved by the proxy" in found.interval.method
    assert found.minus(np.array(helped), level=0.95, span=SPAN).value == pytest.approx(0)


@pytest.mark.parametrize("share", [0.9, 0.0])
def test_it_covers_the_mean_over_all_templates(share):
    chance, runs, ratios = rng(2, f"nested/{share}"), 600, []
    missed = 0
    for _ in range(runs):
        found = over_units(*drawn(chance, 11, 30, 4, share), span=SPAN)
        missed += not found.interval.low <= 0.1 <= found.interval.high
        ratios.append(found.width_ratio)
    # 5 % of 600 are 30; beyond 48 or below 14 chance would come in one case of a thousand
    assert 14 <= missed <= 48
    assert np.mean(ratios) < (0.7 if share else 1.0)


def test_rare_values_are_bounded_by_counting_templates():
    none = mean_of_units(np.zeros(20))
    assert none.value == none.low == 0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 20))
    two = mean_of_units(np.r_[np.zeros(18), 1.0, 0.5])
    assert two.high > np.mean([0] * 18 + [1, 0.5]) + 2 * 0.05
    assert "exact bounds" in two.method
    covered = 0
    chance = rng(3, "rare")
    for _ in range(300):
        values = (chance.random((15, 4)) < 0.04).mean(axis=1) * (chance.random(15) < 0.5)
        found = mean_of_units(values)
        covered += found.low <= 0.02 <= found.high
    assert covered >= 285


@pytest.mark.parametrize("units", [11, 30, 100])
def test_rare_decisions_are_covered_and_no_useless_proxy_narrows_them(units):
    chance, missed, ratios, apart = rng(4, f"rare/{units}"), 0, [], []
    for _ in range(400):
        rates = chance.beta(1, 15, (units, 1))
        turned = (chance.random((units, 40)) < rates).astype(float).ravel()
        unit = np.repeat(np.arange(units), 40)
        asked = np.concatenate([u * 40 + chance.permutation(40)[:5] for u in range(units)])
        found = over_units(turned[asked], asked, chance.normal(size=len(unit)), unit)
        missed += not found.interval.low <= 1 / 16 <= found.interval.high
        ratios.append(found.width_ratio)
        whole = unit_means(turned, unit, units)
        apart.append(found.minus(whole, level=0.95, span=(0, 1)).low <= 0)
    assert missed <= 35  # 20 are expected at most; more than 35 once in a thousand times
    assert np.mean(ratios) > 0.97
    assert np.mean(apart) > 0.93


def test_few_or_missing_values():
    assert not mean_of_units(np.array([0.3])).known
    assert "1 template was answered" in mean_of_units(np.array([0.3])).method
    assert np.isnan(unit_means(np.array([1.0, np.nan]), np.array([0, 1]), 3)).tolist() == [False, True, True]
    gone = over_units(np.array([np.nan, 1.0, 0.0]), np.arange(3), np.full(3, np.nan), np.arange(3))
    assert gone.which.tolist() == [1, 2]
