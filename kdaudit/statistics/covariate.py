"""How much does a proxy sharpen what the teacher's own answers say?  (Prediction-powered inference.)

The proxy answers the whole pool, the teacher the rows asked.  The estimate is the asked rows' mean, moved by what the
proxy says of the rows not asked: ``mean(y) + slope (mean of the pool's s - mean(s))``.  The slope is tuned on the asked
rows and may be negative: a proxy turned upside down is as good as a true one.  A useless proxy gets a slope near 0 and
costs nothing; no proxy can make the interval wrong, since only the random choice of rows is trusted.

Angelopoulos, Duchi and Zrnic 2023 (PPI++); as a regression estimator in a finite pool, Cochran 1977, chapter 7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, counted
from kdaudit.statistics.gaps import contrast
from kdaudit.statistics.rates import Floats, Span, critical, mean, rate

LEAST = 10
"""Rows that must differ from the commonest value: with fewer hits or misses the exact plain interval stands."""
CARRYING = 3.0
"""Rows, in effect, that must carry the residual variance: fewer cannot tell how often teacher and proxy differ."""


@dataclass(frozen=True)
class Estimate:
    """One group's mean over its pool, with the proxy's help where it helps.

    Parameters
    ----------
    value : float
    variance : float
        Of the value, over the choice of the rows asked from this pool; NaN where the plain interval stands.
    dof : float
        Degrees of freedom of the variance: n - 2, or fewer where few rows carry it.
    n, pool : int
        Rows asked, and rows in the pool.
    slope : float
        Of the teacher's answers on the proxy's.
    plain : Interval
        The same mean without proxy, for this pool; by an exact method where hits or misses are few.
    population_variance : float
        Of the value as an estimate for the population that the pool was drawn from; NaN as for `variance`.
    plain_population : Interval
        Without proxy, for the population.
    unaided : str
        Why the plain interval stands; empty where the proxy helps.
    method : str
        How the variance was come by.
    """

    value: float
    variance: float
    dof: float
    n: int
    pool: int
    slope: float
    plain: Interval
    population_variance: float
    plain_population: Interval
    unaided: str = ""
    method: str = "PPI++ with Student t"

    @property
    def interval(self) -> Interval:
        """The group's interval for its pool."""
        return combine([self]).interval


@dataclass(frozen=True)
class Assisted:
    """A mean, or a contrast of groups' means.

    Parameters
    ----------
    interval : Interval
        With the proxy's help, for this pool; its method says where the proxy was not used.
    plain : Interval
        Without, from the same rows.
    population : Interval
        With the proxy's help, for the population that the pool was drawn from.
    """

    interval: Interval
    plain: Interval
    population: Interval

    @property
    def width_ratio(self) -> float:
        """Width beside the plain one: what the proxy bought; ``1 / ratio**2`` as many questions would do it plainly."""
        return 1.0 if self.plain.half == 0 else self.interval.half / self.plain.half


