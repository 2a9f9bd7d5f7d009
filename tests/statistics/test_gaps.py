import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.gaps import contrast, difference, paired, ratio, shifted
from kdaudit.statistics.rates import mean, wilson

PARTS = st.tuples(st.floats(0.1, 0.9), st.floats(0.001, 0.1), st.floats(0.001, 0.1))


def interval(value, below, above):
    return Interval(value, value - below, value + above, 10)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_differences_of_rates_are_those_published(first, second, low, high):
    got = difference(wilson(*first), wilson(*second))
    assert (got.low, got.high) == pytest.approx((low, high), abs=5e-5)
    assert got.n == first[1] + second[1]


@given(PARTS, PARTS)
def test_exchanging_groups_turns_the_difference_round(a, b):
    there, back = difference(interval(*a), interval(*b)), difference(interval(*b), interval(*a))
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert there.low <= there.value <= there.high


@given(PARTS, PARTS, PARTS)
def test_symmetric_parts_add_their_squares(a, b, c):
    parts = [interval(v, h, h) for v, h, _ in (a, b, c)]
    got = contrast(parts, (1, -0.5, -0.5))
    assert got.half == pytest.approx(math.sqrt(a[1] ** 2 + (b[1] / 2) ** 2 + (c[1] / 2) ** 2))


def test_contrasts_want_one_level_and_known_parts():
    a, b = wilson(3, 10), wilson(3, 10, level=0.9)
    for call in (lambda: difference(a, b), lambda: ratio(a, b), lambda: contrast((a, a), (1.0,))):
        with pytest.raises(InvalidInput):
            call()
    assert difference(a, unknown("no rows")).method == "no rows"
    assert not ratio(a, unknown("no rows")).known


@given(PARTS, PARTS)
def test_the_ratio_of_symmetric_parts_is_fiellers(a, b):
    (v, h, _), (w, k, _) = a, b
    k = min(k, 0.9 * w)
    if h > v:
        return
    got = ratio(interval(v, h, h), interval(w, k, k))
    # the ratios r for which v - r w lies within the root of h**2 + (r k)**2
    ends = np.roots([w * w - k * k, -2 * v * w, v * v - h * h])
    assert (got.low, got.high) == pytest.approx((ends.min(), ends.max()), rel=1e-6, abs=1e-9)


def test_ratios_cover():
    rng = np.random.default_rng(0)
    a, b = rng.binomial(150, 0.2, 2000), rng.binomial(150, 0.35, 2000)
    got = [ratio(wilson(x, 150), wilson(y, 150)) for x, y in zip(a, b, strict=True)]
    assert 0.935 <= np.mean([g.low <= 0.2 / 0.35 <= g.high for g in got]) <= 0.965


def test_ratios_have_no_end_where_the_denominator_may_be_zero():
    assert "zero" in ratio(wilson(3, 10), wilson(0, 10)).method
    assert "negative" in ratio(interval(0.1, 0.2, 0.2), wilson(4, 10)).method
    nothing = ratio(wilson(0, 10), wilson(9, 10))
    assert nothing.value == nothing.low == 0 < nothing.high < 1


def test_pairs_are_compared_row_by_row():
    rng = np.random.default_rng(1)
    a = rng.normal(size=60)
    b = a + rng.normal(scale=0.1, size=60) - 0.2
    assert paired(a, b).value == pytest.approx((a - b).mean())
    assert paired(a, b).half < 0.2 * difference(mean(a), mean(b)).half
    b[:5] = math.nan
    assert paired(a, b).n == 55


def test_equal_pairs_claim_no_certainty():
    same = np.array([0.0, 1.0] * 20)
    assert paired(same, same).half == pytest.approx(1 - 0.025 ** (1 / 40))
    assert not paired(same * 0.3, same * 0.3).known
    assert paired(same * 0.3, same * 0.3, span=(0, 1)).half == pytest.approx(1 - 0.025 ** (1 / 40))


def test_a_number_known_exactly_moves_all_ends():
    got = shifted(interval(0.3, 0.1, 0.2), 0.25)
    assert (got.value, got.low, got.high, got.n) == pytest.approx((0.05, -0.05, 0.25, 10))
