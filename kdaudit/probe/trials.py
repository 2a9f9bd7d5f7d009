"""Both sides of all rows for those who cost nothing, and of the rows chosen for the teacher and its twin."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from kdaudit.cast import Cast, Empty
from kdaudit.finding import Form
from kdaudit.interval import Interval, unknown
from kdaudit.probe.estimates import LEAST_ERROR
from kdaudit.probe.figures import Control, Figures, among, bounded, counted_or_unknown, finite
from kdaudit.probe.readings import Pairs, Reading, Values, pairs, read_known
from kdaudit.probe.stops import BLOCKS, Stops, drawn_again
from kdaudit.samples import Samples
from kdaudit.signal import SCORE
from kdaudit.statistics.active import Design, promised, reckoned, spread, uneven, weighted
from kdaudit.statistics.choice import Priorities
from kdaudit.statistics.covariate import Assisted
from kdaudit.statistics.looks import bet_on, level_at, stages
from kdaudit.statistics.many import Family, bonferroni, stepped
from kdaudit.statistics.rates import Span, critical, mean
from kdaudit.statistics.verdicts import fault
from kdaudit.subject import Ask, Subject

SHIFT, RATE, SCORED = "counterfactual_shift", "counterfactual_flip_rate", "counterfactual_score_shift"
FORMS: dict[str, Form] = {SHIFT: "within", RATE: "at most"}
"""Measures that are claimed about, and how."""
UNSHOWN = 0.05
"""Share of the doubt about a decision that is also doubt about its change."""
SPANS: dict[str, Span] = {SHIFT: (-1.0, 1.0), RATE: (0.0, 1.0), SCORED: (-1.0, 1.0)}


@dataclass(frozen=True, eq=False)
class Sides:
    """A pool, its rows as they are compared (aligned), and their random numbers."""

    rows: Samples
    both: tuple[Samples, Samples]
    order: Priorities


@dataclass(frozen=True)
class Claims:
    """What is to be decided, with how many rows at most, when asking stops, and how claims share the level."""

    margin: float
    stop: Stops
    looks: int
    questions: int
    refusal: str
    minimum: int
    family: Family


class Trial:
    """What was answered about both sides, and the figures that follow.

    Parameters
    ----------
    cast : Cast
    sides : Sides
    ask : Ask
    claims : Claims
    output : str
        Of several outputs, the one that counts as yes.
    """

    def __init__(self, cast: Cast, sides: Sides, ask: Ask, claims: Claims, output: str) -> None:
        self.cast, self.sides, self.claims, self.pool = cast, sides, claims, sides.rows
        self.confidence = bonferroni(0.95, len(FORMS))
        self.levels: dict[str, float] = {}
        self._ask, self._reading, self.look = ask, Reading("selection_rate", output), 1
        self.bets: dict[str, Interval] = {}
        everything = np.arange(len(self.pool))
        self.proxy = self._both(cast.proxy, everything)
        self.sharp = self.proxy if cast.sharpener is cast.proxy else self._both(cast.sharpener, everything)
        seats = () if isinstance(cast.stranger, Empty) else (cast.stranger, *cast.further)
        self.strangers = [self._both(one, everything) for one in seats]
        self._known = None if claims.refusal else read_known(cast, ask, output)
        self.design = self._design(self.sharp, strangers=False)
        self.teacher: Pairs | None = None
        if not claims.refusal:
            self._hear()
        record = isinstance(cast.twin, Empty) or cast.twin.identity.by == "id"
        self.twin = None if claims.refusal or record else self._both(cast.twin, self.design.chosen)  # type: ignore[arg-type]

    def _hear(self) -> None:
        """Ask the teacher, for as long as the claims say."""
        whole, looks = self.design, self.claims.looks
        if self.claims.stop == "anytime" and len(whole.chosen):
            self._bet(len(whole.chosen))
        elif self.claims.stop == "planned" and len(whole.chosen):
            everywhere = np.zeros(len(self.pool), dtype=np.int64)
            for look, design in enumerate(stages(everywhere, whole, looks, self.sides.order), 1):
                self.look, self.design = look, design
                self.teacher = self._both(self.cast.teacher, design.chosen)
                if self._decided():
                    break
        else:
            self.teacher = self._both(self.cast.teacher, whole.chosen)
            self._decided()

    def _bet(self, n: int) -> None:
        """Ask about rows drawn with replacement, and stop at any time."""
        everything = np.arange(len(self.pool))
        draws = drawn_again(everything, self.sides.order, n)
        for end in np.unique(np.linspace(0, n, BLOCKS + 1).round().astype(int)[1:]):
            chosen = np.unique(draws[:end])
            self.design = Design(chosen, np.full(len(self.pool), len(chosen) / len(self.pool)))
            self.teacher = self._both(self.cast.teacher, chosen)
            at = np.searchsorted(chosen, draws[:end])
            self.bets = {measure: self._bet_on(measure, at) for measure in self.measures}
            if self._decided():
                break

    def _bet_on(self, measure: str, at: np.typing.NDArray[np.int64]) -> Interval:
        assert self.teacher is not None
        low, high = SPANS[measure]
        said = _of(measure, self.teacher)[at]
        covariate = np.clip(np.nan_to_num(self._covariate(self.sharp, measure)), low, high)
        failed = float(np.isnan(said).mean()) * (high - low) / 2
        said = np.nan_to_num(said, nan=(low + high) / 2)
        helps = covariate[self.design.chosen][at] if self._known is not None else np.zeros(len(at))
        middle = float(covariate.mean()) if self._known is not None else 0.0
        found = bet_on((said, helps), None, (middle, 0.0), level=self.confidence, span=(low, high))
        return replace(found, low=found.low - failed, high=found.high + failed)

    def _decided(self) -> bool:
        """Return whether all claims are decided, having shared the level between them as their family says."""
        self.levels = {}
        if self.claims.family == "holm" and not self.bets:
            self.levels = stepped(tuple(FORMS), 0.95, self._decides)
        return all(self._decides(measure, self._level(measure)) for measure in FORMS)

    def _decides(self, measure: str, level: float) -> bool:
        assert self.teacher is not None
        found = self._assisted(self.teacher, measure, level).interval
        return fault(found, FORMS[measure], self.claims.margin) != "undecided"

    def _level(self, measure: str) -> float:
        return self.levels.get(measure, self.confidence)

    @property
    def shared(self) -> str:
        """How claims share the level."""
        told = ", ".join(f"{self._level(measure):.2%}" for measure in FORMS)
        return f"both claims {'are decided together (Holm' if self.levels else 'hold together (Bonferroni'}, at {told})"

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """What is told: shift and flips of decisions, and of chances where the teacher gives such."""
        scores = self.cast.teacher.scale == "probability" and SCORE in self.cast.teacher.offers
        return (*FORMS, SCORED) if scores and SCORE in self.cast.proxy.offers else tuple(FORMS)

    @property
    def asked(self) -> int:
        """Distinct teacher rows."""
        if self.teacher is None:
            return 0
        return len(np.unique(np.concatenate([side.take(self.design.chosen).keys() for side in self.sides.both])))

    @property
    def sentences(self) -> list[str]:
        """What is told beside the figures: the worst change of a score, and when asking stopped."""
        if self.teacher is None or not len(self.design.chosen):
            return []
        out, change = [], self.teacher.scores[:, 0] - self.teacher.scores[:, 1]
        if SCORED in self.measures and not np.isnan(change).all():
            worst = int(np.nanargmax(np.abs(change)))
            row = self.pool.ids[self.design.chosen[worst]]
            out.append(
                f"The largest change of the teacher's score among the {len(change):,} rows asked is "
                f"{change[worst]:+.3f}, in row {row}; of rows not asked it says nothing."
            )
        if self.claims.stop != "never":
            when = "betting" if self.bets else f"at look {self.look} of {self.claims.looks}"
            most = min(self.claims.questions, len(self.pool))
            out.append(f"Asking stopped {when}, after {len(change):,} of at most {most:,} rows.")
        return out

    def _both(self, subject: Subject, rows: np.typing.NDArray[np.int64]) -> Pairs:
        first, second = (side if len(rows) == len(side) else side.take(rows) for side in self.sides.both)
        return pairs(self._ask, subject, (first, second), self._reading)

    @property
    def method(self) -> str:
        """How rows were chosen and what sharpened the intervals."""
        if self.bets:
            return "both sides of rows drawn with replacement; betting, which holds at any time"
        if not uneven(self.design.asked):
            return "both sides of rows chosen by chance; PPI++"
        return "both sides of rows chosen where the proxy may err; weighted regression"

    @property
    def failed(self) -> int:
        """Rows chosen of which the teacher failed a side."""
        return 0 if self.teacher is None else int(np.isnan(self.teacher.change).sum())

    def _read(self, proxy: Pairs, *, strangers: bool) -> Values:
        """Return the chances of yes on both sides, by what was known before; shape (N, 2)."""
        assert self._known is not None
        return proxy.read(self._known.strangers_chances if strangers else self._known.chances)

    def _design(self, proxy: Pairs, *, strangers: bool) -> Design:
        n, order = self.claims.questions, self.sides.order
        everywhere = np.zeros(len(self.pool), dtype=np.int64)
        if self._known is None:
            return spread(everywhere, n, order)
        both = np.nan_to_num(self._read(proxy, strangers=strangers))
        return spread(everywhere, n, order, change_errors(both), np.abs(both[:, 0] - both[:, 1]))

    def figures(self, measure: str) -> tuple[Figures, dict[str, Any]]:
        """Return one measure, and what the proxy's help was worth."""
        proxy, population = self._counted(self.proxy, measure)
        theirs = [self._counted(one, measure)[0] for one in self.strangers]
        reason = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known"
        control = among(proxy, theirs, self.cast.control_kind, reason)
        strangers = control.interval
        ignorant = Control(reason="a teacher that ignores what is changed scores exactly 0")
        if self.teacher is None:
            nothing = unknown(self.claims.refusal, len(self.pool) if len(self.pool) < self.claims.minimum else 0)
            twin = Empty("the twin was not asked, since the teacher was not")
            return Figures(nothing, nothing, proxy, population, ignorant, control, strangers, twin, 0), {
                "asked": False,
                "reason": self.claims.refusal,
            }
        found = self._assisted(self.teacher, measure)
        figures = Figures(
            found.interval, found.population, proxy, population, ignorant, control, strangers, self._twins(measure),
            self.asked,
        )  # fmt: skip
        return figures, self._bought(found, measure)

    def _covariate(self, proxy: Pairs, measure: str, *, strangers: bool = False) -> Values:
        if measure == SCORED:
            return _of(measure, proxy)
        if self._known is None:
            teacher = np.empty((0, 2)) if self.teacher is None else self.teacher.decisions
            return _change(measure, proxy.expected_change(self.design.chosen, teacher))
        both = self._read(proxy, strangers=strangers)
        return _change(measure, both[:, 0] - both[:, 1])

    def _assisted(self, answers: Pairs, measure: str, level: float | None = None) -> Assisted:
        y, covariate, span = _of(measure, answers), self._covariate(self.sharp, measure), SPANS[measure]
        looks = self.claims.looks if self.claims.stop == "planned" else 1
        told = self._level(measure) if level is None else level
        level = level_at(self.look, looks, told)
        fills = (y, *(np.where(np.isnan(y), end, y) for end in span))
        chosen = self.design.chosen
        middle, low, high = (
            weighted(values, self.design.asked, covariate[chosen], covariate, level=level, span=span)
            for values in fills
        )
        found = bounded([middle], [low], [high], [1.0])
        bet = self.bets.get(measure) if answers is self.teacher else None
        if bet is not None:
            return Assisted(bet, found.plain, unknown("told for these rows alone", 0, self.confidence))
        if looks == 1:
            return found
        named = f"look {self.look} of {looks} (O'Brien and Fleming)"
        parts = (found.interval, found.plain, found.population)
        return Assisted(*(replace(p, level=told, method=f"{p.method}, {named}") for p in parts))

    def _bought(self, found: Assisted, measure: str) -> dict[str, Any]:
        """Return what the proxy's help was worth, what was forecast, and what a stranger's would have been."""
        worth: dict[str, Any] = {
            "asked": True,
            "plain": found.plain.to_data(),
            "width_ratio": finite(found.width_ratio),
        }
        if self._known is not None and measure != SCORED and not self.bets:
            both = np.nan_to_num(self._read(self.sharp, strangers=False))
            value, n = both[:, 0] - both[:, 1], max(len(self.design.chosen), 1)
            whole = float(np.abs(value).mean()) - float(_change(measure, value).mean()) ** 2
            plain = math.sqrt(max(whole, 0.0) * (1 / n - 1 / len(value)))
            helped = math.sqrt(promised(change_errors(both), self.design.chance))
            worth["forecast_half"] = finite(critical(self.confidence) * helped)
            worth["forecast_ratio"] = finite(helped / plain if plain else math.nan)
        if self.strangers and self.teacher is not None:
            theirs = self._design(self.strangers[0], strangers=True)
            covariate, chosen = self._covariate(self.strangers[0], measure, strangers=True), self.design.chosen
            y, chance = _of(measure, self.teacher), self.design.asked
            flat = np.full(len(chosen), len(chosen) / max(len(self.pool), 1))
            helped = reckoned(y, chance, covariate[chosen], theirs.chance[chosen])
            plain = reckoned(y, chance, np.zeros(len(chosen)), flat)
            worth["strangers_width_ratio"] = finite(math.sqrt(helped / plain) if plain > 0 else math.nan)
        return worth

    def _counted(self, answers: Pairs, measure: str) -> tuple[Interval, Interval]:
        values = _of(measure, answers)
        if np.isnan(values).any() or not len(values):
            nothing = unknown("the proxy failed in some rows, or there are none", len(values))
            return nothing, nothing
        return counted_or_unknown(float(values.mean()), len(values), self.confidence), mean(values, span=SPANS[measure])

    def _twins(self, measure: str) -> Interval | Empty:
        if self.twin is None:
            return self.cast.twin if isinstance(self.cast.twin, Empty) else Empty("the twin is a record of answers")
        found = self._assisted(self.twin, measure).interval
        return found if found.known else Empty(found.method)


def change_errors(both: Values) -> Values:
    """Return the expected squared error of a predicted change, from the chances of yes on both sides, shape (N, 2).

    A change of chances by d turns about d of decisions; near the line some turn that the chances do not show.
    """
    d, near = np.abs(both[:, 0] - both[:, 1]), (both * (1 - both)).mean(axis=1)
    out: Values = np.maximum(d * (1 - d) + UNSHOWN * near, LEAST_ERROR)
    return out


def _of(measure: str, answers: Pairs) -> Values:
    """Return the change of each row that a measure is the mean of."""
    return _change(measure, answers.scores[:, 0] - answers.scores[:, 1] if measure == SCORED else answers.change)


def _change(measure: str, difference: Values) -> Values:
    return np.abs(difference) if measure == RATE else difference
