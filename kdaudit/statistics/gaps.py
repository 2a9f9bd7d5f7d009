"""How sure is a difference, a ratio, a contrast?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.rates import Span, mean, weighted_mean


def contrast(parts: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """Return the interval of a weighted sum of independent estimates, from their own intervals (MOVER).

    The distance from the sum to its end is the root of the sum of squares of the parts' distances to the ends that lie
    that way (Newcombe 1998, method 10, for a difference of rates; Zou and Donner 2008 for any intervals).

    Parameters
    ----------
    parts : sequence of Interval
        Independent, of one level.
    weights : sequence of float
        One a part, such as (1, -1).

    Raises
    ------
    InvalidInput
        If levels differ or weights are too few.
    """
    if len(parts) != len(weights) or len({part.level for part in parts}) != 1:
        raise InvalidInput("a contrast needs intervals of one level and a weight for each")
    n, level = sum(part.n for part in parts), parts[0].level
    for part in parts:
        if not part.known:
            return unknown(part.method, n, level)
    value = sum(w * part.value for w, part in zip(weights, parts, strict=True))
    ends = [sorted((w * part.low, w * part.high)) for w, part in zip(weights, parts, strict=True)]
    middles = [w * part.value for w, part in zip(weights, parts, strict=True)]
    below = math.hypot(*(m - end[0] for m, end in zip(middles, ends, strict=True)))
    above = math.hypot(*(end[1] - m for m, end in zip(middles, ends, strict=True)))
    method = " and ".join(dict.fromkeys(part.method for part in parts))
    return Interval(value, value - below, value + above, n, level, f"MOVER of {method}")


def difference(first: Interval, second: Interval) -> Interval:
    """Return the interval of `first` minus `second`, two independent estimates of one level (Newcombe 1998)."""
    return contrast((first, second), (1.0, -1.0))


def ratio(first: Interval, second: Interval) -> Interval:
    """Return the interval of `first` over `second`, two independent amounts that are not negative (MOVER-R).

    Donner and Zou 2012; for symmetric intervals it is Fieller's.  Unknown where the second's interval reaches 0.
    """
    n = first.n + second.n
    if first.level != second.level:
        raise InvalidInput("a ratio needs intervals of one level")
    for part in (first, second):
        if not part.known:
            return unknown(part.method, n, first.level)
    if first.low < 0:
        return unknown("the numerator may be negative", n, first.level)
    if second.low <= 0:
        return unknown("the denominator may be zero", n, first.level)
    a, b = first.value, second.value

    def root(x: float, y: float) -> float:
        return math.sqrt(max((a * b) ** 2 - x * (2 * a - x) * y * (2 * b - y), 0.0))

    # the lower end is written with the root below, since 2 b - high may be zero
    top, bottom = first.low * (2 * a - first.low), a * b + root(first.low, second.high)
    low = top / bottom if top > 0 else 0.0
    high = (a * b + root(first.high, second.low)) / (second.low * (2 * b - second.low))
    return Interval(a / b, low, high, n, first.level, f"MOVER-R of {first.method}")


def paired(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    pool: int | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Interval:
    """Return the interval of the mean of `first` minus `second` over the rows that have both.

    Parameters
    ----------
    first, second : array of shape (n,)
        Values of the same rows; NaN where a row has none.
    weights : array of shape (n,), optional
        Sampling weights; see `kdaudit.statistics.rates.weighted_mean`.  No pool is thought of then.
    pool : int, optional
        See `kdaudit.statistics.rates.mean`.
    level : float
    span : (float, float), optional
        Smallest and largest value of a row, on either side; 0 and 1 where all values are decisions.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if span is None:
        known = np.concatenate([a[~np.isnan(a)], b[~np.isnan(b)]])
        span = (0.0, 1.0) if np.isin(known, (0, 1)).all() else (-math.inf, math.inf)
    widest = span[1] - span[0]
    if weights is None:
        interval = mean(a - b, pool=pool, level=level, span=(-widest, widest))
    else:
        interval = weighted_mean(a - b, weights, level=level, span=(-widest, widest))
    return replace(interval, method=f"{interval.method}, paired") if interval.known else interval


def shifted(interval: Interval, by: float) -> Interval:
    """Return the interval of an estimate minus a number known exactly, such as a proxy's value over the whole pool."""
    return replace(interval, value=interval.value - by, low=interval.low - by, high=interval.high - by)
