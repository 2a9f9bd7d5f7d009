"""In which subgroup does the teacher err most?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.domain import Category
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.measures.strata import Strata, grouped
from kdaudit.probe.figures import three_rows
from kdaudit.probe.groups import STREAM, Parity, method_of, tell_contrasts
from kdaudit.probe.pools import OfPool
from kdaudit.probe.quantities import QUANTITIES, outcomes
from kdaudit.probe.readings import Reading
from kdaudit.probe.surveys import LEVEL
from kdaudit.samples import Samples
from kdaudit.statistics.choice import queue
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.search import Limits, Slice, search
from kdaudit.subject import Ask

OTHERS = "all other rows"


@dataclass(frozen=True, eq=False)
class Inside(Parity):
    """A subgroup against all other rows; see `kdaudit.probe.groups.Parity`."""

    cut: Strata | None = None

    def _groups(self, samples: Samples) -> Strata:  # noqa: ARG002 - cut before
        assert self.cut is not None
        return self.cut


@dataclass(frozen=True)
class Slices(OfPool):
    """Whether the worst subgroups that the proxy points to are worse for the teacher by more than the margin.

    Subgroups are searched on one half of the pool, by the proxy's answers alone; the worst are judged by teacher rows
    of the other half, so that being the worst of many flatters none of them.

    Parameters
    ----------
    fields : tuple of str
        Fields to cut by: levels of categories, quarters of numbers; all of them if empty.
    measure : {"error_rate", "selection_rate"}
        Decided against the recorded outcome, or decided yes.
    depth : {1, 2}
        Conditions that are joined at most.
    least : int
        Rows that a subgroup has at least in the half that is searched.
    most : int
        Subgroups that are judged, worst first; all their intervals hold together.
    margin : float
        Largest difference from all other rows that is accepted.
    questions : int
        Most teacher rows, shared evenly by the subgroups.
    minimum : int
        Rows of the other half below which a subgroup stays undecided.
    output, yes : str
        As for `kdaudit.probe.groups.Parity`.
    """

    fields: tuple[str, ...] = ()
    measure: Literal["error_rate", "selection_rate"] = "error_rate"
    depth: Literal[1, 2] = 2
    least: int = 50
    most: int = 3
    margin: float = 0.05
    questions: int = 1_000
    minimum: int = 30
    output: str = ""
    yes: str = "scored above the line"

    def __post_init__(self) -> None:
        if self.margin <= 0 or self.least < 2 or self.most < 1 or self.questions < self.most:
            raise InvalidInput("margin must be above 0, least at least 2, most at least 1 and questions no fewer")

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        return min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If errors are asked for and there are no outcomes, or no field can be cut by.
        """
        order = queue(samples, rng, STREAM)
        names, fields, masks = _conditions(samples, self.fields)
        # halves by the rows' own random numbers: those that are asked first serve the judgement
        judged = np.asarray(order <= np.median(order), dtype=bool)
        value = self._value(cast, samples, ask)
        limits = Limits(self.least, self.depth, self.most)
        found, tried = search(masks[:, ~judged], fields, value[~judged], rng, limits)
        rows: list[Row] = []
        claims: list[Claim] = []
        context: dict[str, Any] = {"population": samples.origin.name, "pool": int(judged.sum()), "contrasts": {}}
        told = [f"{tried:,} subgroups were looked at on {int((~judged).sum()):,} rows, by the proxy's answers."]
        half = samples.take(judged)
        for at, one in enumerate(found):
            name = " and ".join(names[i] for i in one.conditions)
            inside = np.asarray(masks[list(one.conditions)][:, judged].all(axis=0))
            recipe = self._inside(name, at, inside, len(found))
            confidence = bonferroni(LEVEL, len(found))
            survey, _ = recipe.survey(cast, half, ask, order[judged], confidence=confidence)
            telling = recipe.telling(survey)
            more, claim, bought = tell_contrasts(survey, telling, rng)
            rows += more
            claims += claim
            for level in (survey.reference, *survey.others):
                rows += three_rows(survey.group(level), telling.group(level), survey.cast)
            context["contrasts"] |= bought
            context["method"] = f"{method_of(survey)}; {len(found)} subgroups hold together (Bonferroni)"
            told.append(_found_where(name, one))
        return Evidence(
            question="",
            title=f"Are there subgroups that are {self._said} more often than all others?",
            rows=tuple(rows),
            claims=tuple(claims),
            context=context | {"sentences": told, "margin": self.margin, "tried": tried},
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    @property
    def _said(self) -> str:
        return QUANTITIES[self.measure].yes.replace("{yes}", self.yes)

    def _value(self, cast: Cast, samples: Samples, ask: Ask) -> NDArray[np.float64]:
        """Return what the sharpener decides of each row: the same search for every proxy of the question."""
        quantity = QUANTITIES[self.measure]
        decided = Reading("selection_rate", self.output).of(cast.sharpener, samples, ask)
        return quantity.value(decided, outcomes(samples, self.measure, classes=True))

    def _inside(self, name: str, at: int, inside: NDArray[np.bool_], count: int) -> Inside:
        cut = Strata(f"subgroup {at + 1}", (name, OTHERS), np.where(inside, 0, 1))
        return Inside(
            field=cut.field,
            reference=OTHERS,
            margin=self.margin,
            questions=max(self.questions // count, 1),
            minimum=self.minimum,
            measure=self.measure,
            output=self.output,
            yes=self.yes,
            names={name: f"rows with {name}", OTHERS: OTHERS},
            cut=cut,
        )


def _found_where(name: str, one: Slice) -> str:
    return (
        f"Found on the searched half, by the proxy: {name} ({one.n:,} rows, {one.inside:.1%} against {one.outside:.1%} "
        f"of all others; by chance alone the best of all would be as far apart with p = {one.p:.3g})."
    )


def _conditions(samples: Samples, fields: tuple[str, ...]) -> tuple[list[str], list[int], NDArray[np.bool_]]:
    """Return names, fields and masks of all conditions: levels of categories, quarters of numbers."""
    names: list[str] = []
    places: list[int] = []
    masks: list[NDArray[np.bool_]] = []
    for at, field in enumerate(fields or samples.domain.names):
        strata = grouped(samples, field)
        if strata is None:
            if fields:
                raise InvalidInput(
                    f"{field} is a {samples.domain[field].kind}; subgroups are cut by categories and numbers"
                )
            continue
        for level in strata.levels:
            if strata.count(level):
                word = f"{field} = {level}" if isinstance(samples.domain[field], Category) else f"{field} {level}"
                names.append(word)
                places.append(at)
                masks.append(strata.place == strata.levels.index(level))
    if not masks:
        raise InvalidInput("there is no category and no number to cut by")
    return names, places, np.stack(masks)
