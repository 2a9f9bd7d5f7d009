"""Quantiles: order statistics that a proxy sharpens, and intervals that hold whatever it is worth."""

import numpy as np
import pytest

from kdaudit.statistics.active import inclusion
from kdaudit.statistics.ratios import quantile


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_proxy_narrows_quantiles_and_their_intervals_hold(share):
    held, ratio = {"good": 0, "bad": 0}, {"good": [], "bad": []}
    for seed in range(150):
        chance = np.random.default_rng(seed)
        pool = chance.gamma(2, size=3000)
        true = np.quantile(pool, share, method="inverted_cdf")
        rows = chance.permutation(3000)[:200]
        for name, s in (("good", pool * np.exp(0.15 * chance.normal(size=3000))), ("bad", chance.normal(size=3000))):
            found = quantile(pool[rows], np.full(200, 200 / 3000), s[rows], s, share)
            held[name] += found.interval.low <= true <= found.interval.high
            ratio[name].append(found.interval.half / found.plain_population.half)
    assert min(held.values()) >= 135
    assert np.mean(ratio["good"]) < 0.85
    assert np.mean(ratio["bad"]) < 1.05


def test_rows_of_unequal_chances_are_weighed():
    chance = np.random.default_rng(1)
    pool = chance.random(5000)
    pi = inclusion(pool, 600)
    rows = np.flatnonzero(chance.random(5000) < pi)
    assert quantile(pool[rows], pi[rows], 0 * pool[rows], 0 * pool, 0.5).value == pytest.approx(0.5, abs=0.06)
    gone = pool[rows].copy()
    gone[5:] = np.nan
    assert not quantile(gone, pi[rows], 0 * pool[rows], 0 * pool, 0.5).interval.known
