"""Whether groups are decided, or scored, alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as with_default
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.measures.strata import UNKNOWN, Strata, crossed, stratify
from kdaudit.probe.contrasts import evidence_of
from kdaudit.probe.estimates import Estimator, errors_of
from kdaudit.probe.families import in_sequence, ranked
from kdaudit.probe.pools import OfPool
from kdaudit.probe.quantities import QUANTITIES, Name, Quantity, conditional, outcomes, with_variance
from kdaudit.probe.readings import Pool, Reading, Values, read_known, read_pool
from kdaudit.probe.stops import Heard, Rule, Stops, answered, check, heard
from kdaudit.probe.surveys import LEVEL, Survey
from kdaudit.probe.telling import Telling
from kdaudit.samples import Samples
from kdaudit.signal import SCORE, Signal
from kdaudit.statistics.active import spread
from kdaudit.statistics.choice import Priorities, queue
from kdaudit.statistics.many import Family
from kdaudit.statistics.rates import Span
from kdaudit.subject import Ask, Subject

STREAM = "probe/rows"
"""Probes choose rows by one stream, so that they share rows, and so answers."""
MARGIN, FOUR_FIFTHS = 0.05, 0.8
STREAMED = {k for k, q in QUANTITIES.items() if q.decides and not q.share and k != "impact_ratio"} | {"score"}
"""Measures that can be followed at any time."""
MOST_LEFT_OUT = 0.2
"""Share of rows in strata that lack a group beyond which groups cannot be made alike in a factor."""


@dataclass(frozen=True)
class Parity(OfPool):
    """Whether each group is decided as the reference group is.

    The teacher answers about `questions` rows, chosen evenly over the groups and inside them where the proxy may be
    wrong; the proxy answers the whole pool and sharpens the teacher's interval, which stays valid whatever the proxy is
    worth.

    Parameters
    ----------
    field : str or tuple of str
        A category, a number with `cuts`, or several categories, whose intersections are the groups.
    reference : str, optional
        Group to compare with; if not given the one with most rows, for the impact ratio whichever the teacher selects
        most: intervals allow for that this is known from the rows asked alone.
    groups : tuple of str
        Groups to compare; all others if empty.
    cuts : tuple of float
        Rising ends of bands of a number.
    margin : float, optional
        Largest difference that is accepted, in shares (0.05: 5 points, the default) or in units of the score; for the
        impact ratio the smallest ratio (0.8 by default: the four-fifths rule).
    questions : int
        Most teacher rows.
    minimum : int
        Rows of the pool below which a group stays undecided.
    measure : str
        See `kdaudit.probe.quantities.QUANTITIES`.
    output : str
        Of several outputs, the one that counts as yes.
    yes : str
        What a yes means for people: "Women are `yes` less often than men".
    outcome : str
        What a recorded outcome of 1 means: "women whose outcome is `outcome`".
    names : mapping of str to str
        Groups in words, such as ``{"female": "women"}``.
    given : str
        A legitimate factor, in which the groups are made alike; a number needs `given_cuts`.
    given_cuts : tuple of float
    smallest : float
        Share of the pool below which a group is listed but not compared (New York's Local Law 144 allows 0.02).
    quantile : float
        Which quantile of the score, for that measure.
    stop : {"planned", "never", "anytime"}
        Whether asking stops early, as soon as all contrasts are decided: at one of several planned looks, which widens
        intervals by 4 to 7 %, or at any time, by intervals half as wide again that hold whenever one looks; see
        `kdaudit.statistics.looks`.
    looks : int
        How many looks are planned.
    family : {"holm", "bonferroni", "fixed-sequence"}
        How several contrasts are kept from being decided wrongly by their number: see `kdaudit.probe.families`.
    """

    field: str | tuple[str, ...]
    reference: str | None = None
    groups: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()
    margin: float | None = None
    questions: int = 1_000
    minimum: int = 30
    measure: Name = "selection_rate"
    output: str = ""
    yes: str = "scored above the line"
    outcome: str = "yes"
    names: Mapping[str, str] = with_default(default_factory=dict)
    given: str = ""
    given_cuts: tuple[float, ...] = ()
    smallest: float = 0.0
    quantile: float = 0.5
    stop: Stops = "planned"
    looks: int = 5
    family: Family = "holm"

    def __post_init__(self) -> None:
        if self.margin is None:
            # written out here, so that a plan's default stands in its run folder
            object.__setattr__(self, "margin", FOUR_FIFTHS if self.measure == "impact_ratio" else MARGIN)
        if (self.margin is not None and self.margin <= 0) or self.questions < 1 or self.minimum < 2:
            raise InvalidInput("margin must be above 0, questions at least 1 and minimum at least 2")
        if self.given and (self.measure in ("impact_ratio", "score_quantile") or self._quantity.share):
            raise InvalidInput(f"{self.measure} cannot be told with groups made alike in {self.given}; leave one out")
        check(self.stop, self.looks)
        if self.stop == "anytime" and (self.given or self.measure not in STREAMED):
            raise InvalidInput(
                f"`stop: anytime` bets on means of values within 0 and 1, which {self.measure}"
                f"{' given ' + self.given if self.given else ''} is not; use `stop: planned`"
            )
        if self.family == "fixed-sequence" and (self._most or self._quantity.whole):
            raise InvalidInput(
                "`family: fixed-sequence` asks about one group after the other, which needs a `reference` and a "
                f"measure of single rows; use `family: holm`, or another measure than {self.measure}"
            )
        if not 0 < self.quantile < 1 or not 0 <= self.smallest < 1:
            raise InvalidInput("quantile must lie between 0 and 1, smallest from 0 to below 1")

    @property
    def needs(self) -> frozenset[Signal]:
        """Scores, if they are compared; a decision can be read off anything."""
        return frozenset() if self._quantity.decides else frozenset({SCORE})

    @property
    def _quantity(self) -> Quantity:
        return QUANTITIES[self.measure]

    @property
    def _margin(self) -> float:
        return MARGIN if self.margin is None else self.margin

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows: `questions`, or all rows."""
        return min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If the field makes no groups, a group is unknown, or outcomes are needed and missing.
        """
        order = queue(samples, rng, STREAM)
        if self.family == "fixed-sequence":
            surveys, left_out = self._in_sequence(cast, samples, ask, order)
        else:
            survey, left_out = self.survey(cast, samples, ask, order)
            surveys = [survey]
        tellings = [self.telling(one) for one in surveys]
        return evidence_of(surveys, tellings, left_out, (self._rule, self.questions), rng)

    def _in_sequence(
        self, cast: Cast, samples: Samples, ask: Ask, order: Priorities
    ) -> tuple[list[Survey], dict[str, str]]:
        """Ask about one contrast after the other, the one first of which the proxy shows most."""
        whole, _, left_out = self.opened(cast, samples, ask, order)

        def one(other: str, questions: int, ended: str) -> Survey:
            only = replace(
                self, reference=whole.reference, groups=(other,), questions=questions, family="bonferroni", smallest=0.0
            )
            if ended:
                return only.opened(cast, samples, ask, order)[0].unasked(ended)
            return only.survey(cast, samples, ask, order)[0]

        return in_sequence(ranked(whole), self.questions, one, self._rule), left_out

    def survey(
        self, cast: Cast, samples: Samples, ask: Ask, order: Priorities, confidence: float = LEVEL
    ) -> tuple[Survey, dict[str, str]]:
        """Ask, and return what was answered, with the groups that were left out and why."""
        survey, hear, left_out = self.opened(cast, samples, ask, order, confidence)
        return heard(answered(survey, partial(hear, cast.teacher), self._rule).named(), hear), left_out

    def opened(
        self, cast: Cast, samples: Samples, ask: Ask, order: Priorities, confidence: float = LEVEL
    ) -> tuple[Survey, Heard, dict[str, str]]:
        """Return the survey before the teacher is asked, how it is asked, and the groups left out."""
        whole = self._groups(samples)
        quantity, reading = self._quantity, Reading(self._quantity.reads, self.output)
        numbers = cast.teacher.scale == "value" and not quantity.decides
        truth = outcomes(samples, self.measure, classes=not numbers and not quantity.spread)
        strata = whole if quantity.among is None else whole.among(truth == quantity.among)
        if quantity.spread:
            truth = with_variance(truth, whole.place)
        known = read_known(cast, ask, self.output)
        raw = read_pool(cast, samples, ask, reading, known)
        pool = raw.mapped(lambda values: quantity.value(values, truth))
        reference, others, left_out = self._levels(strata, truth)
        factor, refusal = self._alike(samples, strata, (reference, *others))
        if quantity.whole and (self.questions < len(samples) or len(others) + 1 < len(np.unique(strata.place))):
            refusal = f"ranks hang on every row: {len(samples):,} questions, and no group left out, are needed"
        design = spread(
            self._wanted(strata, (reference, *others), refusal),
            self.questions,
            order,
            self._errors(pool, truth, factor) if pool.read else None,
            np.nan_to_num(pool.covariate) if pool.read else None,
        )

        def hear(subject: Subject, chosen: NDArray[np.int64]) -> Values:
            return quantity.value(reading.of(subject, samples.take(chosen), ask), truth[chosen])

        share = self.quantile if self.measure == "score_quantile" else float("nan")
        estimator = Estimator(quantity, truth, factor, None if numbers or quantity.spread else self._span(pool), share)
        survey = Survey(
            cast, samples, strata, reference, others, pool, design, order, np.empty(0), None, self.minimum, reading,
            estimator, self.measure == "impact_ratio", confidence, refusal, self._most, family=self.family,
        )  # fmt: skip
        return survey, hear, left_out

    @property
    def _rule(self) -> Rule:
        # the place of a row in a ranking is known at the end alone
        stop: Stops = "never" if self._quantity.whole else self.stop
        return Rule(stop, self.looks, "at least" if self.measure == "impact_ratio" else "within", self._margin)

    def _groups(self, samples: Samples) -> Strata:
        if isinstance(self.field, str):
            return stratify(samples, self.field, self.cuts)
        if len(self.field) == 1:
            return stratify(samples, self.field[0], self.cuts)
        return crossed(samples, self.field)

    @property
    def _most(self) -> bool:
        return self.measure == "impact_ratio" and self.reference is None

    def _levels(self, strata: Strata, truth: Values) -> tuple[str, tuple[str, ...], dict[str, str]]:
        """Return the reference, the groups compared, and those listed only, with the reason."""
        left_out: dict[str, str] = {}
        total = int((strata.place >= 0).sum())
        for level in strata.levels:
            n = strata.count(level)
            if n and n < self.smallest * total:
                left_out[level] = f"{n:,} rows, below {self.smallest:.0%} of all"
            elif n and self._quantity.spread and np.isnan(truth[strata.rows(level), 1]).any():
                left_out[level] = f"the outcomes of its {n:,} rows do not vary, so that nothing could be explained"
            elif n and self.measure == "impact_ratio" and level == UNKNOWN:
                left_out[level] = f"{n:,} rows whose group is not known; they are in no rate"
        open_ = [level for level in strata.levels if strata.count(level) and level not in left_out]
        if self.reference is not None:
            reference = strata.check(self.reference)
        elif self._most and (named := [strata.check(level) for level in self.groups] or open_):
            # for the present; which it is, the teacher's answers tell
            reference = max(named, key=strata.count)
            return reference, tuple(level for level in named if level != reference), left_out
        else:
            reference = strata.largest
        others = [strata.check(level) for level in self.groups] or [level for level in open_ if level != reference]
        if reference in others or not others:
            raise InvalidInput(f"{strata.field} needs a group to compare with {reference!r}, other than itself")
        return reference, tuple(others), left_out

    def _alike(self, samples: Samples, strata: Strata, levels: tuple[str, ...]) -> tuple[Values, str]:
        if not self.given:
            return np.ones(len(samples)), ""
        compared = [strata.levels.index(level) for level in levels if strata.count(level) >= self.minimum]
        place = np.where(np.isin(strata.place, compared), strata.place, -1)
        factor, left_out = conditional(place, stratify(samples, self.given, self.given_cuts).place)
        if left_out > MOST_LEFT_OUT:
            return factor, f"{left_out:.0%} of rows lie in strata of {self.given} that lack a group"
        return factor, ""

    def _wanted(self, strata: Strata, levels: tuple[str, ...], refusal: str) -> NDArray[np.int64]:
        # a group too small to be decided gets no questions
        wanted = [strata.levels.index(x) for x in levels if strata.count(x) >= self.minimum and not refusal]
        return np.where(np.isin(strata.place, wanted), strata.place, -1)

    def _errors(self, pool: Pool, truth: Values, factor: Values) -> Values:
        errors = errors_of(pool.covariate, factor)
        if not self._quantity.share:
            return errors
        # an answer moves the share of outcomes by how far the row's own outcome lies from it
        chance = np.nan_to_num(pool.covariate)
        share = float((truth * chance).sum() / max(chance.sum(), 1e-9))
        return errors * (truth - share) ** 2

    def _span(self, pool: Pool) -> Span:
        # a behaviour that is a difference of two levels has scores below 0, the proxy's as well as the teacher's
        signed = self.measure in ("calibration_gap", "mean_error") or np.nanmin(pool.proxy, initial=0.0) < 0
        return (-1.0, 1.0) if signed and not self._quantity.decides else (0.0, 1.0)

    def telling(self, survey: Survey) -> Telling:
        """Return the words of a comparison."""
        return Telling(
            self.measure, self._quantity, survey.strata, self.names, self.yes, self.outcome, self._margin,
            self.minimum, _unit(survey.cast), self.given,
        )  # fmt: skip


def _unit(cast: Cast) -> str:
    return "points" if cast.teacher.scale == "probability" else ""
