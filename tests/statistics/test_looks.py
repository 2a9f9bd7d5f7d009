"""Looks: bounds against tables and simulation, betting that is wrong at any time in few streams only."""

import math

import numpy as np
import pytest

from kdaudit.errors import InvalidInput
from kdaudit.statistics.active import spread
from kdaudit.statistics.looks import bet_on, betting, bounds, level_at, log_capital, paired_stream, repeated, stages


@pytest.mark.parametrize(
    ("looks", "plan", "last"),
    [
        (1, "obrien_fleming", 1.960),
        (5, "obrien_fleming", 2.040),
        (10, "obrien_fleming", 2.087),
        (5, "pocock", 2.413),
        (10, "pocock", 2.555),
    ],
)
def test_bounds_are_those_of_the_tables(looks, plan, last):
    # Jennison and Turnbull 2000, tables 2.1 and 2.3
    assert bounds(looks, plan=plan)[-1] == pytest.approx(last, abs=2e-3)


def test_planned_looks_cost_little_and_first_ones_much():
    z = bounds(10)
    assert z[-1] / 1.96 < 1.08
    assert list(z) == sorted(z, reverse=True)


def test_a_random_walk_leaves_the_bounds_as_rarely_as_was_said():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.standard_normal((40_000, 5)), axis=1) / np.sqrt(np.arange(1, 6))
    for plan in ("obrien_fleming", "pocock"):
        wrong = (np.abs(walk) > np.array(bounds(5, plan=plan))).any(axis=1).mean()
        assert wrong == pytest.approx(0.05, abs=0.004)


def test_an_interval_at_a_look():
    interval = repeated(0.1, 0.02, 500, 5, 5)
    assert interval.half == pytest.approx(0.02 * bounds(5)[-1])
    with pytest.raises(InvalidInput, match="was not planned"):
        repeated(0.1, 0.02, 500, 6, 5)


def slow_capital(x, m, pool=None):
    """The same by hand, one row at a time."""
    horizons, c = (100, 300, 1000, 3000, 10000), 0.5
    plus, minus = [1.0] * 5, [1.0] * 5
    total = squares = 0.0
    spread = 0.25
    for t, value in enumerate(x, 1):
        mean = m if pool is None else (pool * m - total) / (pool - t + 1)
        for k, horizon in enumerate(horizons):
            bet = math.sqrt(2 * math.log(40) / (spread * horizon))
            plus[k] *= 1 + min(bet, c / mean) * (value - mean)
            minus[k] *= 1 - min(bet, c / (1 - mean)) * (value - mean)
        total += value
        squares += (value - (0.5 + total) / (t + 1)) ** 2
        spread = (0.25 + squares) / (t + 1)
    return (sum(plus) + sum(minus)) / 10


@pytest.mark.parametrize("pool", [None, 300])
def test_capital_is_what_bets_by_hand_leave(pool):
    x = (np.random.default_rng(1).random(120) < 0.3).astype(float)
    for m in (0.2, 0.3, 0.55):
        found = log_capital(x, np.array([m]), pool=pool)[-1, 0]
        assert found == pytest.approx(math.log(slow_capital(x, m, pool)))


def test_betting_narrows_and_never_widens():
    x = (np.random.default_rng(2).random(1000) < 0.3).astype(float)
    low, high = betting(x)
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    assert low[-1] < 0.3 < high[-1]
    with pytest.raises(InvalidInput, match="from 0 to 1"):
        betting([0.2, 1.4])


def test_a_whole_pool_is_nearly_known():
    x = np.random.default_rng(3).permutation(np.r_[np.ones(30), np.zeros(70)])
    low, high = betting(x, pool=100)
    assert low[-1] > 0.27
    assert high[-1] < 0.33


def test_the_slope_of_a_paired_stream_hangs_on_the_past_alone():
    rng = np.random.default_rng(4)
    t1, t0 = (rng.random((2, 200)) < 0.4).astype(float)
    z, span = paired_stream((t1, t1), (t0, t0), (0.4, 0.4))
    changed = t1.copy()
    changed[150:] = 1 - changed[150:]
    again, _ = paired_stream((changed, changed), (t0, t0), (0.4, 0.4))
    assert (z[:150] == again[:150]).all()
    assert span == (-2.0, 2.0)
    # a perfect proxy leaves nothing once the slope is learnt
    assert np.abs(z[100:] - 0.0).max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.3, 0.03])
def test_betting_is_wrong_at_any_time_in_few_streams(rate):
    rng = np.random.default_rng(5)
    wrong, widths, streams = 0, [], 400
    for stream in range(streams):
        x = (rng.random(3000) < rate).astype(float)
        wrong += bool((log_capital(x, np.array([rate])) >= math.log(20)).any())
        if stream < 4:
            low, high = betting(x, points=2001)
            widths.append([(high[n - 1] - low[n - 1]) / 2 for n in (1000, 3000)])
    assert wrong <= 0.05 * streams + 3 * math.sqrt(streams * 0.05 * 0.95)
    plain = 1.96 * np.sqrt(rate * (1 - rate) / np.array([1000, 3000]))
    assert (np.mean(widths, axis=0) / plain < 1.7).all()


def test_levels_of_looks_are_those_of_their_bounds():
    assert level_at(1, 1, 0.95) == 0.95
    assert level_at(5, 5, 0.95) == pytest.approx(0.9587, abs=1e-3)
    assert level_at(1, 5, 0.95) > 0.9999


def test_stages_lie_inside_each_other_and_their_chances_are_kept():
    chance = np.random.default_rng(5)
    groups, errors = np.repeat([0, 1], 200), chance.random(400)
    times, told = np.zeros(400), None
    for _ in range(1_500):
        order = chance.integers(0, 2**64, 400, dtype=np.uint64)
        design = spread(groups, 120, order, errors)
        first, *_, last = stages(groups, design, 3, order)
        assert np.isin(first.chosen, last.chosen).all()
        assert len(first.chosen) == 40
        assert (last.chosen == design.chosen).all()
        times[first.chosen] += 1
        told = first.chance
    assert told.sum() == pytest.approx(40)
    assert np.abs(times / 1_500 - told).max() < 0.04


def test_bets_on_a_gap_narrow_with_a_proxy_and_hold():
    chance, held, halves = np.random.default_rng(6), 0, []
    for _ in range(12):
        s = [chance.random(600), chance.random(600) * 0.8]
        y = [(chance.random(600) < x).astype(float) for x in s]
        found = bet_on((y[0], s[0]), (y[1], s[1]), (0.5, 0.4))
        held += found.low <= 0.1 <= found.high
        halves.append(found.half - bet_on((y[0], 0 * s[0]), (y[1], 0 * s[1]), (0.0, 0.0)).half)
    assert held >= 10
    assert np.mean(halves) < 0
    low, high = betting(y[0], points=2_001)
    alone = bet_on((y[0], 0 * y[0]), None, (0.0, 0.0))
    # the same bets on a span four times as wide
    assert low[-1] - 0.02 < alone.low < alone.high < high[-1] + 0.02
    assert not bet_on((y[0][:0], y[0][:0]), None, (0.0, 0.0)).known
