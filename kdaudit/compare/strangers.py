"""Excess over several strangers: one stranger is one draw, and its luck is no part of an interval over rows.

Two proxies of strangers differ from each other by more than rows explain: by their seeds.  With several strangers that
spread is seen, and goes into the interval.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.rates import critical

Floats = NDArray[np.float64]


def excess_over(values: Floats, controls: Floats, *, level: float = 0.95) -> tuple[Interval, float]:
    """Return value minus mean control, with an interval over rows and strangers, and the chance of one as large.

    Under the null the proxy is one more stranger: its mean differs from that of k others with the variance of a
    prediction, ``s^2 (1 + 1/k)``, to which that of the mean over rows is added; Student's t with k - 1 degrees.

    Parameters
    ----------
    values : array of shape (n,)
        Likeness of the proxy to the teacher, row by row; NaN where there is none.
    controls : array of shape (k, n)
        Likeness of each stranger's proxy to the teacher on the same rows, k at least 2.
    level : float

    Returns
    -------
    interval : Interval
    p : float
        One-sided.

    Raises
    ------
    InvalidInput
        With fewer than two strangers or other rows.
    """
    if controls.ndim != 2 or len(controls) < 2 or controls.shape[1] != len(values):
        raise InvalidInput(
            f"controls of shape {controls.shape} for {len(values)} rows; (strangers, rows) with at least 2 strangers "
            "was expected: one says nothing of their spread"
        )
    rows = ~np.isnan(values) & ~np.isnan(controls).any(axis=0)
    n, k = int(rows.sum()), len(controls)
    if n < 2:
        return unknown("fewer than two rows have all values", n, level), 1.0
    means = controls[:, rows].mean(axis=1)
    excess = values[rows] - controls[:, rows].mean(axis=0)
    variance = float(means.var(ddof=1)) * (1 + 1 / k) + float(excess.var(ddof=1)) / n
    value, error = float(excess.mean()), math.sqrt(variance)
    half = critical(level, k - 1) * error
    p = float(stdtr(k - 1, -value / error)) if error > 0 else float(value <= 0)
    return Interval(value, value - half, value + half, n, level, f"Student t over rows and {k} strangers"), p
