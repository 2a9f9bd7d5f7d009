import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from kdaudit.errors import InvalidInput
from kdaudit.teachers.privacy import delta_of, epsilon_of


@pytest.mark.parametrize(
    ("sigma", "releases", "epsilon"),
    # of an independent accountant (privacy loss distributions), to three digits
    [(5, 1, 0.726), (20, 100, 1.993), (50, 1000, 2.594), (100, 5000, 2.943)],
)
def test_epsilon_is_that_of_an_independent_accountant(sigma, releases, epsilon):
    assert epsilon_of(1e-5, math.sqrt(releases) / sigma) == pytest.approx(epsilon, abs=6e-4)


def slow_delta(epsilon, mu):
    """The definition: how far one normal law may exceed exp(epsilon) times its neighbour, integrated."""
    value, _ = quad(
        lambda x: max(0.0, norm.pdf(x, mu, 1) - math.exp(epsilon) * norm.pdf(x, 0, 1)),
        -12,
        12 + mu,
        limit=400,
        points=[mu / 2 + epsilon / mu] if mu / 2 + epsilon / mu < 12 + mu else None,
    )
    return value


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 4), st.floats(0.2, 3))
def test_delta_is_its_definition(epsilon, mu):
    assert delta_of(epsilon, mu) == pytest.approx(slow_delta(epsilon, mu), abs=1e-7)


@given(st.floats(1e-9, 0.4), st.floats(0.01, 20))
def test_epsilon_and_delta_are_inverse(delta, mu):
    epsilon = epsilon_of(delta, mu)
    assert delta_of(epsilon, mu) <= delta * (1 + 1e-6)
    if epsilon > 0:
        assert delta_of(epsilon * (1 - 1e-6), mu) >= delta * (1 - 1e-3)
    assert epsilon_of(delta, mu * 1.1) >= epsilon


def test_ends():
    assert epsilon_of(1e-5, 0) == 0
    assert epsilon_of(1e-5, math.inf) == math.inf
    assert np.isfinite(epsilon_of(1e-12, 1e-6))
    with pytest.raises(InvalidInput, match="below 1"):
        epsilon_of(0, 1)
