"""Whether groups are decided alike among those with the same recorded outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as with_default
from functools import partial
from itertools import zip_longest
from typing import Any, Literal

import numpy as np

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.probe.contrasts import method_of, tell_contrasts
from kdaudit.probe.figures import Control, Figures, Heading, among, three_rows
from kdaudit.probe.groups import MARGIN, STREAM, Parity
from kdaudit.probe.pools import OfPool
from kdaudit.probe.quantities import Name
from kdaudit.probe.sentences import amount, capital
from kdaudit.probe.stops import Heard, Rule, check, heard, looked, stopped
from kdaudit.probe.surveys import LEVEL, Survey
from kdaudit.samples import Samples
from kdaudit.statistics.choice import queue
from kdaudit.statistics.many import bonferroni, stepped
from kdaudit.statistics.verdicts import fault
from kdaudit.subject import Ask

WORST = "equalized_odds_difference"
SIDES: tuple[Name, Name] = ("true_positive_rate", "false_positive_rate")
Worst = dict[str, list[Figures]]


@dataclass(frozen=True)
class EqualizedOdds(OfPool):
    """Whether true and false positive rates of each group are those of the reference group (Hardt et al. 2016).

    The worse of both differences is judged, as in fairlearn; where either rate has no rows, the answer is undecided.

    Parameters
    ----------
    field, reference, groups, cuts, questions, minimum, output, yes, outcome, names
        As for `kdaudit.probe.groups.Parity`; half of the questions go to either outcome.
    margin : float
        Largest difference that is accepted.
    stop, looks, family
        As for `kdaudit.probe.groups.Parity`, of the worse difference of each group.
    """

    field: str | tuple[str, ...]
    reference: str | None = None
    groups: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()
    margin: float = MARGIN
    questions: int = 1_000
    minimum: int = 30
    output: str = ""
    yes: str = "scored above the line"
    outcome: str = "yes"
    names: Mapping[str, str] = with_default(default_factory=dict)
    stop: Literal["planned", "never"] = "planned"
    looks: int = 5
    family: Literal["holm", "bonferroni"] = "holm"

    def __post_init__(self) -> None:
        check(self.stop, self.looks)
        if self.questions < 2:
            raise InvalidInput("questions must be at least 2: one for either outcome")
        self._side(SIDES[0])

    def _side(self, measure: Name) -> Parity:
        half = self.questions // 2
        return Parity(
            self.field, self.reference, self.groups, self.cuts, self.margin, half, self.minimum, measure, self.output,
            self.yes, self.outcome, self.names, stop="never", family="bonferroni",
        )  # fmt: skip

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        return min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        order = queue(samples, rng, STREAM)
        recipes = [self._side(measure) for measure in SIDES]
        opened = [recipes[0].opened(cast, samples, ask, order, bonferroni(LEVEL, 2))]
        # the largest group among those with one outcome need not be the largest among the others
        recipes[1] = replace(recipes[1], reference=opened[0][0].reference)
        opened.append(recipes[1].opened(cast, samples, ask, order, bonferroni(LEVEL, 2)))
        surveys = self._answered(cast, [(survey, hear) for survey, hear, _ in opened])
        rows: list[Row] = []
        worst: Worst = {}
        context: dict[str, Any] = {"population": samples.origin.name, "pool": len(samples), "contrasts": {}}
        for measure, recipe, survey in zip(SIDES, recipes, surveys, strict=True):
            telling = recipe.telling(survey)
            found, _, bought = tell_contrasts(survey, telling, rng)
            rows += found
            context["contrasts"] |= {f"{measure}, {group}": one for group, one in bought.items()}
            context["method"] = f"{method_of(survey)}; both rates hold together"
            for other in survey.others:
                name = survey.strata.contrast(other, survey.reference)
                worst.setdefault(name, []).append(_figures(found, name, telling.compared))
        claims, reference = [], surveys[0].reference
        for other in dict.fromkeys(other for survey in surveys for other in survey.others):
            name = surveys[0].strata.contrast(other, reference)
            figures = _worst(worst[name], _beside(surveys, other), cast)
            title = f"{name}: the larger of both differences of rates"
            end = max([2 * self.margin, *(x.high for x in (figures.teacher, figures.proxy) if x.known)])
            rows += three_rows(figures, Heading(WORST, name, title, "points", 0.0, end), cast)
            claims.append(self._claim(name, figures.teacher))
        return Evidence(
            question="",
            title=f"Are groups of {self.field} decided as {reference} among those with the same outcome?",
            rows=tuple(rows),
            claims=tuple(claims),
            context=context
            | {
                "margin": self.margin,
                "reference": reference,
                "sentences": stopped(surveys, self.stop, self.questions),
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    def _answered(self, cast: Cast, opened: list[tuple[Survey, Heard]]) -> list[Survey]:
        """Ask about both outcomes, look by look, until the worse difference of every group is decided."""
        rule = Rule(self.stop, self.looks, "at most", self.margin)
        now = [survey for survey, _ in opened]
        for states in zip_longest(*(looked(survey, partial(hear, cast.teacher), rule) for survey, hear in opened)):
            # one side may have nobody to ask, and so no looks
            now = self._settled([new or old for new, old in zip(states, now, strict=True)])
            if all(self._decided(now, other, now[0].level_of(other)) for other in _compared(now)):
                break
        return [heard(survey, hear) for survey, (_, hear) in zip(now, opened, strict=True)]

    def _settled(self, sides: list[Survey]) -> list[Survey]:
        both = _compared(sides)
        if self.family != "holm" or len(both) < 2:
            return sides
        levels = stepped(both, sides[0].confidence, lambda other, level: self._decided(sides, other, level))
        return [replace(one, levels=levels) for one in sides]

    def _decided(self, sides: list[Survey], other: str, level: float) -> bool:
        first, second = (one.told(other, level) for one in sides)
        return fault(larger(first, second), "at most", self.margin) != "undecided"

    def _claim(self, name: str, found: Interval) -> Claim:
        text = f"true and false positive rates differ by at most {amount(self.margin, 'points')} ({name})"
        told = f"true or false positive rates differ by {found.text('points')} ({name})."
        return Claim(capital(text), WORST, name, "at most", self.margin, "teacher", capital(told), self.minimum)


def _figures(rows: list[Row], group: str, measure: str) -> Figures:
    """Return what the rows of one contrast say, as the figures that they were made from."""
    teacher, proxy, _ = (r for r in rows if r.group == group and r.measure == measure)
    unkept = unknown("told for these rows alone")
    return Figures(
        teacher.value,
        unkept,
        proxy.value,
        unkept,
        Control(reason="groups exchanged by chance have a difference of 0"),
        Control(proxy.control, proxy.control_kind) if proxy.control is not None else Control(reason=proxy.no_control),  # type: ignore[arg-type]
        proxy.control if proxy.control_kind in ("strangers_proxy", "label_only") else None,
        Empty(teacher.no_ceiling) if teacher.ceiling is None else teacher.ceiling,
        teacher.asked,
    )


def _compared(sides: list[Survey]) -> list[str]:
    return [other for other in sides[0].tested if other in sides[1].tested]


def _beside(surveys: list[Survey], other: str) -> list[Interval]:
    """Return the larger difference of each stranger's proxy; none where a group has rows of one outcome alone."""
    if any(other not in survey.others for survey in surveys):
        return []
    return [larger(a, b) for a, b in zip(*(survey.beside(other) for survey in surveys), strict=True)]


