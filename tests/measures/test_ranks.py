"""Likeness of attributions against scipy and against counting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from kdaudit.measures.ranks import cosine, spearman, top_overlap

whole = arrays(np.float64, (6, 5), elements=st.integers(-3, 3).map(float))


@given(whole, whole)
def test_spearman_is_scipys_where_it_is_defined(a, b):
    for got, x, y in zip(spearman(a, b), a, b, strict=True):
        if len(set(x)) == 1 or len(set(y)) == 1:
            assert np.isnan(got)
        else:
            assert abs(got - spearmanr(x, y).statistic) < 1e-12


@given(whole)
def test_a_row_is_wholly_like_itself_and_unlike_its_opposite(a):
    a = a + np.linspace(0.01, 0.05, 5)
    assert np.allclose(spearman(a, a), 1)
    assert np.allclose(cosine(a, -a), -1)
    assert (top_overlap(a, a) == 1).all()


def test_cosine_is_the_textbook_quotient_and_nothing_for_zero_rows():
    a, b = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[4.0, 3.0], [1.0, 1.0]])
    got = cosine(a, b)
    assert abs(got[0] - 24 / 25) < 1e-15
    assert np.isnan(got[1])


def test_top_overlap_counts_shared_units_by_size_not_sign():
    a = np.array([[5.0, -4.0, 3.0, 0.1, 0.2]])
    b = np.array([[-0.1, 4.0, 0.3, 5.0, 9.0]])
    assert top_overlap(a, b)[0] == 1 / 3


def test_chance_of_top_overlap_is_k_over_units():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20_000, 10)), rng.normal(size=(20_000, 10))
    got = top_overlap(a, b)
    assert abs(got.mean() - 0.3) < 3 * got.std() / np.sqrt(20_000)
