"""Are people of a group decided as others are whose situation is alike?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.probe.figures import (
    Control,
    Figures,
    Heading,
    among,
    bounded,
    counted_or_unknown,
    finite,
    scale,
    three_rows,
)
from kdaudit.probe.groups import STREAM
from kdaudit.probe.pools import OfPool
from kdaudit.probe.readings import Reading, Values
from kdaudit.probe.sentences import amount, capital, listed, size
from kdaudit.samples import Samples
from kdaudit.sampling.companions import having, nearest, placed_by
from kdaudit.statistics.choice import Priorities, queue
from kdaudit.statistics.covariate import Assisted, assisted
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask, Subject

GAP, SHARE = "situation_gap", "situation_share"
DRAWS = 199
SURELY = 0.95
"""Share of the units that fit into the budget by another order of chance: how many are asked hangs on no answer."""


@dataclass(frozen=True)
class Situation(OfPool):
    """Whether rows with `level` are decided as rows with `other` are that are alike (Luong, Ruggieri and Turini 2011).

    Each row with `level` is a unit: the share of yes among its nearest rows with `level`, minus that among its nearest
    rows with `other`.  Nobody is changed into somebody else; what "alike" means is part of the claim.

    Parameters
    ----------
    field, level, other : str
        A category and two of its levels.
    like : tuple of str
        Fields by which rows are alike: numbers in standard deviations, different levels one of them apart.
    neighbours : int
        Nearest rows of either level.
    radius : float, optional
        Largest distance of a neighbour; units without enough neighbours are left out and counted.
    beyond : float
        Difference of shares beyond which a unit counts as treated unlike, for the share that is told beside.
    margin : float
        Largest mean difference that is accepted.
    questions : int
        Most teacher rows; units share neighbours.
    minimum : int
        Units below which the answer stays undecided.
    output, yes : str
        As for `kdaudit.probe.groups.Parity`.
    """

    field: str
    level: str
    other: str
    like: tuple[str, ...]
    neighbours: int = 8
    radius: float | None = None
    beyond: float = 0.2
    margin: float = 0.05
    questions: int = 1_000
    minimum: int = 30
    output: str = ""
    yes: str = "scored above the line"

    def __post_init__(self) -> None:
        object.__setattr__(self, "like", tuple(self.like))
        if not self.like or self.field in self.like or self.level == self.other:
            raise InvalidInput(f"`like` names fields other than {self.field}, and level and other differ")
        if self.margin <= 0 or self.questions < 1 or self.minimum < 2 or self.neighbours < 1:
            raise InvalidInput("margin and questions must be above 0, neighbours at least 1 and minimum at least 2")
        if self.radius is not None and self.radius <= 0:
            raise InvalidInput("radius is a distance above 0, or left out")

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        return min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        OutOfDomain
            If the field has no such level, or a field is not in the domain.
        """
        order = queue(samples, rng, STREAM)
        units = _units(self, samples, order)
        trial = _Trial(self, cast, samples, units, ask)
        rows: list[Row] = []
        for measure in (GAP, SHARE):
            rows += three_rows(trial.figures(measure, rng.spawn(1)[0]), self._heading(measure, trial), cast)
        return Evidence(
            question="",
            title=f"Are {self._who} {self.yes} as often as those with {self.field} {self.other} who are alike?",
            rows=tuple(rows),
            claims=(self._claim(rows[0].value),),
            context={
                "population": samples.origin.name,
                "pool": len(samples),
                "units": len(units),
                "lacking": units.lacking,
                "units_asked": len(trial.chosen),
                "rows_asked": trial.asked,
                "margin": self.margin,
                "method": "units chosen by chance; PPI++, covariate: the same difference in the proxy",
                "like": list(self.like),
                "neighbours": self.neighbours,
                "sentences": self._told(units),
                "contrasts": {GAP: trial.bought},
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    @property
    def _who(self) -> str:
        return f"those with {self.field.replace('_', ' ')} {self.level}"

    @property
    def _group(self) -> str:
        return f"{self.field}: {self.level} - {self.other}"

    def _told(self, units: Units) -> list[str]:
        fields = listed([x.replace("_", " ") for x in self.like])
        alike = f"Rows are alike by {fields}: {self.neighbours} nearest of either."
        if not units.lacking:
            return [alike]
        within = "" if self.radius is None else f" within {self.radius:g}"
        return [alike, f"{units.lacking:,} rows have too few neighbours{within}, and are left out."]

    def _heading(self, measure: str, trial: _Trial) -> Heading:
        pair = f"{self._who} against {self.other} alike"
        if measure == SHARE:
            return Heading(
                SHARE, self._group, capital(f"{pair}: share treated unlike by over {self.beyond:g}"), "percent"
            )
        end = scale([trial.counted(GAP, trial.proxy)[0]], self.margin)
        return Heading(GAP, self._group, capital(f"{pair}: how much more often {self.yes}"), "points", -end, end)

    def _claim(self, found: Interval) -> Claim:
        text = f"{self._who} are {self.yes} as often as others alike, within {amount(self.margin, 'points')}"
        told, below = size(found, "points") if found.known else ("", False)
        said = f"{self._who} are {self.yes} {told} {'less' if below else 'more'} often than others alike."
        return Claim(capital(text), GAP, self._group, "within", self.margin, "teacher", capital(said), self.minimum)


@dataclass(frozen=True, eq=False)
class Units:
    """Rows with the level, by their random numbers, and the positions of their neighbours, shape (n, k) each."""

    own: NDArray[np.int64]
    others: NDArray[np.int64]
    lacking: int

    def __len__(self) -> int:
        return len(self.own)

    def difference(self, decisions: Values, chosen: NDArray[np.int64] | slice = slice(None)) -> Values:
        """Return the share of yes among neighbours of the level minus that among the others; NaN where one failed."""
        out: Values = decisions[self.own[chosen]].mean(axis=1) - decisions[self.others[chosen]].mean(axis=1)
        return out


def _units(recipe: Situation, samples: Samples, order: Priorities) -> Units:
    points = placed_by(samples, recipe.like)
    ours, theirs = (having(samples, recipe.field, value) for value in (recipe.level, recipe.other))
    ours = ours[np.argsort(order[ours], kind="stable")]
    theirs = theirs[np.argsort(order[theirs], kind="stable")]
    (own, near), (others, far) = (nearest(points, ours, among, recipe.neighbours) for among in (ours, theirs))
    whole = own.shape[1] == others.shape[1] == recipe.neighbours
    kept = (np.maximum(near, far) <= (math.inf if recipe.radius is None else recipe.radius)) & whole
    return Units(own[kept], others[kept], int((~kept).sum()))


class _Trial:
    """What was answered about the units, and the figures that follow."""

    def __init__(self, recipe: Situation, cast: Cast, samples: Samples, units: Units, ask: Ask) -> None:
        self.recipe, self.cast, self.units = recipe, cast, units
        self._samples, self._ask, self._reading = samples, ask, Reading("selection_rate", recipe.output)
        self.proxy = self._everywhere(cast.proxy)
        self.sharp = self.proxy if cast.sharpener is cast.proxy else self._everywhere(cast.sharpener)
        seats = () if isinstance(cast.stranger, Empty) else (cast.stranger, *cast.further)
        self.strangers = [self._everywhere(one) for one in seats]
        few = len(units) < recipe.minimum
        self.refusal = f"{len(units)} units in the pool; at least {recipe.minimum} are needed" if few else ""
        self.chosen = np.arange(0 if few else self._affordable())
        self.rows = np.unique(np.concatenate([units.own[self.chosen].ravel(), units.others[self.chosen].ravel()]))
        asked = samples.take(self.rows)
        self.asked = len(np.unique(asked.ids if cast.teacher.identity.by == "id" else asked.keys()))
        self.decisions = self._of(cast.teacher)
        self.teacher = units.difference(self.decisions, self.chosen)
        self.twin = None if isinstance(cast.twin, Empty) else units.difference(self._of(cast.twin), self.chosen)

    def _everywhere(self, subject: Subject) -> Values:
        return self.units.difference(self._reading.of(subject, self._samples, self._ask))

    def _of(self, subject: Subject) -> Values:
        out = np.full(len(self._samples), np.nan)
        out[self.rows] = self._reading.of(subject, self._samples.take(self.rows), self._ask)
        return out

    def _distinct(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many rows the first units of an order need together, for each number of units."""
        both = np.concatenate([self.units.own[order], self.units.others[order]], axis=1)
        _, first = np.unique(both.ravel(), return_index=True)
        return np.cumsum(np.bincount(first // both.shape[1], minlength=len(order)))

    def _affordable(self) -> int:
        most = self.recipe.questions
        # by the reverse order, which is as much one of chance
        n = int(np.searchsorted(self._distinct(np.arange(len(self.units))[::-1]), most, side="right"))
        if n < len(self.units):
            n = int(SURELY * n)
        return min(n, int(np.searchsorted(self._distinct(np.arange(len(self.units))), most, side="right")))

    def _value(self, measure: str, difference: Values) -> Values:
        if measure == GAP:
            return difference
        return np.where(np.isnan(difference), np.nan, np.abs(difference) > self.recipe.beyond)

    def counted(self, measure: str, difference: Values) -> tuple[Interval, Interval]:
        """Return the value over all units of the pool, and widened to the population."""
        values = self._value(measure, difference)
        if np.isnan(values).any() or not len(values):
            nothing = unknown("the proxy failed in some rows, or no row has enough neighbours", len(values))
            return nothing, nothing
        return counted_or_unknown(float(values.mean()), len(values), 0.95), mean(values, span=_span(measure))

    def _assisted(self, measure: str, difference: Values) -> Assisted:
        y, s, span = self._value(measure, difference), self._value(measure, self.sharp), _span(measure)
        fills = (y, *(np.where(np.isnan(y), end, y) for end in span))
        middle, low, high = (assisted(values, s[self.chosen], s, span=span) for values in fills)
        return bounded([middle], [low], [high], [1.0])

    @property
    def bought(self) -> dict[str, Any]:
        """What the proxy's help was worth."""
        if self.refusal:
            return {"asked": False, "reason": self.refusal}
        found = self._assisted(GAP, self.teacher)
        return {"asked": True, "plain": found.plain.to_data(), "width_ratio": finite(found.width_ratio)}

    def figures(self, measure: str, rng: np.random.Generator) -> Figures:
        """Return one measure."""
        proxy, population = self.counted(measure, self.proxy)
        theirs = [self.counted(measure, one)[0] for one in self.strangers]
        reason = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known"
        control = among(proxy, theirs, self.cast.control_kind, reason)
        strangers = control.interval
        if self.refusal:
            nothing, none = unknown(self.refusal, len(self.units)), Empty("the twin was not asked: too few units")
            nobody = Control(reason="the teacher was not asked: too few units")
            return Figures(nothing, nothing, proxy, population, nobody, control, strangers, none, 0)
        found = self._assisted(measure, self.teacher)
        twin: Interval | Empty = self.cast.twin if isinstance(self.cast.twin, Empty) else Empty("it is not known")
        if self.twin is not None and (best := self._assisted(measure, self.twin).interval).known:
            twin = best
        chance = self._by_chance(measure, rng)
        return Figures(
            found.interval, found.population, proxy, population, chance, control, strangers, twin, self.asked
        )

    def _by_chance(self, measure: str, rng: np.random.Generator) -> Control:
        """Return what the same rows show when the neighbours of a unit are parted by chance."""
        own, others = self.units.own[self.chosen], self.units.others[self.chosen]
        both, k = self.decisions[np.concatenate([own, others], axis=1)], own.shape[1]
        drawn = np.empty(DRAWS)
        for draw in range(DRAWS):
            mixed = rng.permuted(both, axis=1)
            drawn[draw] = np.nanmean(self._value(measure, mixed[:, :k].mean(axis=1) - mixed[:, k:].mean(axis=1)))
        if np.isnan(drawn).any():
            return Control(reason="too many rows failed")
        low, high = np.quantile(drawn, (0.025, 0.975))
        middle, n = float(drawn.mean()), len(self.chosen)
        return Control(Interval(middle, float(low), float(high), n, 0.95, f"{DRAWS} permutations"), "permuted")


def _span(measure: str) -> tuple[float, float]:
    return (-1.0, 1.0) if measure == GAP else (0.0, 1.0)