def assisted(
    y: ArrayLike, s_asked: ArrayLike, s_pool: ArrayLike, *, level: float = 0.95, span: Span | None = None
) -> Estimate:
    """Return one group's estimate from rows chosen by simple random choice.

    Parameters
    ----------
    y : array of shape (n,)
        Teacher's values in the rows asked; NaN where it failed: such a row counts as not asked.
    s_asked : array of shape (n,)
        Proxy's values in the same rows, as they stand in `s_pool`: score, decision, or any number a row.
    s_pool : array of shape (N,)
        Proxy's values in all rows of the group, those asked too.  NaN are replaced by the mean: a covariate may be any
        number.
    level : float
        Of the plain intervals, and so of whatever the estimate is combined into.
    span : (float, float), optional
        Smallest and largest value of a row.

    Raises
    ------
    InvalidInput
        If there are more rows asked than in the pool, or arrays do not align.
    """
    answers, proxy = np.asarray(y, dtype=np.float64), np.asarray(s_asked, dtype=np.float64)
    everywhere = np.asarray(s_pool, dtype=np.float64)
    if answers.shape != proxy.shape or len(answers) > len(everywhere):
        raise InvalidInput(f"{len(answers)} answers need as many proxy values, and no fewer rows in the pool")
    everywhere = np.nan_to_num(everywhere, nan=_middle(everywhere))
    rows = ~np.isnan(answers)
    a, s = answers[rows], np.nan_to_num(proxy[rows], nan=float(everywhere.mean()) if len(everywhere) else 0.0)
    n, pool = len(a), len(everywhere)
    few = _few(a)
    plain, whole = (_plain(a, size, level, span, exact=few) for size in (pool, None))
    too_few = f"fewer than {LEAST} rows differ" if few else ""
    if n == pool > 0:
        # all rows of a pool are known and still are a sample of its population
        wider = math.nan if few else float(a.var(ddof=1)) / pool
        return Estimate(plain.value, 0.0, max(n - 2.0, 1.0), n, pool, 0.0, plain, wider, whole, too_few)
    slope, residual = _regression(a, s)
    carrying, squares = (0.0 if few else _carrying(a, residual)), float((residual**2).sum())
    if carrying < CARRYING:
        why = too_few or "teacher and proxy differ in too few rows"
        return Estimate(plain.value, math.nan, math.nan, n, pool, 0.0, plain, math.nan, whole, why)
    noise = squares / (n - 2) / n * (1 - n / pool)
    # the variance of a variance grows with the fourth moment (Satterthwaite 1946)
    dof = min(n - 2.0, 2 * n * carrying / (n - carrying)) if carrying < n else n - 2.0
    if critical(level, dof) * math.sqrt(noise) >= plain.half:
        why = "the proxy does not narrow it"
        return Estimate(plain.value, math.nan, math.nan, n, pool, 0.0, plain, math.nan, whole, why)
    value = plain.value + slope * float(everywhere.mean() - s.mean())
    return Estimate(value, noise, dof, n, pool, slope, plain, noise + float(a.var(ddof=1)) / pool, whole)


