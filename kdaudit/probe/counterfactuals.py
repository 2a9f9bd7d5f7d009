"""What changes when one field is changed, alone or with what commonly goes along with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.condition import parse
from kdaudit.domain import Category
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval
from kdaudit.probe.figures import Figures, Heading, scale, three_rows
from kdaudit.probe.groups import STREAM
from kdaudit.probe.likeness import flip_rows
from kdaudit.probe.pools import OfPool
from kdaudit.probe.sentences import capital, few_flips, how_flipped, how_shifted, listed, no_shift
from kdaudit.probe.stops import Stops, check
from kdaudit.probe.trials import RATE, SCORED, SHIFT, Claims, Sides, Trial
from kdaudit.samples import Samples
from kdaudit.sampling.companions import having, with_companions
from kdaudit.statistics.choice import queue
from kdaudit.subject import Ask, Subject


@dataclass(frozen=True)
class Flip(OfPool):
    """Whether the decision about a row changes when one field is set from `other` to `level`, all else kept.

    The teacher answers both sides of `questions` rows, chosen where the proxy may be wrong about the change; the proxy
    answers both sides of the whole pool, and the change of its scores, read as chances, sharpens the teacher's
    intervals (paired by row).

    Parameters
    ----------
    field : str
        A category or a number.
    level, other : str or float
        The two values.
    margin : float
        Largest shift of the rate of yes, and largest share of changed decisions, that is accepted.
    questions : int
        Rows asked, each on both sides: twice as many teacher rows at most.
    minimum : int
        Rows of the pool below which the answer stays undecided.
    output : str
        Of several outputs, the one that counts as yes.
    yes : str
        What a yes means for people.
    companions : tuple of str
        Fields that commonly go along with the field, such as occupation and hours with sex: they are changed with it,
        to those of a row of the pool that has the other value and is like this one in all other fields.  None: the
        field is changed alone.
    neighbours : int
        How many such rows one is drawn from, by the plan's seed.
    stop, looks, family
        As for `kdaudit.probe.groups.Parity`.
    """

    field: str
    level: str | float
    other: str | float
    margin: float = 0.05
    questions: int = 500
    minimum: int = 30
    output: str = ""
    yes: str = "scored above the line"
    companions: tuple[str, ...] = ()
    neighbours: int = 16
    stop: Stops = "planned"
    looks: int = 5
    family: Literal["holm", "bonferroni"] = "holm"

    def __post_init__(self) -> None:
        check(self.stop, self.looks)
        object.__setattr__(self, "companions", tuple(self.companions))
        if self.neighbours < 1 or self.field in self.companions:
            raise InvalidInput(f"neighbours is at least 1, and {self.field} is no companion of itself")
        if self.margin <= 0 or self.questions < 1 or self.minimum < 2:
            raise InvalidInput("margin must be above 0, questions at least 1 and minimum at least 2")
        if self.level == self.other:
            raise InvalidInput(f"level and other are both {self.level!r}; two values were expected")

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows: both sides of each row asked."""
        return 2 * min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        OutOfDomain
            If the field does not admit one of the values.
        """
        for value in (self.level, self.other):
            # said even where no row is asked
            _check(samples, self.field, value)
        order = queue(samples, rng, STREAM)
        # apart, so that the choice of rows is that of all other questions
        sides = self._sides(samples, rng.spawn(1)[0])
        keep = self._possible(sides)
        few = self._too_few(cast.teacher, samples, int(keep.sum()))
        possible = Sides(samples.take(keep), (sides[0].take(keep), sides[1].take(keep)), order[keep])
        claims_of = Claims(
            self.margin, self.stop, self.looks, 0 if few else self.questions, few, self.minimum, self.family
        )
        trial = Trial(cast, possible, ask, claims_of, self.output)
        rows: list[Row] = []
        worth: dict[str, Any] = {}
        claims: list[Claim] = []
        for measure in trial.measures:
            figures, worth[measure] = trial.figures(measure)
            rows += three_rows(figures, self._heading(measure, figures), cast)
            if measure != SCORED:
                claims.append(self._claim(measure, figures.teacher))
        rows += flip_rows(trial, self._group)
        return Evidence(
            question="",
            title=f"Does {self._what}, {self.level} or {self.other}, change the decision?",
            rows=tuple(rows),
            claims=tuple(claims),
            context={
                "population": samples.origin.name,
                "pool": len(possible.rows),
                "impossible": int((~keep).sum()),
                "rows_asked": len(trial.design.chosen),
                "failed": trial.failed,
                "margin": self.margin,
                "method": f"{trial.method}, covariate: the change of the proxy's scores, read as chances; "
                f"{trial.shared}",
                "contrasts": worth,
                "sentences": trial.sentences,
                **({"companions": list(self.companions), "neighbours": self.neighbours} if self.companions else {}),
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    @property
    def _group(self) -> str:
        # two questions of one plan, of the field alone and with companions, must be told apart
        along = " and companions" if self.companions else ""
        return f"{self.field}{along}: {self.level} - {self.other}"

    @property
    def _change(self) -> str:
        return f"{self.field.replace('_', ' ')} from {self.other} to {self.level}"

    @property
    def _what(self) -> str:
        field = self.field.replace("_", " ")
        return f"{field} with {listed(self._moved)}" if self.companions else f"{field} alone"

    @property
    def _moved(self) -> list[str]:
        return [name.replace("_", " ") for name in self.companions]

    def _said(self, text: str) -> str:
        """Return a sentence about a change of the field alone, told of its companions too where there are any."""
        if not self.companions:
            return text
        return text.replace("and nothing else", f"and {listed(self._moved)} with it, as like rows have them,")

    def _sides(self, samples: Samples, rng: np.random.Generator) -> tuple[Samples, Samples]:
        if not self.companions or not all(len(having(samples, self.field, x)) for x in (self.level, self.other)):
            return samples.setting(self.field, self.level), samples.setting(self.field, self.other)
        first, second = (
            with_companions(samples, self.field, value, self.companions, chance, k=self.neighbours)
            for value, chance in zip((self.level, self.other), rng.spawn(2), strict=True)
        )
        return first, second

    def _possible(self, sides: tuple[Samples, Samples]) -> NDArray[np.bool_]:
        """Return which rows fulfil the domain's constraints on both sides."""
        domain = sides[0].domain
        out = np.ones(len(sides[0]), dtype=bool)
        for text in domain.constraints:
            for side in sides:
                out &= parse(text, domain).mask(side)
        return out

    def _too_few(self, teacher: Subject, samples: Samples, n: int) -> str:
        if teacher.identity.by == "id":
            return f"{teacher.identity.name} is a record of answers; it cannot answer a row with a field changed"
        if n < self.minimum:
            return f"{n} rows in the pool; at least {self.minimum} are needed"
        for value in (self.level, self.other) if self.companions else ():
            lenders = len(having(samples, self.field, value))
            if lenders < self.minimum:
                return (
                    f"{lenders} rows have {self.field} {value}; at least {self.minimum} are needed to draw "
                    f"{listed(self._moved)} from"
                )
        return ""

    def _heading(self, measure: str, figures: Figures) -> Heading:
        change = f"{self._change} ({listed(self._moved)} with it)" if self.companions else self._change
        if measure == RATE:
            return Heading(RATE, self._group, capital(f"share of decisions that turn with {change}"), "percent")
        end = scale([figures.teacher, figures.proxy], self.margin)
        if measure == SCORED:
            return Heading(SCORED, self._group, capital(f"mean change of the score, {change}"), "", -end, end)
        title = capital(f"change of how many are {self.yes}, {change}")
        return Heading(SHIFT, self._group, title, "points", -end, end)

    def _claim(self, measure: str, found: Interval) -> Claim:
        shift = measure == SHIFT
        return Claim(
            text=self._said(
                no_shift(self._change, self.yes, self.margin) if shift else few_flips(self._change, self.margin)
            ),
            measure=measure,
            group=self._group,
            form="within" if shift else "at most",
            margin=self.margin,
            about="teacher",
            found=self._said(how_shifted(self._change, self.yes, found) if shift else how_flipped(self._change, found)),
            minimum=self.minimum,
        )


def _check(samples: Samples, field: str, value: str | float) -> None:
    item = samples.domain[field]
    if isinstance(item, Category):
        samples.domain.code(field, str(value))
    elif isinstance(value, str):
        raise InvalidInput(f"{field} is a {item.kind}; {value!r} is no number")
    samples.take([0] if len(samples) else []).setting(field, value)
