"""Whether groups are decided, or scored, alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as with_default
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval
from kdaudit.measures.strata import Strata, stratify
from kdaudit.probe.figures import Figures, Heading, scale, three_rows
from kdaudit.probe.readings import Reading, What, read_pool
from kdaudit.probe.sentences import equally_high, equally_often, how_high, how_often, listed
from kdaudit.probe.surveys import Survey
from kdaudit.samples import Samples
from kdaudit.signal import SCORE, Signal
from kdaudit.statistics.choice import balanced, queue
from kdaudit.subject import Ask

STREAM = "probe/rows"
"""Probes choose rows by one stream, so that they share rows, and so answers."""
MOST_NAMED = 3
"""Groups that a title names; of more it gives the number."""


@dataclass(frozen=True)
class Parity:
    """Whether each group is decided as the reference group is.

    The teacher answers about `questions` rows, chosen evenly over the groups; the proxy answers the whole pool and
    sharpens the teacher's interval (PPI++), which stays valid whatever the proxy is worth.

    Parameters
    ----------
    field : str
        A category, or a number with `cuts`.
    reference : str, optional
        Group to compare with; the one with most rows if not given.
    groups : tuple of str
        Groups to compare; all others if empty.
    cuts : tuple of float
        Rising ends of bands of a number.
    margin : float
        Largest difference that is accepted, in shares (0.05: 5 points) or in units of the score.
    questions : int
        Most teacher rows.
    minimum : int
        Rows of the pool below which a group stays undecided.
    measure : {"selection_rate", "score"}
        Rate of yes, or mean score.
    output : str
        Of several outputs, the one that counts as yes.
    yes : str
        What a yes means for people: "Women are `yes` less often than men".
    names : mapping of str to str
        Groups in words, such as ``{"female": "women"}``.
    """

    field: str
    reference: str | None = None
    groups: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()
    margin: float = 0.05
    questions: int = 1_000
    minimum: int = 30
    measure: What = "selection_rate"
    output: str = ""
    yes: str = "scored above the line"
    names: Mapping[str, str] = with_default(default_factory=dict)

    def __post_init__(self) -> None:
        if self.margin <= 0 or self.questions < 1 or self.minimum < 2:
            raise InvalidInput("margin must be above 0, questions at least 1 and minimum at least 2")

    @property
    def needs(self) -> frozenset[Signal]:
        """Scores, if they are compared; a decision can be read off anything."""
        return frozenset({SCORE}) if self.measure == "score" else frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The pool."""
        return "pool"

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows: `questions`, or all rows."""
        return min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If the field makes no groups or a group is unknown.
        """
        order = queue(samples, rng, STREAM)
        strata = stratify(samples, self.field, self.cuts)
        reference = strata.check(self.reference) if self.reference is not None else strata.largest
        others = [strata.check(level) for level in self.groups] or [
            level for level in strata.levels if level != reference and strata.count(level)
        ]
        if reference in others or not others:
            raise InvalidInput(f"{self.field} needs a group to compare with {reference!r}, other than itself")
        reading = Reading(self.measure, self.output)
        pool = read_pool(cast, samples, ask, reading)
        chosen = self._chosen(strata, [reference, *others], order)
        rows = samples.take(chosen)
        y = reading.of(cast.teacher, rows, ask)
        twin = None if isinstance(cast.twin, Empty) else reading.of(cast.twin, rows, ask)
        survey = Survey(cast, samples, strata, reference, tuple(others), pool, chosen, y, twin, self.minimum, reading)
        return self._evidence(survey, rng)

    def _chosen(self, strata: Strata, levels: list[str], order: NDArray[np.uint64]) -> NDArray[np.int64]:
        # a group too small to be decided gets no questions
        wanted = [strata.levels.index(level) for level in levels if strata.count(level) >= self.minimum]
        groups = np.where(np.isin(strata.place, wanted), strata.place, -1)
        return balanced(groups, self.questions, order)

    def _evidence(self, survey: Survey, rng: np.random.Generator) -> Evidence:
        """Return the evidence: contrasts first, then the groups."""
        rows: list[Row] = []
        claims: list[Claim] = []
        contrasts: dict[str, Any] = {}
        # apart, so that the teacher's rows are the same for every proxy, whether or not that has a stranger
        for_teacher, for_proxy = rng.spawn(2)
        for other in survey.others:
            name = survey.strata.contrast(other, survey.reference)
            figures, contrasts[name] = survey.contrast(other, (for_teacher, for_proxy))
            rows += three_rows(figures, self._heading(survey, name, other, figures), survey.cast)
            claims.append(self._claim(survey, name, other, figures.teacher))
        for level in (survey.reference, *survey.others):
            title = f"{self._who(survey.strata, level)}: {'how often ' + self.yes if self._decides else 'mean score'}"
            heading = Heading(self.measure, survey.strata.group(level), title, "percent" if self._decides else "")
            rows += three_rows(survey.group(level), heading, survey.cast)
        return Evidence(
            question="",
            title=self._title(survey),
            rows=tuple(rows),
            claims=tuple(claims),
            context=self._context(survey, contrasts),
            shows="transfer",
            proxy_name=survey.cast.proxy_name,
        )

    @property
    def _decides(self) -> bool:
        return self.measure == "selection_rate"

    def _who(self, strata: Strata, level: str) -> str:
        return self.names.get(level, strata.words(level))

    def _heading(self, survey: Survey, name: str, other: str, figures: Figures) -> Heading:
        end = scale([figures.teacher, figures.proxy], self.margin)
        what = f"how much more often {self.yes}" if self._decides else "how much higher the mean score"
        title = f"{self._who(survey.strata, other)} against {self._who(survey.strata, survey.reference)}: {what}"
        return Heading(f"{self.measure}_difference", name, title, _unit(survey.cast), -end, end)

    def _claim(self, survey: Survey, name: str, other: str, gap: Interval) -> Claim:
        who, whom, margin, yes = (
            self._who(survey.strata, other),
            self._who(survey.strata, survey.reference),
            self.margin,
            self.yes,
        )
        unit = _unit(survey.cast)
        return Claim(
            text=equally_often(who, whom, yes, margin) if self._decides else equally_high(who, whom, margin, unit),
            measure=f"{self.measure}_difference",
            group=name,
            form="within",
            margin=margin,
            about="teacher",
            found=how_often(who, whom, yes, gap) if self._decides else how_high(who, whom, gap, unit),
            minimum=self.minimum,
        )

    def _title(self, survey: Survey) -> str:
        whom = self._who(survey.strata, survey.reference)
        compared = [self._who(survey.strata, level) for level in survey.others]
        who = listed(compared) if len(compared) <= MOST_NAMED else f"{len(compared)} groups of {self.field}"
        alike = f"{self.yes} as often as" if self._decides else "given the same score as"
        return f"Are {who} {alike} {whom}?"

    def _context(self, survey: Survey, contrasts: dict[str, Any]) -> dict[str, Any]:
        levels = (survey.reference, *survey.others)
        count = len(survey.tested)
        together = f"; {count} contrasts hold together (Bonferroni, each at {survey.level:.2%})" if count > 1 else ""
        return {
            "population": survey.samples.origin.name,
            "pool": len(survey.samples),
            "rows": {survey.strata.group(level): survey.strata.count(level) for level in levels},
            "asked": {survey.strata.group(level): int(survey.inside(level).sum()) for level in levels},
            "failed": int(np.isnan(survey.y).sum()),
            "margin": self.margin,
            "reference": survey.reference,
            "method": f"rows chosen evenly over groups; PPI++, covariate: the proxy's score read as a chance{together}",
            "contrasts": contrasts,
            "sentences": self._not_compared(survey),
            "left_out": [
                survey.strata.group(level) for level in levels if level not in (*survey.tested, survey.reference)
            ],
        }

    def _not_compared(self, survey: Survey) -> list[str]:
        strata, named = survey.strata, (survey.reference, *survey.others)
        counts = {level: strata.count(level) for level in strata.levels if level not in named and strata.count(level)}
        if not counts:
            return []
        groups = ", ".join(f"{strata.words(level)} ({n:,} rows)" for level, n in counts.items())
        return [f"Not compared, since the plan names other groups: {groups}."]


def _unit(cast: Cast) -> str:
    return "points" if cast.teacher.scale == "probability" else ""
