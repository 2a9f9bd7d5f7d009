import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kdaudit.errors import InvalidInput
from kdaudit.statistics.covariate import assisted
from kdaudit.statistics.sums import sums

FLOATS = arrays.arrays(np.float64, 40, elements=st.floats(-3, 3))


@given(FLOATS, FLOATS, st.integers(1, 39))
def test_pieces_add_up_to_the_whole(y, s, cut):
    groups = np.arange(40) % 3
    whole = sums(groups, 3, y, s)
    parts = sums(groups[:cut], 3, y[:cut], s[:cut]) + sums(groups[cut:], 3, y[cut:], s[cut:])
    for name in ("count", "y", "s", "yy", "ss", "ys"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-12)


@given(FLOATS, FLOATS)
def test_moments_are_those_of_the_rows(y, s):
    groups = np.arange(40) % 3
    got = sums(groups, 3, y, s)
    for g in range(3):
        mine, theirs = y[groups == g], s[groups == g]
        assert got.mean[g] == pytest.approx(mine.mean(), abs=1e-9)
        assert got.mean_s[g] == pytest.approx(theirs.mean(), abs=1e-9)
        assert got.variance[g] == pytest.approx(mine.var(ddof=1), abs=1e-9)
        if theirs.std() > 0.01:
            assert got.slope[g] == pytest.approx(np.polyfit(theirs, mine, 1)[0], abs=1e-6)


def test_a_covariate_estimate_comes_from_sums():
    rng = np.random.default_rng(0)
    pool = rng.random(900)
    y = (pool + 0.2 * rng.standard_normal(900) > 0.6).astype(float)
    rows = rng.choice(900, 200, replace=False)
    asked, estimate = sums(np.zeros(200, dtype=int), 1, y[rows], pool[rows]), assisted(y[rows], pool[rows], pool)
    value = asked.mean[0] + asked.slope[0] * (pool.mean() - asked.mean_s[0])
    assert value == pytest.approx(estimate.value)
    assert asked.residual_variance[0] / 200 * (1 - 200 / 900) == pytest.approx(estimate.variance)


def test_rows_without_value_or_group_are_left_out():
    got = sums([0, -1, 1, 0, 1], 3, [1.0, 9.0, math.nan, 2.0, 4.0])
    assert got.count.tolist() == [2, 1, 0]
    assert got.mean[:2].tolist() == [1.5, 4]
    assert np.isnan(got.mean[2])
    assert np.isnan(got.variance[1])
    assert got.slope.tolist() == [0, 0, 0]
    assert np.isnan(got.residual_variance).all()
    with pytest.raises(InvalidInput):
        sums([0, 3], 3, [1.0, 2.0])
