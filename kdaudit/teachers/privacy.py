"""What noise on clipped answers is worth: (epsilon, delta) of the Gaussian mechanism, in closed form.

Dong, Roth and Su 2022: a sum whose sensitivity is s with normal noise of standard deviation r is mu-Gaussian
differentially private with mu = s / r; k releases compose to mu * sqrt(k); and it is (epsilon, delta)-private with
``delta = Phi(-epsilon / mu + mu / 2) - exp(epsilon) * Phi(-epsilon / mu - mu / 2)`` (Balle and Wang 2018, theorem 8).
"""

from __future__ import annotations

import math
from typing import Literal

from scipy.special import log_ndtr

from kdaudit.errors import InvalidInput

PRECISION = 1e-9
"""Relative width at which the search for epsilon ends."""
Neighbours = Literal["joined", "replaced"]
"""Two federations that must look alike: one with a client more, or one with another client in the place of one."""


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


def mu_of(releases: int, noise: float, neighbours: Neighbours) -> float:
    """Return what so many released rows compose to; infinite where there is no noise.

    Parameters
    ----------
    releases : int
        Distinct rows, from 0 up.
    noise : float
        Standard deviation of the noise as a multiple of the clip.
    neighbours : {"joined", "replaced"}
        A client more moves a sum by at most the clip, another one in its place by twice that.
    """
    if releases == 0:
        return 0.0
    return math.sqrt(releases) * (2.0 if neighbours == "replaced" else 1.0) / noise if noise else math.inf


def most_releases(epsilon: float, delta: float, noise: float, neighbours: Neighbours) -> int:
    """Return how many distinct rows may be released before the loss is above `epsilon`; 0 without noise.

    Raises
    ------
    InvalidInput
        If `epsilon` is below 0 or no number.
    """
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise InvalidInput(f"epsilon {epsilon:g} is no privacy loss; a number from 0 up was expected")
    low, high = 0, 1
    while epsilon_of(delta, mu_of(high, noise, neighbours)) <= epsilon:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if epsilon_of(delta, mu_of(middle, noise, neighbours)) <= epsilon:
            low = middle
        else:
            high = middle
    return low
