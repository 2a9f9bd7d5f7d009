"""Sign, rank and weight of two attributions, against counting and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import kendalltau

from kdaudit.measures import reasons
from kdaudit.measures.ranks import top_overlap
from kdaudit.measures.reasons import FURTHER

whole = arrays(np.float64, (6, 5), elements=st.integers(-3, 3).map(float))


@given(whole, whole)
def test_kendall_is_scipys_where_it_is_defined(a, b):
    for got, x, y in zip(reasons.kendall(a, b), a, b, strict=True):
        want = kendalltau(x, y).statistic if len(set(x)) > 1 and len(set(y)) > 1 else np.nan
        assert got == pytest.approx(want, abs=1e-12, nan_ok=True)


def top(x, k):
    """Positions of the k largest absolute values, ties by position: as a person would find them."""
    return sorted(range(len(x)), key=lambda i: (-abs(x[i]), i))[:k]


@given(whole, whole, st.integers(1, 4))
def test_agreements_are_counted_one_by_one(a, b, k):
    got = {
        "ra": reasons.rank_agreement(a, b, k=k),
        "sa": reasons.sign_agreement(a, b, k=k),
        "sra": reasons.signed_rank_agreement(a, b, k=k),
    }
    for row, (x, y) in enumerate(zip(a, b, strict=True)):
        if not x.any() or not y.any():
            assert all(np.isnan(values[row]) for values in got.values())
            continue
        first, second = top(x, k), top(y, k)
        same_sign = [np.sign(x[i]) == np.sign(y[i]) for i in first]
        assert abs(got["ra"][row] - sum(i == j for i, j in zip(first, second, strict=True)) / k) < 1e-12
        both = [i in second and s for i, s in zip(first, same_sign, strict=True)]
        assert abs(got["sa"][row] - sum(both) / k) < 1e-12
        all_three = [i == j and s for i, j, s in zip(first, second, same_sign, strict=True)]
        assert abs(got["sra"][row] - sum(all_three) / k) < 1e-12
        assert got["sra"][row] <= min(got["ra"][row], got["sa"][row]) + 1e-12
        assert max(got["ra"][row], got["sa"][row]) <= top_overlap(a, b, k=k)[row] + 1e-12


@given(whole, whole)
def test_weight_overlap_is_one_minus_scipys_squared_distance(a, b):
    for got, x, y in zip(reasons.weight_overlap(a, b), np.abs(a), np.abs(b), strict=True):
        want = 1 - jensenshannon(x, y, base=2) ** 2 if x.any() and y.any() else np.nan
        assert got == pytest.approx(want, abs=1e-7, nan_ok=True)


def test_independent_reasons_agree_as_often_as_chance_says():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000, 8))
    for function, want in (
        (reasons.rank_agreement, 1 / 8),
        (reasons.sign_agreement, 3 / 16),
        (reasons.signed_rank_agreement, 1 / 16),
    ):
        values = function(a, b, k=3)
        assert abs(values.mean() - want) < 3 * values.std() / np.sqrt(2000)


@given(whole)
def test_a_row_is_wholly_like_itself(a):
    a = a + np.linspace(0.01, 0.05, 5)
    for likeness in FURTHER:
        assert np.allclose(likeness.function(a, a), 1)
        assert (likeness.function(a, -a) <= 1).all()