def _worst(sides: list[Figures], strangers: list[Interval], cast: Cast) -> Figures:
    """Return the larger absolute difference of two, as an interval that holds where both do."""
    if len(sides) < len(SIDES):
        lacking = unknown("no row of this group has the other outcome")
        sides = [*sides, replace(sides[0], teacher=lacking, proxy=lacking)]
    first, second = sides
    proxy = larger(first.proxy, second.proxy)
    reason = cast.stranger.reason if isinstance(cast.stranger, Empty) else "it is not known"
    control = among(proxy, strangers, cast.control_kind, first.proxy_control.reason or reason)
    twins = [side.twin for side in sides]
    twin: Interval | Empty = next((t for t in twins if isinstance(t, Empty)), Empty("it is not known"))
    if isinstance(twins[0], Interval) and isinstance(twins[1], Interval):
        twin = larger(twins[0], twins[1])
    return Figures(
        larger(first.teacher, second.teacher),
        first.teacher_population,
        proxy,
        first.proxy_population,
        first.teacher_control,
        control,
        control.interval,
        twin,
        first.asked + second.asked,
    )


def larger(first: Interval, second: Interval) -> Interval:
    """Return the larger absolute value of two, unknown where either is."""
    for part in (first, second):
        if not part.known:
            return part
    ends = [sorted((abs(p.low), abs(p.high))) for p in (first, second)]
    lows = [0.0 if p.low <= 0 <= p.high else end[0] for p, end in zip((first, second), ends, strict=True)]
    method = " and ".join(dict.fromkeys((first.method, second.method)))
    value = max(abs(first.value), abs(second.value))
    return Interval(value, max(lows), max(end[1] for end in ends), first.n + second.n, LEVEL, method)
