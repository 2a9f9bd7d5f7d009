"""Scores read as chances: against scikit-learn's likelihood, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from kdaudit.measures.chances import chances


def made(slope, intercept, n=4000, seed=0):
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, n)
    z = intercept + slope * np.log(score / (1 - score))
    return score, (rng.random(n) < 1 / (1 + np.exp(-z))).astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (8, -1), (0.3, 0.5), (-2, 0.2), (0, 0)])
def test_the_line_is_the_likeliest(slope, intercept):
    score, decision = made(slope, intercept)
    grid = np.linspace(0.05, 0.95, 19)
    x = np.log(score / (1 - score))[:, None]
    # Platt's targets as weights: each row counts for yes and for no
    up, down = decision.sum(), (1 - decision).sum()
    target = np.where(decision == 1, (up + 1) / (up + 2), 1 / (down + 2))
    model = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000)
    model.fit(np.r_[x, x], np.repeat([1, 0], len(x)), sample_weight=np.r_[target, 1 - target])
    expected = model.predict_proba(np.log(grid / (1 - grid))[:, None])[:, 1]
    assert np.allclose(chances(score, decision, grid), expected, atol=1e-4)


def test_decisions_that_a_score_parts_perfectly_give_a_steep_line():
    score = np.linspace(0.01, 0.99, 400)
    got = chances(score, (score > 0.6).astype(float), np.array([0.3, 0.59, 0.61, 0.9]))
    assert got[0] < 0.01
    assert got[3] > 0.99
    assert (np.diff(got) > 0).all()
    assert np.isfinite(got).all()


def test_nothing_to_learn_leaves_scores_as_they_are():
    grid = np.array([0.1, 0.9])
    assert chances(np.array([0.2, 0.4]), np.ones(2), grid) is grid
    assert chances(np.full(9, 0.3), np.arange(9) % 2.0, grid) is grid
    assert chances(np.empty(0), np.empty(0), grid) is grid


def test_gaps_are_left_out_and_extreme_scores_stay_finite():
    score, decision = made(3, 0, 200)
    with_gaps = np.r_[score, np.nan, 0.5], np.r_[decision, 1.0, np.nan]
    grid = np.array([0.0, 0.5, 1.0])
    got = chances(*with_gaps, grid)
    assert np.array_equal(got, chances(score, decision, grid))
    assert np.isfinite(got).all()
