"""How sure is a ratio of two means, or a quantile, of rows that were chosen with unequal chances?"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from kdaudit.interval import Interval, unknown
from kdaudit.statistics.active import weighted
from kdaudit.statistics.covariate import LEAST, Estimate
from kdaudit.statistics.gaps import shifted
from kdaudit.statistics.rates import Floats

ROUNDS = 2


def ratio_of_means(
    top: Floats,
    bottom: Floats,
    chance: Floats,
    asked: tuple[Floats, Floats],
    pool: tuple[Floats, Floats],
    *,
    level: float = 0.95,
) -> Estimate:
    """Return the mean of `top` over the mean of `bottom`, such as outcomes among those decided yes.

    The ratio is linearised: the mean of ``(top - R bottom) / mean(bottom)`` is its error, and R is mended once more by
    it (Sarndal, Swensson and Wretman 1992, section 5.6).

    Parameters
    ----------
    top, bottom : array of shape (n,)
        Of the rows asked; NaN where the teacher failed.
    chance : array of shape (n,)
    asked, pool : (array, array)
        The proxy's values of top and bottom, shape (n,) and (N,).
    level : float

    Returns
    -------
    Estimate
        Unknown where fewer than `LEAST` rows asked have a `bottom` above 0.
    """
    rows = ~np.isnan(top) & ~np.isnan(bottom)
    known, size = int((bottom[rows] > 0).sum()), len(pool[0])
    if known < LEAST:
        nothing = unknown(f"{known} rows asked count for it; at least {LEAST} are needed", known, level)
        return Estimate(math.nan, math.nan, math.nan, known, size, 0.0, nothing, math.nan, nothing, nothing.method)
    below = weighted(bottom, chance, asked[1], pool[1], level=level).value
    w = 1 / chance[rows]
    ratio = float((w * top[rows]).sum() / (w * bottom[rows]).sum())
    for _ in range(ROUNDS):
        start = ratio
        errors = [(a - start * b) / below for a, b in ((top, bottom), asked, pool)]
        found = weighted(errors[0], chance, errors[1], errors[2], level=level)
        ratio = start + found.value
    plain, whole = (shifted(part, -start) for part in (found.plain, found.plain_population))
    return replace(found, value=ratio, plain=plain, plain_population=whole)


def quantile(
    y: Floats, chance: Floats, s_asked: Floats, s_pool: Floats, share: float, *, level: float = 0.95
) -> Estimate:
    """Return a quantile of a group by order statistics (Woodruff 1952), sharpened by a proxy.

    The share of rows at or below a value is estimated with whether the proxy's own value lies at or below the proxy's
    quantile as covariate; what it moves that share by, and the share's interval, are carried over to the values.

    Parameters
    ----------
    y : array of shape (n,)
        NaN values are left out.
    chance : array of shape (n,)
    s_asked, s_pool : array of shape (n,), (N,)
        The proxy's values in the rows asked, and in all rows of the group.
    share : float
        Which quantile, in (0, 1).
    level : float
    """
    rows = ~np.isnan(y)
    values, w = y[rows], 1 / chance[rows]
    n, pool = len(values), len(s_pool)
    if n < LEAST:
        nothing = unknown(f"{n} rows asked; a quantile needs at least {LEAST}", n, level)
        return Estimate(math.nan, math.nan, math.nan, n, pool, 0.0, nothing, math.nan, nothing, nothing.method)
    order = np.argsort(values, kind="stable")
    values, heights = values[order], np.cumsum(w[order]) / w.sum()

    def at(height: float) -> float:
        return float(values[min(int(np.searchsorted(heights, height - 1e-12)), n - 1)])

    middle = at(share)
    below = (values <= middle).astype(np.float64)
    asked, everywhere = np.asarray(s_asked, dtype=np.float64)[rows][order], np.asarray(s_pool, dtype=np.float64)
    known = everywhere[~np.isnan(everywhere)]
    end = float(np.quantile(known, share)) if len(known) else 0.0
    helps = [np.where(np.isnan(x), share, x <= end) for x in (asked, everywhere)]
    found = weighted(below, 1 / w[order], helps[0], helps[1], level=level, span=(0, 1))
    plain = weighted(below, 1 / w[order], np.zeros(n), np.zeros(pool), level=level, span=(0, 1)).interval
    # the rows asked may lie lower than the pool does, as the proxy tells of both
    moved = found.interval.value - float(np.average(below, weights=w[order]))

    def carried(interval: Interval, moved: float, method: str) -> Interval:
        value = at(share - moved)
        low = at(share - moved - (interval.high - interval.value))
        high = at(share - moved + (interval.value - interval.low))
        return Interval(value, min(low, value), max(high, value), n, level, method)

    alone, sharp = carried(plain, 0.0, "Woodruff"), carried(found.interval, moved, "Woodruff, sharpened by the proxy")
    # given as it is: an order statistic has no variance to be combined
    return Estimate(sharp.value, math.nan, math.nan, n, pool, 0.0, sharp, math.nan, alone, "told by order statistics")
