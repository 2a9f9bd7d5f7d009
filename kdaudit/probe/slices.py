"""In which subgroup does the teacher err most?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.domain import Category
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.measures.strata import Strata, grouped
from kdaudit.probe.contrasts import method_of, tell_contrasts
from kdaudit.probe.families import in_sequence
from kdaudit.probe.figures import three_rows
from kdaudit.probe.groups import STREAM, Parity
from kdaudit.probe.pools import OfPool
from kdaudit.probe.quantities import QUANTITIES, outcomes
from kdaudit.probe.readings import Reading
from kdaudit.probe.sentences import capital
from kdaudit.probe.stops import Heard, Rule, answered, check, heard, stopped
from kdaudit.probe.surveys import LEVEL, Survey
from kdaudit.samples import Samples
from kdaudit.statistics.choice import queue
from kdaudit.statistics.many import Family, bonferroni, stepped
from kdaudit.statistics.search import Limits, Slice, search
from kdaudit.statistics.verdicts import fault
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
        Subgroups that are judged, worst first; they share the level as `family` says.
    margin : float
        Largest difference from all other rows that is accepted.
    questions : int
        Most teacher rows, shared evenly by the subgroups.
    minimum : int
        Rows of the other half below which a subgroup stays undecided.
    output, yes : str
        As for `kdaudit.probe.groups.Parity`.
    stop, looks
        Of each subgroup by itself; as for `kdaudit.probe.groups.Parity`.
    family : {"holm", "bonferroni", "fixed-sequence"}
        As there; in a sequence the subgroup first that is worst in the proxy, with as many questions as it needs.
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
    stop: Literal["planned", "never"] = "planned"
    looks: int = 5
    family: Family = "holm"

    def __post_init__(self) -> None:
        check(self.stop, self.looks)
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
        cuts = [(" and ".join(names[i] for i in one.conditions), one) for one in found]
        inside = {name: np.asarray(masks[list(one.conditions)][:, judged].all(axis=0)) for name, one in cuts}
        half = samples.take(judged)

        def opened(name: str, questions: int) -> tuple[Inside, tuple[Survey, Heard]]:
            recipe = self._inside(name, list(inside).index(name), inside[name], questions)
            confidence = LEVEL if self.family == "fixed-sequence" else bonferroni(LEVEL, len(found))
            survey, hear, _ = recipe.opened(cast, half, ask, order[judged], confidence)
            return recipe, (survey, hear)

        surveys = self._surveys(cast, list(inside), opened)
        evidence = self._evidence(cast, surveys, half, rng)
        searched = f"{tried:,} subgroups were looked at on {int((~judged).sum()):,} rows, by the proxy's answers."
        told = [searched, *(_found_where(name, one) for name, one in cuts), *evidence.context["sentences"]]
        return replace(evidence, context={**evidence.context, "sentences": told, "tried": tried})

    def _surveys(
        self, cast: Cast, names: list[str], opened: Callable[[str, int], tuple[Inside, tuple[Survey, Heard]]]
    ) -> list[tuple[Inside, Survey]]:
        """Ask about all subgroups, or about one after the other, the one first in which the proxy points most."""
        rule, recipes = Rule(self.stop, self.looks, "within", self.margin), {}

        def one(name: str, questions: int, why: str) -> Survey:
            recipes[name], (survey, hear) = opened(name, questions)
            if why:
                return survey.unasked(why)
            return heard(answered(survey, partial(hear, cast.teacher), rule), hear)

        if self.family == "fixed-sequence":
            surveys = in_sequence(names, self.questions, one, rule)
        else:
            surveys = [one(name, max(self.questions // len(names), 1), "") for name in names]
        if self.family == "holm":
            by_name = dict(zip(names, surveys, strict=True))
            tested = [name for name in names if by_name[name].tested]

            def decides(name: str, level: float) -> bool:
                return fault(by_name[name].told(name, level), rule.form, rule.margin) != "undecided"

            levels = stepped(tested, LEVEL, decides)
            surveys = [replace(x, levels={n: levels[n]} if n in levels else {}) for n, x in by_name.items()]
        return [(recipes[name], survey) for name, survey in zip(names, surveys, strict=True)]

    def _evidence(
        self, cast: Cast, surveys: list[tuple[Inside, Survey]], half: Samples, rng: np.random.Generator
    ) -> Evidence:
        rows: list[Row] = []
        claims: list[Claim] = []
        context: dict[str, Any] = {"population": half.origin.name, "pool": len(half), "contrasts": {}}
        told, left = [], self.questions
        for recipe, survey in surveys:
            telling = recipe.telling(survey)
            more, claim, bought = tell_contrasts(survey, telling, rng)
            rows += more
            claims += claim
            for level in (survey.reference, *survey.others):
                rows += three_rows(survey.group(level), telling.group(level), survey.cast)
            context["contrasts"] |= bought
            how = "hold" if self.family == "bonferroni" else "are decided"
            context["method"] = f"{method_of(survey)}; {len(surveys)} subgroups {how} together ({self.family})"
            most = left if self.family == "fixed-sequence" else recipe.questions
            told += stopped([survey], self.stop, most, capital(telling.who(survey.others[0])))
            left -= len(survey.design.chosen)
        return Evidence(
            question="",
            title=f"Are there subgroups that are {self._said} more often than all others?",
            rows=tuple(rows),
            claims=tuple(claims),
            context=context | {"sentences": told, "margin": self.margin},
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

    def _inside(self, name: str, at: int, inside: NDArray[np.bool_], questions: int) -> Inside:
        cut = Strata(f"subgroup {at + 1}", (name, OTHERS), np.where(inside, 0, 1))
        return Inside(
            field=cut.field,
            reference=OTHERS,
            margin=self.margin,
            questions=questions,
            minimum=self.minimum,
            measure=self.measure,
            output=self.output,
            yes=self.yes,
            names={name: f"rows with {name}", OTHERS: OTHERS},
            stop="never",
            family="bonferroni",
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
