"""How sure is an excess over strangers?  One stranger is one draw, and its luck is no part of an interval over rows.

Two proxies of strangers differ from each other by more than rows explain: by their teachers and their seeds.  With
several strangers that spread is seen, and goes into the interval; beside one it stays unknown.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.rates import Span, critical, mean

Floats = NDArray[np.float64]
FEW = 3
"""Strangers from which on the degrees of freedom are those of spread and rows together; two tell too little of it."""
ALIKE = 1e-12
"""A spread below this is none."""
ANYWHERE = (-math.inf, math.inf)


def excess_over(
    values: Floats, controls: Floats, *, level: float = 0.95, span: Span = ANYWHERE
) -> tuple[Interval, float]:
    """Return value minus mean control, with an interval over rows and strangers, and the chance of one as large.

    Under the null the proxy is one more stranger: its mean differs from that of k others with the variance of a
    prediction, ``s^2 (1 + 1/k)``, to which that of the mean over rows is added; Student's t with the degrees of both
    together (Satterthwaite 1946), with k - 1 for two strangers.  The rows' noise is in ``s^2`` already, so that where
    strangers hardly differ fewer false alarms are raised than the level allows.

    Parameters
    ----------
    values : array of shape (n,)
        Likeness of the proxy to the teacher, row by row; NaN where there is none.
    controls : array of shape (k, n)
        Likeness of each stranger's proxy to the teacher on the same rows, k at least 2.
    level : float
    span : (float, float)
        Smallest and largest value of a row.

    Returns
    -------
    interval : Interval
    p : float
        One-sided.

    Raises
    ------
    InvalidInput
        With fewer than two strangers or other rows.

    Notes
    -----
    Strangers' proxies beside strangers' teachers would not tell the spread much better.  Most of it is how good a proxy
    is at all: on census income, trees of 16 leaves differ by 1.0 points of agreement in that, and by 0.5 in whom they
    suit (rule lists 0.8 and 0.6, students 0.5 and 0.4).  Of the former, k strangers show k values, whoever judges them.
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
    excess = values[rows] - controls[:, rows].mean(axis=0)
    value, over_rows = float(excess.mean()), float(excess.var(ddof=1)) / n
    each, widest = controls[:, rows].mean(axis=1), span[1] - span[0]
    if math.sqrt(float(each.var(ddof=1)) * (1 + 1 / k) + over_rows) <= ALIKE:
        # rows and strangers that are all alike do not prove that others are
        return mean(excess, level=level, span=(-widest, widest)), 1.0
    error, degrees = _predicted(each, over_rows, n)
    return excess_within(value, each, over_rows, n, level=level, span=span), float(stdtr(degrees, -value / error))


def excess_within(
    value: float, each: Floats, over_rows: float, n: int, *, level: float = 0.95, span: Span = ANYWHERE
) -> Interval:
    """Return the interval of an excess whose variance over rows is known, as `excess_over` does.

    Parameters
    ----------
    value : float
        Of the proxy, minus the strangers' mean.
    each : array of shape (k,)
        What each stranger scores over all rows, k at least 2.
    over_rows : float
        Variance of `value` over rows drawn again.
    n : int
        Rows.
    level : float
    span : (float, float)
        Smallest and largest value of a row.
    """
    error, degrees = _predicted(each, over_rows, n)
    if error <= ALIKE:
        return unknown("rows and strangers that are all alike do not prove that others are", n, level)
    half, widest = critical(level, degrees) * error, span[1] - span[0]
    method = f"Student t over rows and {len(each)} strangers"
    return Interval(value, max(value - half, -widest), min(value + half, widest), n, level, method)


def _predicted(each: Floats, over_rows: float, n: int) -> tuple[float, float]:
    """Return standard error and degrees of freedom of an excess over strangers."""
    k = len(each)
    between = float(each.var(ddof=1)) * (1 + 1 / k)
    error = math.sqrt(between + over_rows)
    return error, _degrees(between, over_rows, k, n) if error > ALIKE else k - 1


def control_over(controls: Floats, *, level: float = 0.95, span: Span = ANYWHERE) -> Interval:
    """Return what strangers score on average, with an interval over rows and strangers.

    Parameters
    ----------
    controls : array of shape (k, n)
        As in `excess_over`.
    level : float
    span : (float, float)
        Smallest and largest value of a row.
    """
    rows = ~np.isnan(controls).any(axis=0)
    n, k = int(rows.sum()), len(controls)
    if n < 2 or k < 2:
        return unknown("fewer than two rows have all values" if n < 2 else "fewer than two strangers", n, level)
    each = controls[:, rows].mean(axis=0)
    value, over_rows = float(each.mean()), float(each.var(ddof=1)) / n
    between = float(controls[:, rows].mean(axis=1).var(ddof=1)) / k
    if between + over_rows <= ALIKE**2:
        return mean(each, level=level, span=span)
    half = critical(level, _degrees(between, over_rows, k, n)) * math.sqrt(between + over_rows)
    method = f"Student t over rows and {k} strangers"
    return Interval(value, max(value - half, span[0]), min(value + half, span[1]), n, level, method)


def counted_over(value: float, controls: Floats, n: int, *, level: float = 0.95) -> tuple[Interval, Interval]:
    """Return control and excess where every row was counted, so that only strangers differ by chance.

    Parameters
    ----------
    value : float
        Of the proxy.
    controls : array of shape (k,)
        Of each stranger's proxy, k at least 2.
    n : int
        Rows that were counted.
    level : float
    """
    k = len(controls)
    average, spread = float(controls.mean()), critical(level, k - 1) * float(controls.std(ddof=1))
    method = f"Student t over {k} strangers, all rows counted"
    near, far = spread / math.sqrt(k), spread * math.sqrt(1 + 1 / k)
    more = value - average
    return (
        Interval(average, average - near, average + near, n, level, method),
        Interval(more, more - far, more + far, n, level, method),
    )


def _degrees(between: float, over_rows: float, k: int, n: int) -> float:
    if k < FEW:
        return k - 1
    whole = between + over_rows
    return whole**2 / (between**2 / (k - 1) + over_rows**2 / (n - 1))
