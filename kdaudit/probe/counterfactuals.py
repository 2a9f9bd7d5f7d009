"""What changes when one field is changed and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.condition import parse
from kdaudit.domain import Category
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.probe.estimates import LEAST_ERROR
from kdaudit.probe.figures import Control, Figures, Heading, bounded, counted_or_unknown, finite, scale, three_rows
from kdaudit.probe.groups import STREAM
from kdaudit.probe.readings import Pairs, Reading, Values, pairs, read_known
from kdaudit.probe.sentences import capital, few_flips, how_flipped, how_shifted, no_shift
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.statistics.active import Design, promised, reckoned, spread, weighted
from kdaudit.statistics.choice import Priorities, queue
from kdaudit.statistics.covariate import Assisted
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.rates import Span, critical, mean
from kdaudit.subject import Ask, Subject

SHIFT, RATE = "counterfactual_shift", "counterfactual_flip_rate"
CLAIMS = 2
UNSHOWN = 0.05
"""Share of the doubt about a decision that is also doubt about its change."""
SPANS: dict[str, Span] = {SHIFT: (-1.0, 1.0), RATE: (0.0, 1.0)}


@dataclass(frozen=True)
class Flip:
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
    """

    field: str
    level: str | float
    other: str | float
    margin: float = 0.05
    questions: int = 500
    minimum: int = 30
    output: str = ""
    yes: str = "scored above the line"

    def __post_init__(self) -> None:
        if self.margin <= 0 or self.questions < 1 or self.minimum < 2:
            raise InvalidInput("margin must be above 0, questions at least 1 and minimum at least 2")
        if self.level == self.other:
            raise InvalidInput(f"level and other are both {self.level!r}; two values were expected")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The pool."""
        return "pool"

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
        keep = self._possible(samples)
        order = queue(samples, rng, STREAM)[keep]
        possible = samples.take(keep)
        few = self._too_few(cast.teacher, len(possible))
        n = 0 if few else self.questions
        trial = _Trial(self, cast, possible, (n, order), ask, few)
        rows: list[Row] = []
        worth: dict[str, Any] = {}
        claims: list[Claim] = []
        for measure in (SHIFT, RATE):
            figures, worth[measure] = trial.figures(measure)
            rows += three_rows(figures, self._heading(measure, figures), cast)
            claims.append(self._claim(measure, figures.teacher))
        return Evidence(
            question="",
            title=f"Does {self.field.replace('_', ' ')} alone, {self.level} or {self.other}, change the decision?",
            rows=tuple(rows),
            claims=tuple(claims),
            context={
                "population": samples.origin.name,
                "pool": len(possible),
                "impossible": len(samples) - len(possible),
                "rows_asked": len(trial.design.chosen),
                "failed": trial.failed,
                "margin": self.margin,
                "method": f"{trial.method}, covariate: the change of the proxy's scores, read as chances; both claims "
                f"hold together (Bonferroni, each at {trial.confidence:.2%})",
                "contrasts": worth,
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    @property
    def _group(self) -> str:
        return f"{self.field}: {self.level} - {self.other}"

    @property
    def _change(self) -> str:
        return f"{self.field.replace('_', ' ')} from {self.other} to {self.level}"

    def _possible(self, samples: Samples) -> NDArray[np.bool_]:
        """Return which rows fulfil the domain's constraints on both sides."""
        out = np.ones(len(samples), dtype=bool)
        for text in samples.domain.constraints:
            condition = parse(text, samples.domain)
            for value in (self.level, self.other):
                out &= condition.mask(samples.setting(self.field, value))
        return out

    def _too_few(self, teacher: Subject, n: int) -> str:
        if teacher.identity.by == "id":
            return f"{teacher.identity.name} is a record of answers; it cannot answer a row with a field changed"
        if n < self.minimum:
            return f"{n} rows in the pool; at least {self.minimum} are needed"
        return ""

    def _heading(self, measure: str, figures: Figures) -> Heading:
        if measure == RATE:
            return Heading(RATE, self._group, capital(f"share of decisions that turn with {self._change}"), "percent")
        end = scale([figures.teacher, figures.proxy], self.margin)
        title = capital(f"change of how many are {self.yes}, {self._change}")
        return Heading(SHIFT, self._group, title, "points", -end, end)

    def _claim(self, measure: str, found: Interval) -> Claim:
        shift = measure == SHIFT
        return Claim(
            text=no_shift(self._change, self.yes, self.margin) if shift else few_flips(self._change, self.margin),
            measure=measure,
            group=self._group,
            form="within" if shift else "at most",
            margin=self.margin,
            about="teacher",
            found=how_shifted(self._change, self.yes, found) if shift else how_flipped(self._change, found),
            minimum=self.minimum,
        )


def _check(samples: Samples, field: str, value: str | float) -> None:
    item = samples.domain[field]
    if isinstance(item, Category):
        samples.domain.code(field, str(value))
    elif isinstance(value, str):
        raise InvalidInput(f"{field} is a {item.kind}; {value!r} is no number")
    samples.take([0] if len(samples) else []).setting(field, value)


