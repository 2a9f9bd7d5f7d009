"""How sure is a mean over templates, of each of which some texts were asked?

Texts of one template are no independent facts: a template's own value is the fact, and the interval counts templates.
Where the proxy answered all texts of a template and the teacher some, the template's value is moved by what the proxy
says of the others, with one slope for all templates: what remains is how far templates differ from each other.

Cluster sampling with a regression estimator inside clusters: Cochran 1977, chapters 7 and 10.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from kdaudit.interval import Interval, unknown
from kdaudit.statistics.covariate import LEAST
from kdaudit.statistics.rates import Floats, Span, mean

Places = NDArray[np.int64]
WIDENED = "widened to exact bounds"


@dataclass(frozen=True, eq=False)
class Units:
    """Values of templates, and the interval of their mean.

    Parameters
    ----------
    which : array of shape (units,)
        Positions of the templates that were asked.
    values : array of shape (units,)
        Their values, with the proxy's help where it helps.
    interval : Interval
        Its n counts templates.
    plain : Interval
        Without the proxy.
    """

    which: Places
    values: Floats
    interval: Interval
    plain: Interval

    @property
    def width_ratio(self) -> float:
        """Width beside the plain one."""
        return 1.0 if not self.plain.half > 0 else self.interval.half / self.plain.half

    def minus(self, others: Floats, *, level: float, span: Span) -> Interval:
        """Return the interval of the mean difference from other values of the same templates, paired.

        Parameters
        ----------
        others : array of shape (all units,)
        level : float
        span : (float, float)
            Of either value.
        """
        widest = span[1] - span[0]
        apart = mean_of_units(self.values - others[self.which], level=level, span=(-widest, widest))
        alone = mean(self.values, level=level, span=span)
        if not (apart.known and alone.known and self.interval.known):
            return apart
        # what few templates leave open about the teacher they leave open about its difference too
        below, above = max(alone.low - self.interval.low, 0.0), max(self.interval.high - alone.high, 0.0)
        return replace(apart, low=apart.low - below, high=apart.high + above)


def unit_means(values: Floats, unit: Places, count: int) -> Floats:
    """Return each unit's mean, shape (count,); NaN where it has no known value."""
    known = ~np.isnan(values)
    n = np.bincount(unit[known], minlength=count)
    total = np.bincount(unit[known], values[known], minlength=count)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def over_units(
    y: Floats, asked: Places, covariate: Floats, unit: Places, *, level: float = 0.95, span: Span = (0.0, 1.0)
) -> Units:
    """Return the mean over units, every unit counting once.

    Parameters
    ----------
    y : array of shape (n,)
        Teacher's values of the rows asked; NaN where it failed.
    asked : array of shape (n,)
        Their positions, the same number in every unit or as near as whole numbers allow, chosen by chance inside it.
    covariate : array of shape (N,)
        Proxy's values of all rows; NaN where it has none.
    unit : array of shape (N,)
        Position of each row's unit.
    level : float
    span : (float, float)
        Smallest and largest value of a row.
    """
    count = int(unit.max(initial=-1)) + 1
    rows = ~np.isnan(y)
    a, at = y[rows], asked[rows]
    here = unit[at]
    which = np.unique(here)
    mine = unit_means(a, here, count)[which]
    plain = mean_of_units(mine, level=level, span=span)
    s = np.nan_to_num(covariate, nan=float(np.nanmean(covariate)) if not np.isnan(covariate).all() else 0.0)
    inside = unit_means(s[at], here, count)
    everywhere = unit_means(s, unit, count)
    slope = _slope(a - unit_means(a, here, count)[here], s[at] - inside[here], len(a) - len(which))
    helped = mine + slope * (everywhere - inside)[which]
    found = mean_of_units(helped, level=level, span=span)
    # values moved by a proxy never repeat, and would hide that few templates differ
    few = WIDENED in plain.method
    if slope == 0 or few or not found.known or not plain.known or found.half >= plain.half:
        return Units(which, mine, plain, plain)
    return Units(which, helped, replace(found, method=f"{found.method}, moved by the proxy"), plain)


def _slope(y: Floats, s: Floats, dof: int) -> float:
    """Return the slope inside units; 0 where too few rows could tell it."""
    square = float((s**2).sum())
    if dof < LEAST or square <= 1e-12 * max(len(s), 1) or np.count_nonzero(np.abs(y) > 1e-12) < LEAST:
        return 0.0
    return float((s * y).sum()) / square


def mean_of_units(values: Floats, *, level: float = 0.95, span: Span = (0.0, 1.0)) -> Interval:
    """Return the interval of a mean of units' values.

    Student's t, as far as it goes: where values repeat and fewer than `LEAST` units differ from the commonest, their
    spread says little of what others may do, and the interval is widened to exact bounds of the shares above and below
    it (Clopper and Pearson 1934; of values between the ends, by their effective hits).

    Parameters
    ----------
    values : array of shape (units,)
    level : float
    span : (float, float)
        Smallest and largest value.
    """
    count = len(values)
    if count < 2:
        told = "1 template was" if count == 1 else "no template was"
        return unknown(f"{told} answered; at least 2 are needed", count, level)
    plain = mean(values, level=level, span=span)
    found, times = np.unique(np.round(values, 12), return_counts=True)
    most = int(times.max())
    low, high = span
    bounded = math.isfinite(low) and math.isfinite(high)
    if most == 1 or count - most >= LEAST or not plain.known or not bounded:
        return plain
    middle = float(found[times.argmax()])
    up = float(np.clip(values - middle, 0, None).mean()) / max(high - middle, 1e-12)
    down = float(np.clip(middle - values, 0, None).mean()) / max(middle - low, 1e-12)
    # where values may lie on both sides of the commonest, both shares must hold at once
    tail = (1 - level) / (2 if middle in span else 4)
    (least_up, most_up), (least_down, most_down) = (_bounds(share, count, tail) for share in (up, down))
    bottom = middle + least_up * (high - middle) - most_down * (middle - low)
    top = middle + most_up * (high - middle) - least_down * (middle - low)
    return replace(
        plain,
        low=min(plain.low, bottom),
        high=max(plain.high, top),
        method=f"{plain.method}, {WIDENED}: fewer than {LEAST} templates differ",
    )


def _bounds(share: float, n: int, tail: float) -> tuple[float, float]:
    hits = min(max(share, 0.0), 1.0) * n
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high
