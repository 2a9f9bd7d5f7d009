"""The law by which errors fall as models grow, with bands from repeated runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from kdaudit.interval import Interval

Floats = NDArray[np.float64]
BEYOND = 4.0
"""How far beyond the largest size the law is drawn: no extrapolation further than that."""
DRAWS = 200
"""Of the bootstrap."""


@dataclass(frozen=True)
class Law:
    """The law ``error = e + a * N ** -b`` of models of size N.

    Parameters
    ----------
    e, a, b : Interval
        The error that no size removes, its scale and its exponent; with bootstrap bands over repetitions.
    sizes : array of shape (points,)
        Where the curve is drawn.
    error, low, high : array of shape (points,)
        The curve and its band.
    gain : tuple of Interval
        By how much the error falls when the size is doubled, at each size.
    """

    e: Interval
    a: Interval
    b: Interval
    sizes: Floats
    error: Floats
    low: Floats
    high: Floats
    gain: tuple[Interval, ...]


def fit_law(
    counts: Sequence[float],
    errors: Sequence[Floats],
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    level: float = 0.95,
) -> Law:
    """Fit ``error = e + a * N ** -b`` by least squares; bands by drawing repetitions anew within each size.

    Parameters
    ----------
    counts : sequence of float
        Sizes, rising; at least 4, since the law has three numbers.
    errors : sequence of array of shape (repetitions,)
        From 0 to 1, of each size.
    rng : Generator
    draws : int
    level : float

    References
    ----------
    Busbridge et al. 2025 for distillation; the plain law of Hestness et al. 2017.
    """
    sizes = np.asarray(counts, dtype=np.float64)
    best = _fitted(sizes, np.array([x.mean() for x in errors]))
    again = np.array(
        [_fitted(sizes, np.array([rng.choice(x, len(x)).mean() for x in errors]), best) for _ in range(draws)]
    )
    grid = np.geomspace(sizes[0], sizes[-1] * BEYOND, 60)
    bands = np.array([_law(grid, one) for one in again])
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(bands, [tail, 100 - tail], axis=0)
    n = sum(len(x) for x in errors)

    def band(value: float, found: Floats) -> Interval:
        ends = np.percentile(found, [tail, 100 - tail])
        return Interval(
            value, min(value, float(ends[0])), max(value, float(ends[1])), n, level, "bootstrap over repetitions"
        )

    gain = tuple(band(float(_gain(size, best)), np.array([_gain(size, one) for one in again])) for size in sizes)
    e, a, b = (band(float(best[k]), again[:, k]) for k in range(3))
    return Law(e, a, b, grid, _law(grid, best), low, high, gain)


def _law(sizes: Floats | float, law: Floats) -> Any:  # noqa: ANN401 - as long as `sizes`
    return law[0] + law[1] * np.asarray(sizes) ** -law[2]


def _gain(size: float, law: Floats) -> float:
    return float(_law(size, law) - _law(2 * size, law))


def _fitted(sizes: Floats, errors: Floats, start: Floats | None = None) -> Floats:
    """Return e, a and b, none below 0; from several starts, since the sum of squares has more than one valley."""
    first = float(sizes[0])
    # with N in units of the smallest one a is the error that the smallest one has beyond e
    scaled = sizes / first
    starts = [(0.5 * errors.min(), max(errors[0] - 0.5 * errors.min(), 1e-3), b) for b in (0.3, 1.0, 2.0)]
    if start is not None:
        starts = [(start[0], max(start[1] * first ** -start[2], 1e-6), start[2])]
    found = [
        least_squares(
            lambda x: x[0] + x[1] * scaled ** -x[2] - errors, one, bounds=([0, 0, 0], [1, 2, 5]), x_scale="jac"
        )
        for one in (np.clip(s, [0, 1e-9, 1e-6], [1, 2, 5]) for s in starts)
    ]
    e, a, b = min(found, key=lambda r: r.cost).x
    return np.array([e, a * first**b, b])