def _middle(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _regression(y: Floats, s: Floats) -> tuple[float, Floats]:
    if len(y) == 0:
        return 0.0, y
    away = s - s.mean()
    spread = float((away**2).sum())
    slope = 0.0 if spread <= 1e-12 * len(s) else float((away * y).sum()) / spread
    return slope, y - y.mean() - slope * away


def _few(y: Floats) -> bool:
    """Return whether fewer than `LEAST` rows differ from the commonest value."""
    return len(y) < LEAST or len(y) - int(np.unique(y, return_counts=True)[1].max()) < LEAST


def _carrying(y: Floats, residual: Floats) -> float:
    """Return how many equal residuals would have the same second and fourth moment; 0 where all are rounding errors."""
    second, fourth = float((residual**2).sum()), float((residual**4).sum())
    return second**2 / fourth if second > 1e-9 * float(((y - y.mean()) ** 2).sum()) else 0.0


def _plain(y: Floats, pool: int | None, level: float, span: Span | None, *, exact: bool) -> Interval:
    if exact and span in (None, (0, 1)) and np.isin(y, (0, 1)).all():
        return rate(int(y.sum()), len(y), pool=pool, level=level, exact=True)
    return mean(y, pool=pool, level=level, span=span)


def combine(parts: Sequence[Estimate], weights: Sequence[float] = (1.0,)) -> Assisted:
    """Return a weighted sum of independent groups' means, such as a gap with weights (1, -1).

    Degrees of freedom follow Welch and Satterthwaite.  Where a group's plain interval stands, it is joined to the
    others' by MOVER, and the method says why.

    Parameters
    ----------
    parts : sequence of Estimate
        Of groups without common rows, with one level.
    weights : sequence of float
    """
    plain = contrast([p.plain for p in parts], weights) if len(parts) > 1 else _scaled(parts[0].plain, weights[0])
    if not plain.known:
        return Assisted(plain, plain, plain)
    variances = [p.variance for p in parts], [p.population_variance for p in parts]
    ends = [p.plain for p in parts], [p.plain_population for p in parts]
    here, there = (_joined(parts, weights, v, e) for v, e in zip(variances, ends, strict=True))
    return Assisted(here, plain, there)


def _joined(
    parts: Sequence[Estimate], weights: Sequence[float], variances: Sequence[float], plain: Sequence[Interval]
) -> Interval:
    n, level = sum(p.n for p in parts), plain[0].level
    value = sum(w * p.value for w, p in zip(weights, parts, strict=True))
    if all(v == 0 for v in variances):
        return counted(value, n, level)
    plainly = [math.isnan(v) for v in variances]
    if not any(plainly):
        return _normal(value, [w * w * v for w, v in zip(weights, variances, strict=True)], parts, n, level)
    single = [
        end if math.isnan(v) else _normal(p.value, [v], [p], p.n, level)
        for p, v, end in zip(parts, variances, plain, strict=True)
    ]
    joined = contrast(single, weights) if len(single) > 1 else _scaled(single[0], weights[0])
    if not joined.known:
        return joined
    reasons = " and ".join(dict.fromkeys(p.unaided for p, alone in zip(parts, plainly, strict=True) if alone))
    where = "" if all(plainly) else " in one group" if sum(plainly) == 1 else " in some groups"
    return replace(joined, method=f"{joined.method}, without the proxy{where} ({reasons})")


def _normal(value: float, variances: Sequence[float], parts: Sequence[Estimate], n: int, level: float) -> Interval:
    variance = sum(variances)
    if variance == 0:
        return counted(value, n, level)
    dof = variance**2 / sum(v**2 / p.dof for v, p in zip(variances, parts, strict=True))
    half = critical(level, dof) * math.sqrt(variance)
    method = " and ".join(dict.fromkeys(part.method for part in parts))
    return Interval(value, value - half, value + half, n, level, method)


def _scaled(interval: Interval, weight: float) -> Interval:
    low, high = sorted((weight * interval.low, weight * interval.high))
    return replace(interval, value=weight * interval.value, low=low, high=high)


def within_correlation(y: ArrayLike, s: ArrayLike, groups: ArrayLike) -> float:
    """Return the correlation of teacher and proxy inside groups, from rows already answered.

    Parameters
    ----------
    y, s : array of shape (n,)
        NaN in either leaves the row out.
    groups : array of shape (n,)

    Returns
    -------
    float
        In [-1, 1]; 0 where either does not vary.
    """
    a, b = np.asarray(y, dtype=np.float64), np.asarray(s, dtype=np.float64)
    rows = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[rows], b[rows]
    _, place = np.unique(np.asarray(groups)[rows], return_inverse=True)
    count = np.maximum(np.bincount(place), 1)
    a, b = (x - (np.bincount(place, x) / count)[place] for x in (a, b))
    spread = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return 0.0 if spread <= 1e-12 * max(len(a), 1) else float((a * b).sum()) / spread


@dataclass(frozen=True)
class Prospect:
    """What is known of a group before it is asked.

    Parameters
    ----------
    rate : float
        The proxy's rate of yes over the pool.
    n, pool : int
        Rows to ask, and rows in the pool.
    correlation : float
        Of teacher and proxy inside the group; see `within_correlation`.
    """

    rate: float
    n: int
    pool: int
    correlation: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """Half-widths that asking will reach, with the proxy's help and without."""

    half: float
    plain: float

    @property
    def ratio(self) -> float:
        """Width beside the plain one."""
        return self.half / self.plain if self.plain > 0 else 1.0


def forecast(parts: Sequence[Prospect], weights: Sequence[float] = (1.0,), *, level: float = 0.95) -> Forecast:
    """Return how wide an interval of rates will be, told before the teacher is asked.

    Parameters
    ----------
    parts : sequence of Prospect
    weights : sequence of float
        As in `combine`.
    level : float

    Returns
    -------
    Forecast
        Rates below one hit a group are taken as one hit, since a rate of 0 on the proxy promises nothing; infinite
        where a group would be asked no row.
    """
    helped = alone = 0.0
    for weight, part in zip(weights, parts, strict=True):
        if part.n < 1:
            return Forecast(math.inf, math.inf)
        p = min(max(part.rate, 1 / part.n), max(1 - 1 / part.n, 0.5))
        variance = weight**2 * p * (1 - p) / part.n * (1 - min(part.n / part.pool, 1.0))
        alone += variance
        # the slope costs a degree of freedom
        helped += variance * min(1.0, (1 - part.correlation**2) * (part.n - 1) / max(part.n - 2, 1))
    z = critical(level)
    return Forecast(z * math.sqrt(helped), z * math.sqrt(alone))
