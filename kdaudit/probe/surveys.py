"""What was answered about groups, and the intervals that follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.interval import Interval, unknown
from kdaudit.measures.strata import Strata
from kdaudit.probe.figures import Control, Figures, bounded, counted_or_unknown, finite
from kdaudit.probe.readings import Pool, Reading, Values, sharpened
from kdaudit.samples import Samples
from kdaudit.statistics.covariate import Assisted, Estimate, assisted
from kdaudit.statistics.gaps import contrast as combined
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.nulls import permuted_gap
from kdaudit.statistics.rates import Span, mean

LEVEL = 0.95
DRAWS = 999
"""Permutations of the teacher's groups; a fifth of them for a proxy's, which has many more rows."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What was answered about the groups, and what follows.

    Parameters
    ----------
    cast : Cast
    samples : Samples
        The pool, N rows.
    strata : Strata
    reference : str
    others : tuple of str
    pool : Pool
    chosen : array of shape (n,)
        Positions of the rows asked.
    y : array of shape (n,)
        What the teacher said; NaN where it failed.
    twin : array of shape (n,) or None
    minimum : int
        Rows of the pool below which a group is not compared.
    reading : Reading
    """

    cast: Cast
    samples: Samples
    strata: Strata
    reference: str
    others: tuple[str, ...]
    pool: Pool
    chosen: NDArray[np.int64]
    y: Values
    twin: Values | None
    minimum: int
    reading: Reading

    @cached_property
    def tested(self) -> list[str]:
        """Groups that are compared: those with enough rows, if the reference has enough."""
        least = self.minimum
        if self.strata.count(self.reference) < least:
            return []
        return [level for level in self.others if self.strata.count(level) >= least]

    @cached_property
    def level(self) -> float:
        """Level of each contrast, so that all of them hold together."""
        return bonferroni(LEVEL, max(1, len(self.tested)))

    @property
    def decides(self) -> bool:
        """Whether values are decisions, not scores."""
        return self.reading.what == "selection_rate"

    @cached_property
    def span(self) -> Span | None:
        """Smallest and largest value of a row."""
        if not self.decides and self.cast.teacher.scale == "value":
            return None
        return (-1.0, 1.0) if np.nanmin(self.y, initial=0.0) < 0 else (0.0, 1.0)

    @cached_property
    def covariate(self) -> Values:
        """What sharpens the teacher's intervals."""
        return sharpened(self.reading, self.pool.covariate, self.chosen, self.y)

    @cached_property
    def strangers(self) -> Values | None:
        """What a stranger would have sharpened them with."""
        theirs = self.pool.strangers_covariate
        return None if theirs is None else sharpened(self.reading, theirs, self.chosen, self.y)

    def inside(self, level: str) -> NDArray[np.bool_]:
        """Return which of the rows asked belong to a group."""
        out: NDArray[np.bool_] = self.strata.place[self.chosen] == self.strata.levels.index(level)
        return out

    def _estimates(self, level: str, covariate: Values, confidence: float) -> tuple[Estimate, Estimate, Estimate]:
        """Return a group's estimate with failed rows left out, filled low and filled high."""
        at = self.inside(level)
        everywhere = covariate[self.strata.rows(level)]
        low, high = self.span or (np.nan, np.nan)
        y = self.y[at]
        filled = (y, np.where(np.isnan(y), low, y), np.where(np.isnan(y), high, y))
        a, b, c = (
            assisted(values, covariate[self.chosen[at]], everywhere, level=confidence, span=self.span)
            for values in filled
        )
        return a, b, c

    def _assisted(self, levels: list[str], weights: list[float], covariate: Values, confidence: float) -> Assisted:
        each = [self._estimates(level, covariate, confidence) for level in levels]
        middle, low, high = zip(*each, strict=True)
        return bounded(middle, low, high, weights)

    def contrast(
        self, other: str, rngs: tuple[np.random.Generator, np.random.Generator]
    ) -> tuple[Figures, dict[str, Any]]:
        """Return a group against the reference, and what the proxy's help was worth.

        Chance is drawn from one generator for the teacher and one for the proxy.
        """
        pair, weights = [other, self.reference], [1.0, -1.0]
        proxy, proxy_population = self._counted(self.pool.proxy, pair, weights)
        strangers = None if self.pool.stranger is None else self._counted(self.pool.stranger, pair, weights)[0]
        proxy_control = self._proxy_control(strangers, pair, rngs[1])
        if other not in self.tested:
            teacher = self._too_few(pair)
            nobody = Control(reason="the teacher was not asked: too few rows")
            none = Empty("the twin was not asked: too few rows")
            return Figures(teacher, teacher, proxy, proxy_population, nobody, proxy_control, strangers, none, 0), {
                "asked": False,
                "reason": teacher.method,
            }
        found = self._assisted(pair, weights, self.covariate, self.level)
        first, second = self.inside(other), self.inside(self.reference)
        either = first | second
        null = permuted_gap(self.y[either], first[either], rngs[0], draws=DRAWS)
        figures = Figures(
            found.interval,
            found.population,
            proxy,
            proxy_population,
            Control(null.interval, "permuted") if null.interval.known else Control(reason=null.interval.method),
            proxy_control,
            strangers,
            self._twins(pair, weights),
            len(np.unique(self.samples.keys()[self.chosen[either]])),
        )
        return figures, self._bought(found, pair, weights, null.p)

    def _bought(self, found: Assisted, pair: list[str], weights: list[float], p: float) -> dict[str, Any]:
        """Return what the proxy's help was worth: the plain interval, and what a stranger would have bought."""
        context: dict[str, Any] = {
            "asked": True,
            "plain": found.plain.to_data(),
            "width_ratio": finite(found.width_ratio),
            "forecast_ratio": finite(self._forecast(pair)),
            "p_permuted": p,
        }
        if self.strangers is not None:
            theirs = self._assisted(pair, weights, self.strangers, self.level)
            context["strangers_width_ratio"] = finite(theirs.width_ratio)
        return context

    def _forecast(self, pair: list[str]) -> float:
        """Return the width ratio that the proxy itself promises: its scores taken for the teacher's chances of yes."""
        if not self.decides:
            return float("nan")
        plain = helped = 0.0
        for level in pair:
            s = self.pool.covariate[self.strata.rows(level)]
            share = 1 / max(int(self.inside(level).sum()), 1)
            rate = float(np.nanmean(s))
            plain += share * rate * (1 - rate)
            helped += share * float(np.nanmean(s * (1 - s)))
        return float(np.sqrt(helped / plain)) if plain > 0 and helped >= 0 else float("nan")

    def _counted(self, values: Values, levels: list[str], weights: list[float]) -> tuple[Interval, Interval]:
        """Return a contrast counted over the pool, and widened to the population."""
        parts = [values[self.strata.rows(level)] for level in levels]
        n = sum(len(part) for part in parts)
        if any(np.isnan(part).any() or not len(part) for part in parts):
            reason = unknown("a group has no rows in the pool, or the proxy failed in some", n, LEVEL)
            return reason, reason
        value = sum(w * float(part.mean()) for w, part in zip(weights, parts, strict=True))
        spans = [mean(part, level=LEVEL, span=self.span) for part in parts]
        return counted_or_unknown(value, n, LEVEL), combined(spans, weights)

    def _proxy_control(self, strangers: Interval | None, pair: list[str], rng: np.random.Generator) -> Control:
        if strangers is not None and strangers.known:
            return Control(strangers, self.cast.control_kind)
        rows = np.concatenate([self.strata.rows(level) for level in pair])
        first = np.arange(len(rows)) < self.strata.count(pair[0])
        null = permuted_gap(self.pool.proxy[rows], first, rng, draws=DRAWS // 5).interval
        return Control(null, "permuted") if null.known else Control(reason=null.method)

    def _twins(self, levels: list[str], weights: list[float]) -> Interval | Empty:
        if isinstance(self.cast.twin, Empty) or self.twin is None:
            return self.cast.twin if isinstance(self.cast.twin, Empty) else Empty("the twin was not asked")
        spans = [
            mean(self.twin[self.inside(level)], pool=self.strata.count(level), level=LEVEL, span=self.span)
            for level in levels
        ]
        found = combined(spans, weights) if len(spans) > 1 else spans[0]
        return found if found.known else Empty(found.method)

    def _too_few(self, levels: list[str]) -> Interval:
        level = min(levels, key=self.strata.count)
        n, least = self.strata.count(level), self.minimum
        return unknown(f"{self.strata.group(level)}: {n} rows in the pool; at least {least} are needed", n, self.level)

    def group(self, level: str) -> Figures:
        """Return one group by itself."""
        proxy, proxy_population = self._counted(self.pool.proxy, [level], [1.0])
        strangers = None if self.pool.stranger is None else self._counted(self.pool.stranger, [level], [1.0])[0]
        no_stranger = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known"
        proxy_control = (
            Control(strangers, self.cast.control_kind)
            if strangers is not None and strangers.known
            else Control(reason=no_stranger)
        )
        control = Control(reason="a group's own value is compared with that of the other groups")
        if not self.inside(level).any():
            few = self._too_few([level])
            none = Empty("the twin was not asked: too few rows")
            return Figures(few, few, proxy, proxy_population, control, proxy_control, strangers, none, 0)
        found = self._assisted([level], [1.0], self.covariate, LEVEL)
        asked = len(np.unique(self.samples.keys()[self.chosen[self.inside(level)]]))
        return Figures(
            found.interval,
            found.population,
            proxy,
            proxy_population,
            control,
            proxy_control,
            strangers,
            self._twins([level], [1.0]),
            asked,
        )
