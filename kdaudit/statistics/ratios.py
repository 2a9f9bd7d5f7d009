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


def quantile(y: Floats, chance: Floats, pool: int, share: float, *, level: float = 0.95) -> Estimate:
    """Return a quantile of a group by order statistics (Woodruff 1952), without a proxy's help.

    Parameters
    ----------
    y : array of shape (n,)
        NaN values are left out.
    chance : array of shape (n,)
    pool : int
        Rows of the group.
    share : float
        Which quantile, in (0, 1).
    level : float
    """
    rows = ~np.isnan(y)
    values, w = y[rows], 1 / chance[rows]
    n = len(values)
    if n < LEAST:
        nothing = unknown(f"{n} rows asked; a quantile needs at least {LEAST}", n, level)
        return Estimate(math.nan, math.nan, math.nan, n, pool, 0.0, nothing, math.nan, nothing, nothing.method)
    order = np.argsort(values, kind="stable")
    values, heights = values[order], np.cumsum(w[order]) / w.sum()

    def at(height: float) -> float:
        return float(values[min(int(np.searchsorted(heights, height - 1e-12)), n - 1)])

    middle = at(share)
    below = (values <= middle).astype(np.float64)
    # without a covariate that varies, the regression is the weighted mean
    found = weighted(below, 1 / w[order], np.zeros(n), np.zeros(pool), level=level, span=(0, 1)).interval
    low, high = at(share - (found.high - found.value)), at(share + (found.value - found.low))
    interval = Interval(middle, min(low, middle), max(high, middle), n, level, "Woodruff")
    why = "quantiles are told by order statistics"
    return Estimate(middle, math.nan, math.nan, n, pool, 0.0, interval, math.nan, interval, why)
