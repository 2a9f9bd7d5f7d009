"""How a group's value is estimated from the rows asked, and counted over a pool that was answered whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.interval import Interval, unknown
from kdaudit.measures.strata import Strata
from kdaudit.probe.figures import counted_or_unknown
from kdaudit.probe.quantities import Quantity, Values
from kdaudit.statistics.active import weighted
from kdaudit.statistics.covariate import Estimate
from kdaudit.statistics.gaps import contrast, ratio
from kdaudit.statistics.rates import Span, mean
from kdaudit.statistics.ratios import quantile, ratio_of_means

LEVEL = 0.95
LEAST_ERROR = 1e-3
"""No row is thought to be surer than this: chances near 0 and 1 are extrapolated."""


def errors_of(chances: Values, factor: Values) -> Values:
    """Return the expected squared error of chances of yes, in rows that count by `factor`."""
    return np.maximum(chances * (1 - chances), LEAST_ERROR) * factor**2


@dataclass(frozen=True, eq=False)
class Estimator:
    """How values of rows become the value of a group.

    Parameters
    ----------
    quantity : Quantity
    outcomes : array of shape (N,)
        Recorded outcomes, where the quantity needs them.
    factor : array of shape (N,)
        What each row's value is multiplied by: 1, or what makes groups alike in a legitimate factor.
    span : (float, float) or None
        Smallest and largest value of a row.
    share : float
        Which quantile, where the quantity is one.
    """

    quantity: Quantity
    outcomes: Values
    factor: Values
    span: Span | None
    share: float = math.nan

    @property
    def decides(self) -> bool:
        """Whether values are decisions whose mean is the group's value."""
        return self.quantity.decides and not self.quantity.share

    @property
    def plain_decisions(self) -> bool:
        """Whether scores may be read as chances of what was answered."""
        return self.quantity.decides

    @property
    def additive(self) -> bool:
        """Whether the group's value is a mean over its rows."""
        return not self.quantity.share and math.isnan(self.share)

    def filled(self, y: Values) -> tuple[Values, Values, Values]:
        """Return values with failed rows left out, filled with the smallest and with the largest value."""
        low, high = self.span or (math.nan, math.nan)
        return y, np.where(np.isnan(y), low, y), np.where(np.isnan(y), high, y)

    def estimate(
        self,
        y: Values,
        asked: NDArray[np.int64],
        rows: NDArray[np.int64],
        chance: Values,
        covariate: Values,
        level: float,
    ) -> Estimate:
        """Return a group's estimate.

        Parameters
        ----------
        y : array of shape (n,)
            Teacher's values.
        asked, rows : array of int
            Positions of the group's rows asked, and of all its rows.
        chance : array of shape (n,)
        covariate : array of shape (N,)
        level : float
        """
        if not math.isnan(self.share):
            return quantile(y, chance, covariate[asked], covariate[rows], self.share, level=level)
        s_asked, s_pool = covariate[asked], covariate[rows]
        if self.quantity.share:
            y_asked, y_pool = self.outcomes[asked], self.outcomes[rows]
            return ratio_of_means(
                y * y_asked, y, chance, (s_asked * y_asked, s_asked), (s_pool * y_pool, s_pool), level=level
            )
        m_asked, m_pool = self.factor[asked], self.factor[rows]
        most = float(m_pool.max(initial=1.0))
        span = None if self.span is None else (self.span[0] * most, self.span[1] * most)
        return weighted(y * m_asked, chance, s_asked * m_asked, s_pool * m_pool, level=level, span=span)


@dataclass(frozen=True, eq=False)
class Counting:
    """Values of a subject that answered the whole pool.

    Parameters
    ----------
    strata : Strata
    estimator : Estimator
    ratio : bool
    """

    strata: Strata
    estimator: Estimator
    ratio: bool

    def group(self, values: Values, level: str) -> tuple[Interval, Interval]:
        """Return a group's value, counted over the pool and widened to the population."""
        rows = self.strata.rows(level)
        part = values[rows]
        if np.isnan(part).any() or not len(part):
            reason = unknown("a group has no rows in the pool, or the proxy failed in some", len(part), LEVEL)
            return reason, reason
        if not math.isnan(self.estimator.share):
            found = float(np.quantile(part, self.estimator.share, method="inverted_cdf"))
            return counted_or_unknown(found, len(part), LEVEL), unknown("told for these rows alone", len(part), LEVEL)
        if self.estimator.quantity.share:
            yes = self.estimator.outcomes[rows][part == 1]
            if not len(yes):
                none = unknown(f"{self.strata.group(level)}: no row was decided yes", 0, LEVEL)
                return none, none
            return counted_or_unknown(float(yes.mean()), len(yes), LEVEL), mean(yes, level=LEVEL, span=(0, 1))
        part = part * self.estimator.factor[rows]
        span = self.estimator.span if self.estimator.factor.max(initial=1.0) <= 1 else None
        return counted_or_unknown(float(part.mean()), len(part), LEVEL), mean(part, level=LEVEL, span=span)

    def contrast(self, values: Values, pair: list[str]) -> tuple[Interval, Interval]:
        """Return a contrast of two groups, counted over the pool and widened to the population."""
        first, second = (self.group(values, level) for level in pair)
        n = first[0].n + second[0].n
        for part in (first[0], second[0]):
            if not part.known:
                return part, part
        if self.ratio:
            if second[0].value <= 0:
                none = unknown("the ratio is undefined: the reference's rate is 0", n, LEVEL)
                return none, none
            return counted_or_unknown(first[0].value / second[0].value, n, LEVEL), ratio(first[1], second[1])
        value = first[0].value - second[0].value
        wide = (first[1], second[1])
        return counted_or_unknown(value, n, LEVEL), contrast(wide, (1.0, -1.0))


def highest(rates: dict[str, Interval]) -> list[str]:
    """Return the groups that may have the highest rate: those that do not lie below another's interval."""
    known = [one.low for one in rates.values() if one.known]
    return [name for name, one in rates.items() if not (one.known and known and one.high < max(known))]


def least(ratios: list[Interval]) -> Interval:
    """Return the ratio to the largest of several rates, from the ratios to each of them that hold together."""
    for one in ratios:
        if not one.known:
            return one
    ends = (min(1.0, *(getattr(one, end) for one in ratios)) for end in ("value", "low", "high"))
    value, low, high = ends
    return replace(ratios[0], value=value, low=low, high=high, n=max(one.n for one in ratios))
