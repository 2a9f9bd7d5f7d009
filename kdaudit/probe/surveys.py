"""What was answered about groups, and the intervals that follow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as with_default
from functools import cached_property
from typing import Any

import numpy as np

from kdaudit.cast import Cast, Empty
from kdaudit.finding import Form
from kdaudit.interval import Interval, counted, unknown
from kdaudit.measures.strata import Strata
from kdaudit.probe.estimates import Counting, Estimator, errors_of, highest, least
from kdaudit.probe.figures import Control, Figures, among, bounded, finite
from kdaudit.probe.readings import Pool, Reading, Values, sharpened
from kdaudit.samples import Samples
from kdaudit.statistics.active import Design, promised, reckoned, spread
from kdaudit.statistics.choice import Priorities
from kdaudit.statistics.covariate import Assisted
from kdaudit.statistics.gaps import ratio
from kdaudit.statistics.looks import level_at
from kdaudit.statistics.many import Family, bonferroni, stepped
from kdaudit.statistics.nulls import permuted_gap
from kdaudit.statistics.rates import critical
from kdaudit.statistics.verdicts import fault

LEVEL = 0.95
DRAWS = 999
"""Permutations of the teacher's groups; a fifth of them for a proxy's, which has many more rows."""
Chances = tuple[np.random.Generator, np.random.Generator]


@dataclass(frozen=True, eq=False)
class Survey:
    """What was answered about the groups, and what follows.

    Parameters
    ----------
    cast : Cast
    samples : Samples
        The pool, N rows.
    strata : Strata
        Groups of the rows that count.
    reference : str
    others : tuple of str
    pool : Pool
        Values of the quantity, and its expectation by the covariates.
    design : Design
        Rows asked.
    order : array of shape (N,)
        Random numbers of the rows, by which another design would have chosen.
    y : array of shape (n,)
        What the teacher said; NaN where it failed.
    twin : array of shape (n,) or None
    minimum : int
        Rows of the pool below which a group is not compared.
    reading : Reading
    estimator : Estimator
    ratio : bool
        Whether groups are compared by their ratio, not their difference.
    confidence : float
        Level at which all contrasts hold together.
    refusal : str
        Why no group can be compared; empty where they can.
    most : bool
        Whether a ratio is to whichever group the teacher selects most; the reference is the one that its answers name.
    look, looks : int
        At which of how many planned looks this is; intervals of all looks hold together.
    bets : mapping of tuple of str to Interval
        Intervals that hold at any time, of contrasts and groups, where such were asked for.
    family : {"holm", "bonferroni", "fixed-sequence"}
    levels : mapping of str to float
        At which each contrast is told, where the answers themselves say so.
    """

    cast: Cast
    samples: Samples
    strata: Strata
    reference: str
    others: tuple[str, ...]
    pool: Pool
    design: Design
    order: Priorities
    y: Values
    twin: Values | None
    minimum: int
    reading: Reading
    estimator: Estimator
    ratio: bool = False
    confidence: float = LEVEL
    refusal: str = ""
    most: bool = False
    look: int = 1
    looks: int = 1
    bets: Mapping[tuple[str, ...], Interval] = with_default(default_factory=dict)
    family: Family = "bonferroni"
    levels: Mapping[str, float] = with_default(default_factory=dict)

    def told(self, other: str, level: float) -> Interval:
        """Return the teacher's interval of a contrast at a level."""
        return self._assisted([other, self.reference], [1.0, -1.0], self.y, level).interval

    def decided(self, form: Form, margin: float) -> bool:
        """Return whether the teacher's intervals decide all contrasts that are tested."""
        return all(fault(self.told(x, self.level_of(x)), form, margin) != "undecided" for x in self.tested)

    def settled(self, form: Form, margin: float) -> Survey:
        """Return the survey with the level at which each contrast is told, by the rule of its family."""
        if self.family != "holm" or self.most or self.bets or len(self.tested) < 2:
            return self

        def decides(other: str, level: float) -> bool:
            return fault(self.told(other, level), form, margin) != "undecided"

        return replace(self, levels=stepped(self.tested, self.confidence, decides))

    def level_of(self, other: str) -> float:
        """Return the level at which a contrast is told."""
        return self.levels.get(other, self.level)

    def unasked(self, why: str) -> Survey:
        """Return the survey of which nothing was asked, and why."""
        nothing = Design(np.empty(0, dtype=np.int64), np.zeros(len(self.samples)))
        return replace(self, design=nothing, y=np.empty(0), refusal=why)

    @cached_property
    def tested(self) -> list[str]:
        """Groups that are compared: those with enough rows, if the reference has enough."""
        least = self.minimum
        if self.refusal or self.strata.count(self.reference) < least:
            return []
        return [level for level in self.others if self.strata.count(level) >= least]

    @cached_property
    def level(self) -> float:
        """Level of each contrast, so that all of them hold together."""
        count = len(self.tested)
        # a ratio to the largest of several rests on the ratios of all pairs
        return bonferroni(self.confidence, max(1, count * (count + 1) // 2 if self.most else count))

    def named(self) -> Survey:
        """Return the survey with the group as reference that the teacher's answers select most."""
        if not self.most or not self.tested:
            return self
        groups = (self.reference, *self.tested)
        found = [self._at_once([level], [1.0], self.y, LEVEL).interval.value for level in groups]
        first = groups[int(np.nanargmax(found))] if np.isfinite(found).any() else self.reference
        others = tuple(level for level in (self.reference, *self.others) if level != first)
        return replace(self, reference=first, others=others)

    @cached_property
    def covariate(self) -> Values:
        """What sharpens the teacher's intervals."""
        return self._sharp(self.pool.covariate)

    @cached_property
    def strangers(self) -> Values | None:
        """What a stranger would have sharpened them with."""
        theirs = self.pool.strangers_covariate
        return None if theirs is None else self._sharp(theirs)

    def _sharp(self, scores: Values) -> Values:
        if self.pool.read or not self.estimator.plain_decisions:
            return scores
        return sharpened(self.reading, scores, self.design.chosen, self.y)

    def inside(self, level: str) -> np.typing.NDArray[np.bool_]:
        """Return which of the rows asked belong to a group."""
        out: np.typing.NDArray[np.bool_] = self.strata.place[self.design.chosen] == self.strata.levels.index(level)
        return out

    def _distinct(self, at: np.typing.NDArray[np.bool_]) -> int:
        """Return how many answers the rows asked at mask `at` took: copies share one, unless answers go by id."""
        names = self.samples.ids if self.cast.teacher.identity.by == "id" else self.samples.keys()
        return len(np.unique(names[self.design.chosen[at]]))

    def _assisted(self, levels: list[str], weights: list[float], y: Values, confidence: float) -> Assisted:
        if self.looks == 1:
            found = self._at_once(levels, weights, y, confidence)
            bet = self.bets.get(tuple(levels)) if y is self.y else None
            told = unknown("told for these rows alone", 0, confidence)
            return found if bet is None else Assisted(bet, found.plain, told)
        found = self._at_once(levels, weights, y, level_at(self.look, self.looks, confidence))
        named = f"look {self.look} of {self.looks} (O'Brien and Fleming)"
        return Assisted(
            *(
                replace(one, level=confidence, method=f"{one.method}, {named}")
                for one in (found.interval, found.plain, found.population)
            )
        )

    def _rivals(self, level: str) -> list[str]:
        return [other for other in (self.reference, *self.tested) if other != level]

    def _at_once(self, levels: list[str], weights: list[float], y: Values, confidence: float) -> Assisted:
        if self.most and len(levels) > 1:
            alone = {x: self._pair([x], [1.0], y, confidence).interval for x in self._rivals(levels[0])}
            pairs = [self._pair([levels[0], rival], weights, y, confidence) for rival in highest(alone)]
            return Assisted(*(least([getattr(p, kind) for p in pairs]) for kind in ("interval", "plain", "population")))
        return self._pair(levels, weights, y, confidence)

    def _pair(self, levels: list[str], weights: list[float], y: Values, confidence: float) -> Assisted:
        each = []
        for level in levels:
            asked, rows = self.design.chosen[self.inside(level)], self.strata.rows(level)
            fills = self.estimator.filled(y[self.inside(level)])
            each.append(
                [
                    self.estimator.estimate(values, asked, rows, self.design.chance[asked], self.covariate, confidence)
                    for values in fills
                ]
            )
        middle, low, high = (list(column) for column in zip(*each, strict=True))
        if not self.ratio or len(levels) == 1:
            return bounded(middle, low, high, weights)
        first, second = (bounded([m], [a], [b], [1.0]) for m, a, b in zip(middle, low, high, strict=True))
        return Assisted(
            ratio(first.interval, second.interval),
            ratio(first.plain, second.plain),
            ratio(first.population, second.population),
        )

    def contrast(self, other: str, rngs: Chances) -> tuple[Figures, dict[str, Any]]:
        """Return a group against the reference, and what the proxy's help was worth.

        Chance is drawn from one generator for the teacher and one for the proxy.
        """
        pair, weights = [other, self.reference], [1.0, -1.0]
        proxy, proxy_population = self._counted(self.pool.proxy, pair)
        proxy_control = self._proxy_control(proxy, pair, rngs[1])
        strangers = proxy_control.interval if proxy_control.strangers else None
        if other not in self.tested:
            teacher = self._too_few(pair)
            nobody = Control(reason="the teacher was not asked: too few rows")
            none = Empty("the twin was not asked: too few rows")
            return Figures(teacher, teacher, proxy, proxy_population, nobody, proxy_control, strangers, none, 0), {
                "asked": False,
                "reason": teacher.method,
            }
        found = self._assisted(pair, weights, self.y, self.level_of(other))
        control, p = self._permuted(other, rngs[0])
        either = self.inside(other) | self.inside(self.reference)
        figures = Figures(
            found.interval,
            found.population,
            proxy,
            proxy_population,
            control,
            proxy_control,
            strangers,
            self._twins(pair, weights),
            self._distinct(either),
        )
        return figures, self._bought(found, pair) | ({} if p is None else {"p_permuted": p})

    def _counted(self, values: Values, pair: list[str]) -> tuple[Interval, Interval]:
        if not self.most or pair[0] not in self.tested:
            return self._counting.contrast(values, pair)
        alone = {x: self._counting.group(values, x)[0] for x in (pair[0], *self._rivals(pair[0]))}
        top = highest(alone)
        if top == [pair[0]]:
            one = counted(1.0, alone[pair[0]].n, LEVEL)
            return one, one
        each = [self._counting.contrast(values, [pair[0], rival]) for rival in top if rival != pair[0]]
        here, there = (least(list(parts)) for parts in zip(*each, strict=True))
        return here, there

    @cached_property
    def _counting(self) -> Counting:
        return Counting(self.strata, self.estimator, self.ratio)

    def _permuted(self, other: str, rng: np.random.Generator) -> tuple[Control, float | None]:
        if self.ratio:
            return Control(reason="groups exchanged by chance have a ratio of 1"), None
        if not self.estimator.additive:
            return Control(reason="groups exchanged by chance have a difference of 0"), None
        first, either = self.inside(other), self.inside(other) | self.inside(self.reference)
        chosen = self.design.chosen[either]
        values = self.y[either] * self.estimator.factor[chosen]
        null = permuted_gap(values, first[either], rng, draws=DRAWS, weights=1 / self.design.chance[chosen])
        known = null.interval.known
        return Control(null.interval, "permuted") if known else Control(reason=null.interval.method), null.p

    def _bought(self, found: Assisted, pair: list[str]) -> dict[str, Any]:
        """Return what the proxy's help was worth: the plain interval, what was forecast, what a stranger buys."""
        context: dict[str, Any] = {"asked": True}
        if math.isnan(self.estimator.share):
            context |= {"plain": found.plain.to_data(), "width_ratio": finite(found.width_ratio)}
        if not self.ratio and self.estimator.additive and not self.bets:
            half, plain = self._forecast(pair)
            context |= {"forecast_half": finite(half), "forecast_ratio": finite(half / plain if plain else math.nan)}
        if self.strangers is not None and self.estimator.additive:
            context["strangers_width_ratio"] = finite(self._strangers_ratio(pair))
        return context

    def _forecast(self, pair: list[str]) -> tuple[float, float]:
        """Return the half-widths, with the proxy and without, that were to be expected before the teacher was asked."""
        if not self.estimator.decides:
            return math.nan, math.nan
        helped = plain = 0.0
        errors = errors_of(self.pool.covariate, self.estimator.factor)
        for level in pair:
            rows = self.strata.rows(level)
            values = np.nan_to_num(self.pool.covariate[rows]) * self.estimator.factor[rows]
            rate, n = float(values.mean()), max(int(self.inside(level).sum()), 1)
            helped += promised(errors[rows], self.design.chance[rows])
            whole = float((self.estimator.factor[rows] * values).mean()) - rate**2
            plain += max(whole, 0.0) * (1 / n - 1 / len(rows))
        z = critical(self.level)
        return z * math.sqrt(helped), z * math.sqrt(plain)

    def _strangers_ratio(self, pair: list[str]) -> float:
        """Return how wide the interval would be beside a plain one had a stranger chosen and sharpened it."""
        assert self.strangers is not None
        theirs = self.design
        if self.pool.read:
            groups = np.where(self.design.chance > 0, self.strata.place, -1)
            errors = errors_of(self.strangers, self.estimator.factor)
            theirs = spread(groups, len(self.design.chosen), self.order, errors, self.strangers)
        helped = plain = 0.0
        for level in pair:
            at = self.inside(level)
            asked, n = self.design.chosen[at], int(at.sum())
            y, chance = self.y[at] * self.estimator.factor[asked], self.design.chance[asked]
            flat = np.full(n, n / self.strata.count(level))
            s = self.strangers[asked] * self.estimator.factor[asked]
            helped += reckoned(y, chance, s, theirs.chance[asked])
            plain += reckoned(y, chance, np.zeros(n), flat)
        return min(math.sqrt(helped / plain), 9.0) if plain > 0 else math.nan

    def shown(self, other: str) -> Interval:
        """Return what the proxy shows of a contrast, counted over the pool."""
        return self._counted(self.pool.proxy, [other, self.reference])[0]

    def beside(self, other: str) -> list[Interval]:
        """Return what each stranger's proxy shows of a contrast, counted over the pool."""
        return [self._counted(one, [other, self.reference])[0] for one in self.pool.strangers]

    def _proxy_control(self, proxy: Interval, pair: list[str], rng: np.random.Generator) -> Control:
        control = among(proxy, self.beside(pair[0]), self.cast.control_kind, self._no_stranger)
        if control.interval is not None:
            return control
        if self.ratio or not self.estimator.additive:
            return Control(reason=self._no_stranger)
        rows = np.concatenate([self.strata.rows(level) for level in pair])
        first = np.arange(len(rows)) < self.strata.count(pair[0])
        values = self.pool.proxy[rows] * self.estimator.factor[rows]
        null = permuted_gap(values, first, rng, draws=DRAWS // 5).interval
        return Control(null, "permuted") if null.known else Control(reason=null.method)

    @property
    def _no_stranger(self) -> str:
        return self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known"

    def _twins(self, levels: list[str], weights: list[float]) -> Interval | Empty:
        if isinstance(self.cast.twin, Empty) or self.twin is None:
            return self.cast.twin if isinstance(self.cast.twin, Empty) else Empty("the twin was not asked")
        found = self._assisted(levels, weights, self.twin, LEVEL).interval
        return found if found.known else Empty(found.method)

    def _too_few(self, levels: list[str]) -> Interval:
        level = min(levels, key=self.strata.count)
        n, least = self.strata.count(level), self.minimum
        if self.refusal:
            return unknown(self.refusal, n, self.level)
        return unknown(f"{self.strata.group(level)}: {n} rows in the pool; at least {least} are needed", n, self.level)

    def group(self, level: str) -> Figures:
        """Return one group by itself."""
        proxy, proxy_population = self._counting.group(self.pool.proxy, level)
        theirs = [self._counting.group(one, level)[0] for one in self.pool.strangers]
        control = Control(reason="a group's own value is compared with that of the other groups")
        proxy_control = among(proxy, theirs, self.cast.control_kind, self._no_stranger)
        strangers = proxy_control.interval
        if not self.inside(level).any():
            few = self._too_few([level])
            none = Empty("the twin was not asked: too few rows")
            return Figures(few, few, proxy, proxy_population, control, proxy_control, strangers, none, 0)
        found = self._assisted([level], [1.0], self.y, LEVEL)
        asked = self._distinct(self.inside(level))
        twin = self._twins([level], [1.0])
        return Figures(
            found.interval, found.population, proxy, proxy_population, control, proxy_control, strangers, twin, asked
        )
