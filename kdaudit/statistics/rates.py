"""How sure is one mean?  Rates of decisions, means of numbers, drawn from a fixed pool or from a population.

Only the random choice of rows is trusted.  Rows drawn without replacement from a pool of N have a smaller variance, by
(N - n) / (N - 1) (Cochran 1977); a value of all rows of the pool is exact.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, gammaln, ndtri, stdtrit

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, counted, unknown

Span = tuple[float, float]
Floats = NDArray[np.float64]


def critical(level: float, dof: float = math.inf) -> float:
    """Return the half-width in standard errors: Student's t with `dof` degrees of freedom, normal where infinite."""
    upper = (1 + level) / 2
    return float(ndtri(upper)) if math.isinf(dof) else float(stdtrit(dof, upper))


def wilson(hits: float, n: float, *, level: float = 0.95) -> Interval:
    """Return the score interval of a rate (Wilson 1927); `hits` and `n` may be effective numbers."""
    if n <= 0:
        return unknown("no rows", 0, level)
    p, z2 = hits / n, critical(level) ** 2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(p, max(0.0, min(centre - half, p)), min(1.0, max(centre + half, p)), round(n), level, "Wilson")


def clopper_pearson(hits: int, n: int, *, level: float = 0.95) -> Interval:
    """Return the exact interval of a rate (Clopper and Pearson 1934), which never covers less than `level`."""
    if n <= 0:
        return unknown("no rows", 0, level)
    tail = (1 - level) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return Interval(hits / n, low, high, n, level, "Clopper-Pearson")


def hypergeometric(hits: int, n: int, pool: int, *, level: float = 0.95) -> Interval:
    """Return the exact interval of a pool's rate from `n` of its rows, drawn without replacement (Wright 1991).

    The ends are the fewest and the most hits in the pool under which `hits` or more, `hits` or fewer, are no rarer than
    half of ``1 - level``.
    """
    if n <= 0:
        return unknown("no rows", 0, level)
    tail = (1 - level) / 2
    fewest, most = hits, pool - (n - hits)
    # in exchange of hits and misses the most hits are the fewest misses
    low = _fewest(hits, n, pool, tail, (fewest, most))
    high = pool - _fewest(n - hits, n, pool, tail, (pool - most, pool - fewest))
    return Interval(hits / n, low / pool, high / pool, n, level, "exact hypergeometric")


def _fewest(hits: int, n: int, pool: int, tail: float, bounds: tuple[int, int]) -> int:
    """Return the smallest number of hits in the pool under which `hits` or more have a probability above `tail`."""
    low, high = bounds
    while low < high:
        middle = (low + high) // 2
        if _at_least(hits, n, middle, pool) > tail:
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(hits: int, n: int, inside: int, pool: int) -> float:
    """Return the probability of `hits` or more among `n` rows of a pool with `inside` hits."""
    x = np.arange(max(hits, n - (pool - inside)), min(n, inside) + 1, dtype=np.float64)

    def choose(a: float, b: Floats | float) -> Floats:
        out: Floats = gammaln(a + 1) - gammaln(np.asarray(b) + 1) - gammaln(a - np.asarray(b) + 1)
        return out

    return float(np.exp(choose(inside, x) + choose(pool - inside, n - x) - choose(pool, n)).sum())


def rate(hits: int, n: int, *, pool: int | None = None, level: float = 0.95, exact: bool = False) -> Interval:
    """Return the interval of a rate.

    Parameters
    ----------
    hits, n : int
        Yes-answers, and rows asked.
    pool : int, optional
        Rows from which the `n` were drawn without replacement, if the claim is about these; None for a population.
    level : float
    exact : bool
        Never cover less than `level`: Clopper-Pearson, or hypergeometric in a pool.  Otherwise Wilson, in a pool with
        ``n (pool - 1) / (pool - n)`` as effective number of rows.

    Returns
    -------
    Interval
        Unknown without rows; without width where the whole pool was asked.
    """
    if n <= 0:
        return unknown("no rows", 0, level)
    if pool is None:
        return clopper_pearson(hits, n, level=level) if exact else wilson(hits, n, level=level)
    if pool <= n:
        return counted(hits / n, n, level)
    if exact:
        return hypergeometric(hits, n, pool, level=level)
    larger = n * (pool - 1) / (pool - n)
    return replace(wilson(hits / n * larger, larger, level=level), n=n)


