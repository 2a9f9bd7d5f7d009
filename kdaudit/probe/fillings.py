"""What subjects say of filled templates, and what the teacher's answers to some of them tell of all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.interval import Interval, unknown
from kdaudit.probe.figures import Control, Figures, among, bounded, counted_or_unknown, finite
from kdaudit.probe.readings import Reading, Values, ask_one
from kdaudit.samples import Samples
from kdaudit.sampling.templates import Cells
from kdaudit.statistics.active import weighted
from kdaudit.statistics.clusters import beyond_rows
from kdaudit.statistics.nested import Units, mean_of_units, over_units, unit_means
from kdaudit.statistics.rates import Span, critical
from kdaudit.subject import Ask, Subject

FEWEST_TERMS = 5
"""Names below which they count as all there are, and not as a sample of names."""


@dataclass(frozen=True, eq=False)
class Said:
    """Decisions and scores of fillings, one column a side: shape (n, sides), NaN where a side failed."""

    decisions: Values
    scores: Values


@dataclass(frozen=True)
class Quantity:
    """One number a filling.

    Parameters
    ----------
    measure, group : str
        As rows of evidence are called.
    of, guess : callable
        What is told of a filling by whoever answers, and the covariate by which the proxy foretells it.
    span : (float, float)
        Smallest and largest value.
    """

    measure: str
    group: str
    of: Callable[[Said], Values]
    guess: Callable[[Said], Values]
    span: Span


@dataclass(frozen=True)
class Terms:
    """On what terms intervals are told: whether templates count or texts, how surely, and from how many templates."""

    by: str
    level: float
    minimum: int


@dataclass(frozen=True, eq=False)
class Found:
    """Figures of one quantity; the difference of teacher and proxy, and of teacher and stranger, paired by template."""

    figures: Figures
    difference: Interval | None
    strangers: Interval | None
    worth: dict[str, Any]


class Trial:
    """All fillings for those who cost nothing, and those chosen for the teacher and its twin."""

    def __init__(
        self, cells: Cells, rows: Samples, chosen: NDArray[np.int64], seats: tuple[Cast, Ask, Reading], terms: Terms
    ) -> None:
        self.cells, self.chosen, self.terms = cells, chosen, terms
        self.cast, self._ask, self._reading = seats
        self._sides, self._rows = cells.texts.shape[1], rows
        every = np.arange(len(cells))
        cast = self.cast
        self.proxy = self._said(cast.proxy, every)
        self.sharp = self.proxy if cast.sharpener is cast.proxy else self._said(cast.sharpener, every)
        others = () if isinstance(cast.stranger, Empty) else (cast.stranger, *cast.further)
        self.strangers = [self._said(one, every) for one in others]
        self.teacher = self._said(cast.teacher, chosen)
        record = isinstance(cast.twin, Empty) or cast.twin.identity.by == "id"
        self.twin = None if record else self._said(cast.twin, chosen)  # type: ignore[arg-type]
        self.asked = len(np.unique(rows.keys()[self._places(chosen)])) if len(chosen) else 0

    def _places(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the texts of fillings stand among all rows: one side after another."""
        out: NDArray[np.int64] = (np.arange(self._sides)[:, None] * len(self.cells) + cells[None, :]).ravel()
        return out

    def _said(self, subject: Subject, cells: NDArray[np.int64]) -> Said:
        if not len(cells):
            return Said(np.empty((0, self._sides)), np.empty((0, self._sides)))
        answers = ask_one(self._ask, subject, self._rows.take(self._places(cells)))
        output = self._reading.output
        decisions = Reading("selection_rate", output).values(answers, subject)
        needed = self._reading.what == "score"
        scores = self._reading.values(answers, subject) if needed else self._reading.covariate(answers, subject)
        return Said(*(v.reshape(self._sides, len(cells)).T for v in (decisions, scores)))

    @property
    def failed(self) -> int:
        """Fillings chosen of which the teacher failed a side."""
        return int(np.isnan(self.teacher.decisions).any(axis=1).sum())

    def find(self, quantity: Quantity, ignorant: str, inside: Quantity | None = None) -> Found:
        """Return what was found of a quantity.

        Parameters
        ----------
        quantity : Quantity
        ignorant : str
            Why the teacher's own value has no control.
        inside : Quantity, optional
            The same within one group, which is its control.
        """
        no_control = Control(reason=ignorant) if inside is None else self._within(quantity, inside)
        by_template = self.terms.by == "template"
        proxy, p = self._whole(quantity, self.proxy)
        theirs = [self._whole(quantity, one) for one in self.strangers]
        none = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known"
        control = among(proxy, [one for one, _ in theirs], self.cast.control_kind, none)
        known = [values for one, values in theirs if one.known]
        s, strangers = np.mean(known, axis=0) if known else None, control.interval
        units, (low, high) = self._units(quantity, self.teacher)
        here = self._here(quantity)
        over_both = self._by_terms(self._spread(units, low, high), quantity)
        value = over_both if by_template else here.interval
        population = unknown("told of templates like these already") if by_template else over_both
        over = self._mean(p, quantity)
        figures = Figures(
            value, population, proxy, over, no_control, control, strangers, self._twins(quantity), self.asked
        )  # fmt: skip
        worth = {
            "asked": True,
            "plain": (units.plain if by_template else here.plain).to_data(),
            "width_ratio": finite(units.width_ratio if by_template else here.width_ratio),
        }
        if not by_template:
            return Found(figures, None, None, worth)
        wide = max(value.half - units.interval.half, 0.0) if value.known and units.interval.known else 0.0
        luck = 0.0 if strangers is None else strangers.half
        apart, from_them = (
            None if v is None else _wider(units.minus(v, level=self.terms.level, span=quantity.span), by)
            for v, by in ((p, wide), (s, wide + luck))
        )
        worth["forecast_half"] = finite(self._forecast(quantity, p))
        return Found(figures, apart, from_them, worth)

    def _whole(self, quantity: Quantity, said: Said) -> tuple[Interval, Values]:
        """Return the value of a subject that answered all fillings, and its templates' values."""
        values = quantity.of(said)
        p = unit_means(values, self.cells.template, len(self.cells.names))
        if np.isnan(values).any():
            return unknown("the proxy failed in some texts", len(values), self.terms.level), p
        # these very texts were all answered: what the proxy shows on them is no estimate
        value = float(p.mean()) if self.terms.by == "template" else float(values.mean())
        return counted_or_unknown(value, len(values), self.terms.level), p

    def _mean(self, values: Values, quantity: Quantity) -> Interval:
        known = values[~np.isnan(values)]
        return mean_of_units(known, level=self.terms.level, span=quantity.span)

    def _units(self, quantity: Quantity, said: Said) -> tuple[Units, tuple[Units, Units]]:
        """Return templates' values with failed fillings left out, and filled with the smallest and largest value."""
        y, covariate = quantity.of(said), quantity.guess(self.sharp)
        middle, low, high = (
            over_units(
                values, self.chosen, covariate, self.cells.template, level=self.terms.level, span=quantity.span
            )
            for values in (y, *(np.where(np.isnan(y), end, y) for end in quantity.span))
        )  # fmt: skip
        return middle, (low, high)

    def _within(self, quantity: Quantity, inside: Quantity) -> Control:
        """Return what the teacher does where terms of one group are exchanged, and how far `quantity` exceeds it."""
        units, (low, high) = self._units(inside, self.teacher)
        beside = self._spread(units, low, high)
        if not beside.known:
            return Control(reason=beside.method)
        values = np.full(len(self.cells.names), np.nan)
        values[units.which] = units.values
        ours = self._units(quantity, self.teacher)[0]
        excess = ours.minus(values, level=self.terms.level, span=quantity.span)
        return Control(beside, "permuted", excess=excess)

    def _by_terms(self, found: Interval, quantity: Quantity) -> Interval:
        """Return the interval widened where names differ as templates do: claims are about other names too."""
        terms = self.cells.terms
        if terms is None or not found.known or (count := len(np.unique(terms[self.chosen]))) < FEWEST_TERMS:
            return found
        more = beyond_rows(quantity.of(self.teacher), terms[self.chosen])
        further = critical(self.terms.level, count - 1) ** 2 * more
        by = math.sqrt(found.half**2 + further) - found.half
        if by <= 1e-9:
            return found
        low, high = max(found.low - by, quantity.span[0]), min(found.high + by, quantity.span[1])
        return replace(found, low=low, high=high, method=f"{found.method}, over templates and {count} names")

    def _spread(self, units: Units, low: Units, high: Units) -> Interval:
        found = units.interval
        if not self.failed or not (found.known and low.interval.known and high.interval.known):
            return found
        ends = [one.interval for one in (units, low, high)]
        return replace(
            found,
            low=min(e.low for e in ends),
            high=max(e.high for e in ends),
            method=f"{found.method}, widened for failed rows",
        )

    def _here(self, quantity: Quantity) -> Any:  # noqa: ANN401 - `kdaudit.statistics.covariate.Assisted`
        """Return the mean over these very texts, which were chosen with the chances of their templates."""
        sizes = self.cells.sizes
        share = np.bincount(self.cells.template[self.chosen], minlength=len(sizes)) / np.maximum(sizes, 1)
        y, covariate = quantity.of(self.teacher), quantity.guess(self.sharp)
        if (share == 0).any():
            # a template of which no text was asked had no chance
            covariate, y = covariate[:0], y[:0]
            parts = [weighted(y, y, covariate, covariate, level=self.terms.level, span=quantity.span)] * 3
        else:
            chance = share[self.cells.template[self.chosen]]
            parts = [
                weighted(
                    v, chance, covariate[self.chosen], covariate, level=self.terms.level, span=quantity.span
                )
                for v in (y, *(np.where(np.isnan(y), end, y) for end in quantity.span))
            ]  # fmt: skip
        return bounded([parts[0]], [parts[1]], [parts[2]], [1.0])

    def _twins(self, quantity: Quantity) -> Interval | Empty:
        if isinstance(self.cast.twin, Empty):
            return self.cast.twin
        if self.twin is None:
            return Empty("the twin is a record of answers")
        found = self._units(quantity, self.twin)[0].interval
        return found if found.known else Empty(found.method)

    def _forecast(self, quantity: Quantity, p: Values) -> float:
        """Return the half-width that was to be expected, were the teacher as the proxy is; told before it was asked."""
        values = quantity.of(self.proxy)
        inside = float(np.nanvar(values - p[self.cells.template]))
        each = len(self.chosen) / max(len(np.unique(self.cells.template[self.chosen])), 1)
        size = len(self.cells) / max(len(self.cells.names), 1)
        between = float(np.nanvar(p, ddof=1)) if len(p) > 1 else 0.0
        variance = (between + inside * max(1 / max(each, 1.0) - 1 / size, 0.0)) / max(len(p), 1)
        return critical(self.terms.level, max(len(p) - 1, 1)) * float(np.sqrt(variance))


def _wider(interval: Interval, by: float) -> Interval:
    if not interval.known or by <= 0:
        return interval
    return replace(interval, low=interval.low - by, high=interval.high + by)
