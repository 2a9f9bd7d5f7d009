"""Which rows are worth asking?  Those where the proxy may be wrong; half of the chance goes evenly to all rows.

Rows are drawn with chances that rise with the proxy's expected error, a fixed number in each group, and the estimate is
a weighted regression of the teacher's answers on the proxy's.  Slope and intercept come from the rows asked, so a proxy
that is sure and wrong costs next to nothing; the even half bounds all weights, so that validity rests on the choice of
rows alone.

Active inference: Zrnic and Candes 2024.  Regression in a sample of unequal chances: Cassel, Sarndal and Wretman 1976.
Fixed size with random numbers that questions share: Rosen 1997 (Pareto sampling).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.choice import allocation
from kdaudit.statistics.covariate import CARRYING, LEAST, Estimate, assisted
from kdaudit.statistics.rates import Floats, Span, critical, mean, wilson

EVEN = 0.5
"""Share of the chance that goes to all rows alike: less would gain little and let a wrong proxy cost much."""
WORTH = 0.95
"""Width beside that of simple random choice which the proxy's expected errors must promise: for less, simple random
rows are asked, whose plain interval stands where the proxy turns out useless."""
FEW_ROWS = 100
"""Rows asked in a group below which simple random choice must expect as many hits as the active one else must."""
METHOD = "weighted regression on actively chosen rows, Student t"


@dataclass(frozen=True, eq=False)
class Design:
    """Which rows are asked, and how likely each was.

    Parameters
    ----------
    chosen : array of shape (n,)
        Positions of the rows to ask, rising.
    chance : array of shape (N,)
        Each row's chance of being chosen; 0 where it never is.
    """

    chosen: NDArray[np.int64]
    chance: Floats

    @property
    def asked(self) -> Floats:
        """Chances of the rows chosen, shape (n,)."""
        return self.chance[self.chosen]


def uneven(chance: Floats) -> bool:
    """Return whether rows of one group were chosen with chances that differ by more than rounding."""
    return bool(len(chance)) and float(np.ptp(chance)) > 1e-9 * float(chance.max())


def inclusion(errors: ArrayLike, n: int, *, even: float = EVEN) -> Floats:
    """Return each row's chance of being among `n` rows.

    Parameters
    ----------
    errors : array of shape (N,)
        Expected squared error of the proxy in each row, at least 0; NaN counts as the largest.
    n : int
        At most N.
    even : float
        Share of the chance that goes to all rows alike, in (0, 1].

    Returns
    -------
    array of shape (N,)
        In [0, 1], with sum n: proportional to ``even / N + (1 - even) sqrt(error) / sum``, where that is below 1.
    """
    e = np.asarray(errors, dtype=np.float64)
    size = len(e)
    if not 0 <= n <= size or not 0 < even <= 1:
        raise InvalidInput(f"{n} of {size} rows cannot be asked with an even share of {even}")
    known = e[~np.isnan(e)]
    root = np.sqrt(np.maximum(np.nan_to_num(e, nan=float(known.max()) if len(known) else 1.0), 0.0))
    total = float(root.sum())
    share = np.full(size, 1 / max(size, 1))
    if total > 0:
        share = even / size + (1 - even) * root / total
    out = np.zeros(size)
    full = np.zeros(size, dtype=bool)
    # a chance above 1 is cut, and what it loses goes to the others, which may then exceed 1 themselves
    while n - full.sum() > 0:
        rest = ~full
        out[rest] = share[rest] * (n - full.sum()) / share[rest].sum()
        over = rest & (out >= 1)
        out[over] = 1.0
        if not over.any():
            break
        full |= over
    return out


def drawn(chance: Floats, priority: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the positions of a fixed number of rows, drawn with given chances (Pareto sampling, Rosen 1997).

    The rows with the smallest ``odds(u) / odds(chance)`` are taken, u being the row's own random number: questions that
    share these numbers share rows wherever their chances are alike.  With equal chances it is simple random choice.

    Parameters
    ----------
    chance : array of shape (N,)
        Their sum is the number of rows.
    priority : array of shape (N,), dtype uint64
        See `kdaudit.statistics.choice.priorities`.
    """
    n = round(float(chance.sum()))
    if n == 0:
        return np.empty(0, dtype=np.int64)
    u = (priority.astype(np.float64) + 0.5) / 2.0**64
    with np.errstate(divide="ignore", invalid="ignore"):
        rank = u / (1 - u) * ((1 - chance) / chance)
    rank[chance <= 0], rank[chance >= 1] = np.inf, -1.0
    last = np.partition(rank, n - 1)[n - 1]
    below = np.flatnonzero(rank < last)
    # rows that tie at the end: those that stand first
    return np.sort(np.concatenate([below, np.flatnonzero(rank == last)[: n - len(below)]]))


