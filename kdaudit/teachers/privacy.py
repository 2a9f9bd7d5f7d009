"""What noise on clipped answers is worth: (epsilon, delta) of the Gaussian mechanism, in closed form.

Dong, Roth and Su 2022: a sum whose sensitivity is s with normal noise of standard deviation r is mu-Gaussian
differentially private with mu = s / r; k releases compose to mu * sqrt(k); and it is (epsilon, delta)-private with
``delta = Phi(-epsilon / mu + mu / 2) - exp(epsilon) * Phi(-epsilon / mu - mu / 2)`` (Balle and Wang 2018, theorem 8).
"""

from __future__ import annotations

import math

from scipy.special import log_ndtr

from kdaudit.errors import InvalidInput

PRECISION = 1e-9
"""Relative width at which the search for epsilon ends."""


def delta_of(epsilon: float, mu: float) -> float:
    """Return the chance beyond which epsilon does not hold.

    Parameters
    ----------
    epsilon : float
        From 0 up.
    mu : float
        Above 0: sensitivity of all releases together over the noise's standard deviation.
    """
    first = log_ndtr(-epsilon / mu + mu / 2)
    second = epsilon + log_ndtr(-epsilon / mu - mu / 2)
    # a difference of two near numbers: taken from their logarithms
    return float(math.exp(first) * -math.expm1(min(0.0, second - first)))


def epsilon_of(delta: float, mu: float) -> float:
    """Return the least epsilon that holds but for a chance of `delta`; infinite where there is no noise.

    Parameters
    ----------
    delta : float
        Above 0, below 1.
    mu : float
        From 0 up.

    Raises
    ------
    InvalidInput
        If `delta` is no such number.
    """
    if not 0 < delta < 1:
        raise InvalidInput(f"delta {delta:g} is no small chance; a number above 0 and below 1 was expected")
    if mu == 0:
        return 0.0
    if math.isinf(mu):
        return math.inf
    low, high = 0.0, 1.0
    if delta_of(0.0, mu) <= delta:
        return 0.0
    while delta_of(high, mu) > delta:
        high *= 2
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, mu) > delta else (low, middle)
    return high