class _Trial:
    """Both sides of all rows for those who cost nothing, and of the rows chosen for the teacher and its twin."""

    def __init__(
        self, recipe: Flip, cast: Cast, pool: Samples, wanted: tuple[int, Priorities], ask: Ask, reason: str
    ) -> None:
        self.recipe, self.cast, self.pool, self.reason = recipe, cast, pool, reason
        self.confidence = bonferroni(0.95, CLAIMS)
        self._ask, self._reading = ask, Reading("selection_rate", recipe.output)
        self.proxy = self._both(cast.proxy, pool)
        self.sharp = self.proxy if cast.sharpener is cast.proxy else self._both(cast.sharpener, pool)
        self.stranger = None if isinstance(cast.stranger, Empty) else self._both(cast.stranger, pool)
        self._known = None if reason else read_known(cast, ask, recipe.output)
        self._wanted = wanted
        self.design = self._design(self.sharp, strangers=False)
        rows = pool.take(self.design.chosen)
        self.teacher = None if reason else self._both(cast.teacher, rows)
        record = isinstance(cast.twin, Empty) or cast.twin.identity.by == "id"
        self.twin = None if reason or record else self._both(cast.twin, rows)  # type: ignore[arg-type]
        self.asked = 0 if reason else len(np.unique(np.concatenate([side.keys() for side in self._sides(rows)])))

    def _sides(self, rows: Samples) -> tuple[Samples, Samples]:
        r = self.recipe
        return rows.setting(r.field, r.level), rows.setting(r.field, r.other)

    def _both(self, subject: Subject, rows: Samples) -> Pairs:
        return pairs(self._ask, subject, self._sides(rows), self._reading)

    @property
    def method(self) -> str:
        """How rows were chosen and what sharpened the intervals."""
        if self._known is None:
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
        n, order = self._wanted
        everywhere = np.zeros(len(self.pool), dtype=np.int64)
        if self._known is None:
            return spread(everywhere, n, order)
        both = np.nan_to_num(self._read(proxy, strangers=strangers))
        return spread(everywhere, n, order, change_errors(both), np.abs(both[:, 0] - both[:, 1]))

    def figures(self, measure: str) -> tuple[Figures, dict[str, Any]]:
        """Return one measure, and what the proxy's help was worth."""
        proxy, population = self._counted(self.proxy, measure)
        strangers = None if self.stranger is None else self._counted(self.stranger, measure)[0]
        none = Control(reason=self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known")
        control = none if strangers is None or not strangers.known else Control(strangers, self.cast.control_kind)
        ignorant = Control(reason=f"a teacher that ignores {self.recipe.field} scores exactly 0")
        if self.teacher is None:
            nothing = unknown(self.reason, len(self.pool) if len(self.pool) < self.recipe.minimum else 0)
            twin = Empty("the twin was not asked, since the teacher was not")
            return Figures(nothing, nothing, proxy, population, ignorant, control, strangers, twin, 0), {
                "asked": False,
                "reason": self.reason,
            }
        found = self._assisted(self.teacher, measure)
        figures = Figures(
            found.interval, found.population, proxy, population, ignorant, control, strangers, self._twins(measure),
            self.asked,
        )  # fmt: skip
        return figures, self._bought(found, measure)

    def _covariate(self, proxy: Pairs, measure: str, *, strangers: bool = False) -> Values:
        if self._known is None:
            teacher = np.empty((0, 2)) if self.teacher is None else self.teacher.decisions
            return _of(measure, proxy.expected_change(self.design.chosen, teacher))
        both = self._read(proxy, strangers=strangers)
        return _of(measure, both[:, 0] - both[:, 1])

    def _assisted(self, answers: Pairs, measure: str) -> Assisted:
        y, covariate, span = _of(measure, answers.change), self._covariate(self.sharp, measure), SPANS[measure]
        middle, low, high = (
            weighted(
                values,
                self.design.asked,
                covariate[self.design.chosen],
                covariate,
                level=self.confidence,
                span=span,
            )
            for values in (y, *(np.where(np.isnan(y), end, y) for end in span))
        )
        return bounded([middle], [low], [high], [1.0])

    def _bought(self, found: Assisted, measure: str) -> dict[str, Any]:
        """Return what the proxy's help was worth, what was forecast, and what a stranger's would have been."""
        worth: dict[str, Any] = {
            "asked": True,
            "plain": found.plain.to_data(),
            "width_ratio": finite(found.width_ratio),
        }
        if self._known is not None:
            both = np.nan_to_num(self._read(self.sharp, strangers=False))
            value, n = both[:, 0] - both[:, 1], max(len(self.design.chosen), 1)
            whole = float(np.abs(value).mean()) - float(_of(measure, value).mean()) ** 2
            plain = math.sqrt(max(whole, 0.0) * (1 / n - 1 / len(value)))
            helped = math.sqrt(promised(change_errors(both), self.design.chance))
            worth["forecast_half"] = finite(critical(self.confidence) * helped)
            worth["forecast_ratio"] = finite(helped / plain if plain else math.nan)
        if self.stranger is not None and self.teacher is not None:
            theirs = self._design(self.stranger, strangers=True)
            covariate, chosen = self._covariate(self.stranger, measure, strangers=True), self.design.chosen
            y, chance = _of(measure, self.teacher.change), self.design.asked
            flat = np.full(len(chosen), len(chosen) / max(len(self.pool), 1))
            helped = reckoned(y, chance, covariate[chosen], theirs.chance[chosen])
            plain = reckoned(y, chance, np.zeros(len(chosen)), flat)
            worth["strangers_width_ratio"] = finite(math.sqrt(helped / plain) if plain > 0 else math.nan)
        return worth

    def _counted(self, answers: Pairs, measure: str) -> tuple[Interval, Interval]:
        values = _of(measure, answers.change)
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


def _of(measure: str, difference: Values) -> Values:
    return difference if measure == SHIFT else np.abs(difference)
