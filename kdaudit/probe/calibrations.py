"""Do scores mean the same in every group: of those scored .7, do seven in ten have the outcome?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as with_default
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.measures.strata import Strata, stratify
from kdaudit.probe.figures import Control, Figures, Heading, among, counted_or_unknown, three_rows
from kdaudit.probe.groups import STREAM
from kdaudit.probe.pools import OfPool
from kdaudit.probe.readings import Reading, Values
from kdaudit.probe.sentences import amount, capital
from kdaudit.samples import Samples
from kdaudit.signal import SCORE, Signal
from kdaudit.statistics.active import spread
from kdaudit.statistics.choice import queue
from kdaudit.statistics.covariate import assisted
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.rates import critical
from kdaudit.subject import Ask, Subject

ERROR = "calibration_error"
FEWEST = 20
"""Rows of a group asked, on average, in one bin: with fewer there are fewer bins."""
DRAWS = 200


@dataclass(frozen=True)
class Calibration(OfPool):
    """Whether the scores of each group mean what they say, over bins (expected calibration error, Naeini et al. 2015).

    Bins hold equally many rows of the whole pool by the proxy's scores, and are the same for all groups; they are fixed
    before the teacher is asked.  The error is the sum over bins of the absolute mean of outcome minus score, each
    counted by the bin's share.  Its interval holds for all signs of those means at once (Scheffe 1953).

    Parameters
    ----------
    field : str
        A category, or a number with `cuts`.
    groups : tuple of str
        Groups to judge; all if empty.
    cuts, questions, minimum, output, names
        As for `kdaudit.probe.groups.Parity`.
    bins : int
        At most so many.
    margin : float
        Largest error that is accepted.
    """

    field: str
    groups: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()
    bins: int = 10
    margin: float = 0.1
    questions: int = 1_000
    minimum: int = 30
    output: str = ""
    names: Mapping[str, str] = with_default(default_factory=dict)

    def __post_init__(self) -> None:
        if self.margin <= 0 or self.questions < 1 or self.minimum < 2 or self.bins < 1:
            raise InvalidInput("margin must be above 0, questions and bins at least 1 and minimum at least 2")

    @property
    def needs(self) -> frozenset[Signal]:
        """Scores."""
        return frozenset({SCORE})

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        return min(self.questions, len(samples))

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        InvalidInput
            If there are no recorded outcomes of 0 and 1, or scores are no chances.
        """
        if samples.labels is None or not np.isin(samples.labels, (0, 1)).all():
            raise InvalidInput("calibration needs recorded outcomes 0 and 1; name the label's column in `samples`")
        if cast.teacher.scale != "probability":
            raise InvalidInput(f"calibration needs scores that are chances; the teacher's are a {cast.teacher.scale}")
        order, strata = queue(samples, rng, STREAM), stratify(samples, self.field, self.cuts)
        levels = [strata.check(x) for x in self.groups] or [x for x in strata.levels if strata.count(x)]
        trial = _Trial(self, cast, samples, (strata, levels), ask)
        trial.ask_teacher(spread(trial.wanted, self.questions, order).chosen)
        rows: list[Row] = []
        claims, told = [], []
        for level in levels:
            figures = trial.figures(level, rng)
            rows += three_rows(figures, self._heading(strata, level), cast)
            claims.append(self._claim(strata, level, figures.teacher))
            told.append(f"{strata.group(level)}: {figures.teacher_control.reason}.")
        return Evidence(
            question="",
            title=f"Do scores mean the same for all groups of {self.field.replace('_', ' ')}?",
            rows=tuple(rows),
            claims=tuple(claims),
            context={
                "population": samples.origin.name,
                "pool": len(samples),
                "bins": trial.bins,
                "margin": self.margin,
                "method": f"{trial.bins} bins; bounds for all signs at once (Scheffe), PPI++ in each bin",
                "sentences": told,
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    def _who(self, strata: Strata, level: str) -> str:
        return self.names.get(level, strata.words(level))

    def _heading(self, strata: Strata, level: str) -> Heading:
        title = f"{self._who(strata, level)}: how far outcomes lie from what scores say, over bins"
        return Heading(ERROR, strata.group(level), title, "points", 0.0, max(0.2, 2 * self.margin))

    def _claim(self, strata: Strata, level: str, found: Interval) -> Claim:
        who = self._who(strata, level)
        text = f"scores of {who} lie within {amount(self.margin, 'points')} of outcomes, over bins"
        told = f"scores of {who} lie {found.text('points')} from outcomes, over bins."
        group = strata.group(level)
        return Claim(capital(text), ERROR, group, "at most", self.margin, "teacher", capital(told), self.minimum)


class _Trial:
    """What was scored, in bins."""

    def __init__(
        self, recipe: Calibration, cast: Cast, samples: Samples, groups: tuple[Strata, list[str]], ask: Ask
    ) -> None:
        self.recipe, self.cast, self.samples, (self.strata, self.levels) = recipe, cast, samples, groups
        self._ask, self._reading = ask, Reading("score", recipe.output)
        self.outcomes = np.asarray(samples.labels, dtype=np.float64)
        tested = [x for x in self.levels if self.strata.count(x) >= recipe.minimum]
        self.level = bonferroni(0.95, max(len(tested), 1))
        places = [self.strata.levels.index(x) for x in tested]
        self.wanted = np.where(np.isin(self.strata.place, places), self.strata.place, -1)
        each = min(recipe.questions, len(samples)) // max(len(tested), 1)
        self.bins = max(1, min(recipe.bins, each // FEWEST))
        self.proxy, self.sharp = (self._of(x) for x in (cast.proxy, cast.sharpener))
        seats = () if isinstance(cast.stranger, Empty) else (cast.stranger, *cast.further)
        self.strangers = [self._of(one) for one in seats]
        known = self.sharp[~np.isnan(self.sharp)]
        self._edges = np.quantile(known, np.arange(1, self.bins) / self.bins) if len(known) else np.empty(0)

    def _of(self, subject: Subject) -> Values:
        return self._reading.of(subject, self.samples, self._ask)

    def ask_teacher(self, chosen: NDArray[np.int64]) -> None:
        """Ask the teacher and its twin about the rows chosen."""
        rows = self.samples.take(chosen)
        self.chosen, self.teacher = chosen, self._reading.of(self.cast.teacher, rows, self._ask)
        twin = self.cast.twin
        self.twin = None if isinstance(twin, Empty) else self._reading.of(twin, rows, self._ask)

    def _parts(self, scores: Values, outcomes: Values) -> Values:
        """Return outcome minus score in the row's bin and 0 in the others, shape (bins, n); NaN where it failed."""
        place = np.searchsorted(self._edges, scores, side="right")
        out: Values = np.where(place == np.arange(self.bins)[:, None], outcomes - scores, 0.0)
        out[:, np.isnan(scores)] = np.nan
        return out

    def _counted(self, scores: Values, level: str) -> Interval:
        rows = self.strata.rows(level)
        if not len(rows) or np.isnan(scores[rows]).any():
            return unknown("the proxy failed in some rows, or there are none", len(rows))
        parts = self._parts(scores[rows], self.outcomes[rows])
        return counted_or_unknown(float(np.abs(parts.mean(axis=1)).sum()), len(rows), 0.95)

    def _estimated(self, scores: Values, level: str) -> Interval:
        rows = self.strata.rows(level)
        at = self.strata.place[self.chosen] == self.strata.levels.index(level)
        asked, n = self.chosen[at], int((~np.isnan(scores[at])).sum())
        if len(rows) < self.recipe.minimum or not n:
            return unknown(f"{len(rows)} rows in the pool; at least {self.recipe.minimum} are needed", len(rows))
        said, shown = self._parts(scores[at], self.outcomes[asked]), self._parts(self.sharp, self.outcomes)
        found = [assisted(y, s[asked], s[rows], span=(-1, 1)).interval for y, s in zip(said, shown, strict=True)]
        if not all(one.known for one in found):
            return unknown("a bin could not be told", n, self.level)
        value = sum(abs(one.value) for one in found)
        error = math.hypot(*(one.half for one in found)) / critical(0.95)
        reach = math.sqrt(float(chdtri(self.bins, 1 - self.level))) * error
        failed = float(np.isnan(scores[at]).mean())
        low, high = max(value - reach - failed, 0.0), value + reach + failed
        return Interval(value, low, high, n, self.level, f"Scheffe over {self.bins} bins")

    def _by_chance(self, level: str, rng: np.random.Generator) -> str:
        at = self.strata.place[self.chosen] == self.strata.levels.index(level)
        scores = self.teacher[at]
        scores = np.clip(scores[~np.isnan(scores)], 0, 1)
        if not len(scores):
            return "the teacher was not asked"
        lucky = (rng.random(len(scores)) < scores for _ in range(DRAWS))
        drawn = [float(np.abs(self._parts(scores, one).mean(axis=1)).sum()) for one in lucky]
        low, high = np.quantile(drawn, (0.025, 0.975))
        return (
            f"outcomes drawn by the scores themselves would lie {np.mean(drawn):.3f} from them in as many rows "
            f"({low:.3f} to {high:.3f}), by luck"
        )

    def figures(self, level: str, rng: np.random.Generator) -> Figures:
        """Return the error of one group."""
        proxy, found = self._counted(self.proxy, level), self._estimated(self.teacher, level)
        theirs = [self._counted(one, level) for one in self.strangers]
        reason = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "it is not known"
        control = among(proxy, theirs, self.cast.control_kind, reason)
        strangers = control.interval
        twin: Interval | Empty = self.cast.twin if isinstance(self.cast.twin, Empty) else Empty("it is not known")
        if self.twin is not None and (best := self._estimated(self.twin, level)).known:
            twin = best
        nowhere = unknown("told for these rows alone")
        asked = self.chosen[self.strata.place[self.chosen] == self.strata.levels.index(level)]
        rows: Any = self.samples.ids if self.cast.teacher.identity.by == "id" else self.samples.keys()
        return Figures(
            found, nowhere, proxy, nowhere, Control(reason=self._by_chance(level, rng)), control, strangers, twin,
            len(np.unique(rows[asked])),
        )  # fmt: skip