def spread(
    groups: NDArray[np.int64],
    n: int,
    priority: NDArray[np.uint64],
    errors: Floats | None = None,
    hits: Floats | None = None,
) -> Design:
    """Return a choice of about `n` rows, as many from each group, inside it by the proxy's expected errors.

    Parameters
    ----------
    groups : array of shape (N,)
        Group of each row, from 0; negative: never chosen.
    n : int
    priority : array of shape (N,), dtype uint64
    errors : array of shape (N,), optional
        Expected squared errors; None: simple random choice.
    hits : array of shape (N,), optional
        Chance of yes: a group of which fewer than `LEAST` yes or no are expected gets simple random choice, under which
        the exact interval of a rate stands.
    """
    if len(groups) != len(priority) or n < 0:
        raise InvalidInput(f"{len(groups)} rows need as many priorities, and at least 0 rows to be asked")
    return picked(groups, likelihoods(groups, n, errors, hits), priority)


def likelihoods(groups: NDArray[np.int64], n: int, errors: Floats | None, hits: Floats | None) -> Floats:
    """Return the chance with which `spread` chooses each row, shape (N,); nothing is drawn."""
    present, sizes = np.unique(groups[groups >= 0], return_counts=True)
    chance = np.zeros(len(groups))
    for group, count in zip(present, allocation(sizes, n), strict=True):
        rows = np.flatnonzero(groups == group)
        known = None if hits is None else hits[rows]
        chance[rows] = _inside(len(rows), int(count), None if errors is None else errors[rows], known)
    return chance


def _inside(size: int, count: int, errors: Floats | None, hits: Floats | None) -> Floats:
    """Return the chances of one group's rows: all alike where nothing speaks for another choice."""
    flat = np.full(size, count / size)
    if errors is None:
        return flat
    found = inclusion(errors, count)
    if promised(errors, found) > WORTH**2 * promised(errors, flat):
        return flat
    # in few rows the proxy is not relied on to bring hits together: it may expect more than there are
    among = found if count >= FEW_ROWS else flat
    return flat if hits is not None and _rare(among, hits) else found


def picked(groups: NDArray[np.int64], chance: Floats, priority: NDArray[np.uint64]) -> Design:
    """Return the choice of rows with given chances, a fixed number from each group."""
    each = [np.flatnonzero(groups == group) for group in range(int(groups.max(initial=-1)) + 1)]
    chosen = [rows[drawn(chance[rows], priority[rows])] for rows in each if len(rows)]
    return Design(np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64), chance)


def _rare(chance: Floats, hits: Floats) -> bool:
    known = np.nan_to_num(hits, nan=0.0)
    yes = float((chance * known).sum())
    return min(yes, float(chance.sum()) - yes) < LEAST