def mean(
    values: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    pool: int | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Interval:
    """Return the interval of a mean over rows; NaN values are left out, and n counts the others.

    Parameters
    ----------
    values : array of shape (n,)
        0 and 1: Wilson.  -1, 0 and 1: differences of decisions, Agresti and Min (2005).  Else Student's t.
    weights : array of shape (n,), optional
        Of rows, at least 0; the variance is that of a ratio, degrees of freedom follow Kish's effective number.
    pool : int, optional
        Rows from which these were drawn without replacement; None for a population.
    level : float
    span : (float, float), optional
        Smallest and largest value that a row can have.

    Returns
    -------
    Interval
        Values that are all equal do not prove that the others are: with a finite `span`, the interval allows for the
        largest share of other rows that chance could still hide at this `level`; without, it is unknown.
        The same holds for a single row.
    """
    y, w = _kept(values, weights)
    return _around((y, w), effective(w), pool, level, span)


def weighted_mean(values: ArrayLike, weights: ArrayLike, *, level: float = 0.95, span: Span | None = None) -> Interval:
    """Return the interval of the mean of rows that were sampled with unequal chances (Hajek 1971).

    As `mean`, but rows of which few heavy ones decide are worth no more than their own scatter says: the effective
    number is the smaller of Kish's and of that by which the linearised variance is the plain one (the design effect;
    intervals of rates with it: Korn and Graubard 1998).

    Parameters
    ----------
    values, weights : array of shape (n,)
    level : float
    span : (float, float), optional
    """
    y, w = _kept(values, weights)
    many = effective(w)
    if len(y):
        around = (y - np.average(y, weights=w)) ** 2
        linear = float((w**2 * around).sum())
        many = min(many, float((w * around).sum() * w.sum()) / linear) if linear > 0 else many
    return _around((y, w), many, None, level, span)


def _around(rows: tuple[Floats, Floats], many: float, pool: int | None, level: float, span: Span | None) -> Interval:
    """Return the interval of a mean of rows with weights that are worth `many` of one weight."""
    (y, w), n = rows, len(rows[0])
    if n == 0:
        return unknown("no rows", 0, level)
    value = float(np.average(y, weights=w))
    if pool is not None and pool <= n:
        return counted(value, n, level)
    left = 1.0 if pool is None else (pool - n) / (pool - 1)
    if span in (None, (0, 1)) and np.isin(y, (0, 1)).all():
        return replace(wilson(value * many / left, many / left, level=level), value=value, n=n)
    if n == 1 or np.ptp(y) <= 1e-12 * max(1.0, abs(value)):
        return _constant(value, n, pool, level, span)
    if span in (None, (-1, 1)) and np.isin(y, (-1, 0, 1)).all():
        up, down = (float(w[y == sign].sum() / w.sum()) * many for sign in (1, -1))
        return replace(_matched(up, down, many, left, level), value=value, n=n)
    deviation = w * (y - value)
    error = math.sqrt(left * n / (n - 1) * float((deviation**2).sum())) / float(w.sum())
    half = critical(level, max(many - 1, 1.0)) * error
    low, high = span or (-math.inf, math.inf)
    return Interval(value, max(value - half, low), min(value + half, high), n, level, "Student t")


def linearised(values: ArrayLike, weights: ArrayLike) -> Floats:
    """Return numbers whose plain mean, and its variance, are those of the weighted mean of `values` (Woodruff 1971).

    So whatever is known of plain means, such as the spread over strangers, holds of weighted ones as well.

    Parameters
    ----------
    values : array of shape (..., n)
        One or several values a row; a row in which one of them is NaN is left out of all.
    weights : array of shape (n,)
        At least 0; rows that weigh nothing are left out.

    Returns
    -------
    array of the shape of `values`
        NaN where a row is left out.
    """
    y, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    rows = ~np.isnan(y.reshape(-1, y.shape[-1])).any(axis=0) & (w > 0)
    out = np.full(y.shape, np.nan)
    if rows.any():
        share = w[rows] / w[rows].mean()
        middle = np.average(y[..., rows], axis=-1, weights=share)[..., None]
        out[..., rows] = middle + share * (y[..., rows] - middle)
    return out


def effective(weights: ArrayLike) -> float:
    """Return of how many rows of one weight the mean would be as sure, if weights say nothing of values (Kish 1965)."""
    w = np.asarray(weights, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum()) if w.any() else 0.0


def _kept(values: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    y = np.asarray(values, dtype=np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(w) != len(y) or not np.isfinite(w).all() or (w < 0).any():
        raise InvalidInput(f"{len(y)} values need as many weights, finite and at least 0")
    rows = ~np.isnan(y) & (w > 0)
    return y[rows], w[rows]


def _matched(up: float, down: float, n: float, left: float, level: float) -> Interval:
    """Return the interval of a mean of -1, 0 and 1: half a row is added to each of the four cells of the table."""
    centre = (up - down) / (n + 2)
    variance = (up + down + 1 - (up - down) ** 2 / (n + 2)) / (n + 2) ** 2
    half, value = critical(level) * math.sqrt(left * variance), (up - down) / n
    low, high = max(-1.0, min(centre - half, value)), min(1.0, max(centre + half, value))
    return Interval(value, low, high, round(n), level, "Agresti-Min")


def _constant(value: float, n: int, pool: int | None, level: float, span: Span | None) -> Interval:
    if span is None or not all(map(math.isfinite, span)):
        why = "one value" if n == 1 else f"all {n} values are equal"
        return unknown(f"{why}, and how far others may lie is not known", n, level)
    unseen = rate(0, n, pool=pool, level=level, exact=True).high
    low, high = (value + unseen * (end - value) for end in span)
    return Interval(value, low, high, n, level, "exact bound: all values equal")