def weighted(
    y: ArrayLike,
    chance: ArrayLike,
    s_asked: ArrayLike,
    s_pool: ArrayLike,
    *,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """Return one group's estimate from rows chosen with unequal chances.

    Parameters
    ----------
    y : array of shape (n,)
        Teacher's values in the rows asked; NaN where it failed.
    chance : array of shape (n,)
        Chances with which these rows were chosen; where they are equal, `assisted` is returned.
    s_asked, s_pool, level, span
        As for `kdaudit.statistics.covariate.assisted`.
    """
    pi = np.asarray(chance, dtype=np.float64)
    answers, everywhere = np.asarray(y, dtype=np.float64), np.asarray(s_pool, dtype=np.float64)
    rows = ~np.isnan(answers)
    if len(pi) != len(answers) or (pi <= 0).any():
        raise InvalidInput(f"{len(answers)} answers need as many chances above 0")
    if not uneven(pi) or rows.sum() == len(everywhere):
        return assisted(answers, s_asked, everywhere, level=level, span=span)
    everywhere = np.nan_to_num(everywhere, nan=float(np.nanmean(everywhere)) if len(everywhere) else 0.0)
    s = np.nan_to_num(np.asarray(s_asked, dtype=np.float64)[rows], nan=float(everywhere.mean()))
    return _regressed(answers[rows], 1 / pi[rows], s, everywhere, level, span)


def _regressed(y: Floats, w: Floats, s: Floats, everywhere: Floats, level: float, span: Span | None) -> Estimate:
    n, pool = len(y), len(everywhere)
    slope, residual = _line(y, s, w)
    # the variance of a total that is drawn row by row: sure rows add none
    terms = (1 - 1 / w) * (w * residual) ** 2
    squares, fourth = float(terms.sum()), float((terms**2).sum())
    carrying = squares**2 / fourth if squares > 1e-9 * float((w**2 * y**2).sum()) else 0.0
    value_y = float(np.average(y, weights=w))
    few = n < LEAST or n - int(np.unique(y, return_counts=True)[1].max(initial=0)) < LEAST
    if few or n < 3 or carrying < CARRYING:
        why = f"fewer than {LEAST} rows differ" if few else "teacher and proxy differ in too few rows"
        alone = _unaided(y, w, pool, level, span)
        return Estimate(alone.value, math.nan, math.nan, n, pool, 0.0, alone, math.nan, alone, why)
    spread_y = float(np.average((y - value_y) ** 2, weights=w)) * n / (n - 1)
    noise = n / (n - 2) * squares / float(w.sum()) ** 2
    dof = min(n - 2.0, 2 * n * carrying / (n - carrying)) if carrying < n else n - 2.0
    value = value_y + slope * float(everywhere.mean() - np.average(s, weights=w))
    plain, whole = (_plainly(value_y, spread_y, y, size, level) for size in (pool, None))
    return Estimate(value, noise, dof, n, pool, slope, plain, noise + spread_y / pool, whole, method=METHOD)


def _line(y: Floats, s: Floats, w: Floats) -> tuple[float, Floats]:
    """Return the slope of the weighted regression, and residuals."""
    away, up = s - np.average(s, weights=w), y - np.average(y, weights=w)
    square = float((w * away**2).sum())
    slope = 0.0 if square <= 1e-12 * float(w.sum()) else float((w * away * up).sum()) / square
    return slope, up - slope * away


def _plainly(value: float, spread_y: float, y: Floats, pool: int | None, level: float) -> Interval:
    """Return how wide simple random choice of as many rows would have been: a yardstick, not an estimate."""
    n = len(y)
    left = 1.0 if pool is None else (pool - n) / max(pool - 1, 1)
    method = "reckoned for simple random choice of as many rows"
    if np.isin(y, (0, 1)).all() and left > 0:
        return replace(wilson(value * n / left, n / left, level=level), n=n, method=method)
    half = critical(level, n - 1) * math.sqrt(spread_y / n * left)
    return Interval(value, value - half, value + half, n, level, method)


def _unaided(y: Floats, w: Floats, pool: int, level: float, span: Span | None) -> Interval:
    """Return an interval that leans on no variance seen: few hits, or rows that are all alike.

    Rows of unequal chances count as their effective number (Korn and Graubard 1998); where all are alike, as many as
    would have been asked had every row had the smallest chance.
    """
    n = len(y)
    if n == 0:
        return unknown("no rows", 0, level)
    if np.ptp(y) == 0:
        even = max(1, min(n, math.floor(pool / float(w.max()) + 1e-9)))
        alike = mean(y[:even], level=level, span=span)
        if span in (None, (0, 1)) and np.isin(y, (0, 1)).all():
            alike = _exact(float(y[0]), even, level)
        return replace(alike, n=n)
    if span in (None, (0, 1)) and np.isin(y, (0, 1)).all():
        effective = float(w.sum()) ** 2 / float((w**2).sum())
        return replace(_exact(float(np.average(y, weights=w)), effective, level), n=n)
    return mean(y, weights=w, level=level, span=span)


def _exact(share: float, n: float, level: float) -> Interval:
    """Return the interval of Clopper and Pearson for an effective number of rows."""
    tail, hits = (1 - level) / 2, share * n
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return Interval(share, min(low, share), max(high, share), round(n), level, "Clopper-Pearson, effective rows")


def reckoned(y: Floats, chance: Floats, s: Floats, other: Floats) -> float:
    """Return the variance that another design, with another proxy, would have reached; from the rows of this one.

    Parameters
    ----------
    y : array of shape (n,)
        NaN where the teacher failed.
    chance : array of shape (n,)
        Chances with which the rows were in truth chosen.
    s : array of shape (n,)
        The other proxy's values; constant for none.
    other : array of shape (n,)
        Chances that the other design gives these rows.

    Returns
    -------
    float
        Of the mean; NaN with fewer than three rows.
    """
    rows = ~np.isnan(y) & ~np.isnan(s)
    if rows.sum() < 3:
        return math.nan
    w = 1 / chance[rows]
    _, residual = _line(y[rows], s[rows], w)
    return float((w * residual**2 * (1 / other[rows] - 1)).sum() / w.sum() ** 2)


def promised(errors: Floats, chance: Floats) -> float:
    """Return the variance that a design will reach if the expected errors are right; told before anything is asked.

    Parameters
    ----------
    errors : array of shape (N,)
        Expected squared errors of the group's rows.
    chance : array of shape (N,)
    """
    if not len(errors) or (chance <= 0).any():
        return math.inf
    return float((errors * (1 / chance - 1)).sum()) / len(errors) ** 2
