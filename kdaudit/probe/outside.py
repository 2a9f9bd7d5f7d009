"""Is the teacher sure where it can know nothing: about rows unlike all data?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.probe.figures import Control, Figures, Heading, among, bounded, by_row, counted_or_unknown, three_rows
from kdaudit.probe.pools import OfPool
from kdaudit.probe.sentences import amount, capital
from kdaudit.probe.turns import first_rows
from kdaudit.samples import Samples, concat
from kdaudit.sampling.strange import WORDS, Way, strange
from kdaudit.signal import SCORE, Signal
from kdaudit.statistics.choice import queue
from kdaudit.statistics.covariate import assisted
from kdaudit.statistics.many import bonferroni
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask, Subject

STREAM = "probe/outside/rows"
SURE, AGREES = "sure_outside", "agreement_outside"
ITSELF = "rows of the data, as they are"
SPAN = (0.0, 1.0)
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Outside(OfPool):
    """Whether the teacher is sure about rows unlike all data, and whether the proxy still answers as it does there.

    A model should know where it was taught nothing (Hendrycks and Gimpel 2017 measure so, by the largest score).  A
    proxy that agrees on the data may part from its teacher beyond: how often they agree there stands beside strangers'.

    Parameters
    ----------
    ways : tuple of {"mixed", "drawn"}
        How rows are made (see `kdaudit.sampling.strange`): one claim a way, all of which hold together.
    sure : float
        Score of the decision from which on it counts as sure, in (0.5, 1).
    margin : float
        Largest share of sure decisions that is accepted.
    questions : int
        Most teacher rows: as many of each way, and as many of the data.
    minimum : int
        Rows below which a claim stays undecided.
    """

    ways: tuple[Way, ...] = ("mixed", "drawn")
    sure: float = 0.9
    margin: float = 0.5
    questions: int = 900
    minimum: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1 or not 0.5 < self.sure < 1 or self.minimum < 2:
            raise InvalidInput("margin lies between 0 and 1, sure between 0.5 and 1; minimum is at least 2")
        if not self.ways or len(set(self.ways)) < len(self.ways) or self.questions < self._sides:
            raise InvalidInput(
                "ways are named once each, at least one, and questions are at least one a way and one more"
            )

    @property
    def _sides(self) -> int:
        return 1 + len(self.ways)

    @property
    def needs(self) -> frozenset[Signal]:
        """Scores, which say how sure."""
        return frozenset({SCORE})

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows."""
        return min(self.questions // self._sides, len(samples)) * self._sides

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`.

        Raises
        ------
        NoSuchSignal
            If the teacher answers with numbers, which are neither sure nor unsure.
        """
        if cast.teacher.scale == "value":
            raise NoSuchSignal(f"{cast.teacher.identity.name} answers with numbers, which are neither sure nor unsure")
        order = queue(samples, rng, STREAM)
        made = {way: strange(samples, way, rng) for way in self.ways}
        chosen = first_rows(order, np.arange(len(samples)), self.questions // self._sides)
        level = bonferroni(0.95, len(self.ways))
        heard = _Heard(cast, ask, (samples, made, chosen), self.sure, level)
        rows: list[Row] = []
        claims: list[Claim] = []
        told: list[str] = []
        for way in self.ways:
            figures = heard.figures(way)
            title = f"Share of sure decisions about {WORDS[way]}"
            rows += three_rows(figures, Heading(SURE, way, title, "percent"), cast)
            claims.append(self._claim(way, figures.teacher))
            agreed = heard.agreement(way)
            rows.append(agreed)
            told.append(_sentence(way, agreed))
        rows += three_rows(
            heard.figures(ITSELF), Heading(SURE, ITSELF, f"Share of sure decisions about {ITSELF}", "percent"), cast
        )
        return Evidence(
            question="",
            title="Is the teacher sure about rows unlike all data?",
            rows=tuple(rows),
            claims=tuple(claims),
            context={
                "population": "rows made to be unlike the data",
                "pool": len(samples),
                "rows_asked": heard.asked,
                "margin": self.margin,
                "method": f"rows by chance, PPI++ with the proxy's own sureness (scores of {self.sure:g} and more); "
                f"{len(self.ways)} claims hold together (Bonferroni, each at {level:.2%})",
                "sentences": told,
            },
            shows="transfer",
            proxy_name=cast.proxy_name,
        )

    def _claim(self, way: Way, found: Interval) -> Claim:
        what = f"sure decisions about {WORDS[way]}"
        return Claim(
            text=capital(f"{what} are at most {amount(self.margin, 'percent')}"),
            measure=SURE,
            group=way,
            form="at most",
            margin=self.margin,
            about="teacher",
            found=capital(f"{what} are {found.text('percent')}."),
            minimum=self.minimum,
        )


class _Heard:
    """What everybody says of rows of the data and of rows made: the teacher of those chosen, all others of all."""

    def __init__(
        self,
        cast: Cast,
        ask: Ask,
        rows: tuple[Samples, Mapping[Way, Samples], NDArray[np.int64]],
        sure: float,
        level: float,
    ) -> None:
        self.cast, self._ask, self._sure, self._level = cast, ask, sure, level
        samples, made, self.chosen = rows
        self._rows: dict[str, Samples] = {ITSELF: samples} | {str(way): rows_ for way, rows_ in made.items()}
        self.reason = ""
        if cast.teacher.identity.by == "id":
            self.reason = f"{cast.teacher.identity.name} is a record of answers; it cannot answer rows that were made"
            self.chosen = self.chosen[:0]
        everywhere = np.arange(len(samples))
        self.proxy = self._of(cast.proxy, everywhere)
        self.sharp = self.proxy if cast.sharpener is cast.proxy else self._of(cast.sharpener, everywhere)
        strangers = cast.control_kind != "swapped_teacher" and not isinstance(cast.stranger, Empty)
        seats = (cast.stranger, *cast.further) if strangers else ()
        self.strangers = [self._of(one, everywhere) for one in seats]  # type: ignore[arg-type]
        self.teacher = self._of(cast.teacher, self.chosen)
        self.asked = len(np.unique(np.concatenate([one.take(self.chosen).keys() for one in self._rows.values()])))

    def _of(self, who: Subject, at: NDArray[np.int64]) -> dict[str, tuple[Values, Values]]:
        """Return, by kind of rows, how often decisions are sure (1 or 0) and what they are; NaN where a row failed."""
        if not len(at):
            return {name: (np.empty(0), np.empty(0)) for name in self._rows}
        answers = self._ask(who, concat([one.take(at) for one in self._rows.values()]), {SCORE})
        score = answers.score
        largest = np.maximum(score[:, 0], 1 - score[:, 0]) if score.shape[1] == 1 else score.max(axis=1)
        sure, label = (
            np.where(answers.answered, v.astype(np.float64), np.nan).reshape(len(self._rows), len(at))
            for v in (largest >= self._sure, answers.label)
        )
        return {name: (sure[i], label[i]) for i, name in enumerate(self._rows)}

    def figures(self, name: str) -> Figures:
        """Return the numbers of one kind of rows."""
        proxy, theirs = self._counted(self.proxy[name][0]), [self._counted(one[name][0]) for one in self.strangers]
        no_stranger = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "no proxy of a stranger"
        control = among(proxy, theirs, self.cast.control_kind, no_stranger)
        known = mean(self.proxy[name][0], level=self._level, span=SPAN)
        beside = Control(reason="how sure it is about rows of the data stands in a row of its own")
        no_twin = Empty("how sure the teacher's twin is says nothing of how sure one should be")
        if self.reason:
            nothing = unknown(self.reason)
            return Figures(nothing, nothing, proxy, known, beside, control, control.interval, no_twin, 0)
        y, s = self.teacher[name][0], self.sharp[name][0]
        parts = [
            assisted(v, s[self.chosen], s, level=self._level, span=SPAN)
            for v in (y, *(np.where(np.isnan(y), end, y) for end in SPAN))
        ]
        found = bounded([parts[0]], [parts[1]], [parts[2]], [1.0])
        return Figures(
            found.interval, found.population, proxy, known, beside, control, control.interval, no_twin, self.asked
        )

    def agreement(self, name: str) -> Row:
        """Return how often the proxy decides rows as the teacher does, beside strangers' proxies."""

        def alike(one: dict[str, tuple[Values, Values]]) -> Values:
            theirs, told = one[name][1][self.chosen], self.teacher[name][1]
            out: Values = np.where(np.isnan(theirs) | np.isnan(told), np.nan, (theirs == told).astype(np.float64))
            return out

        ours, control = np.empty(0), Control(reason=self.reason)
        if not self.reason:
            ours = alike(self.proxy)
            none = self.cast.stranger.reason if isinstance(self.cast.stranger, Empty) else "no proxy of a stranger"
            control = by_row(ours, [alike(one) for one in self.strangers], SPAN, self.cast.control_kind, none)
        return Row(
            AGREES, name, "proxy", mean(ours, level=self._level, span=SPAN) if len(ours) else unknown(self.reason),
            "percent", self.asked, control=control.interval, excess=control.excess, control_kind=control.kind,
            no_control=control.reason, no_ceiling="a proxy that answers as its teacher everywhere agrees always",
            strangers=control.strangers, title=f"Decided as the teacher does: {WORDS[name]}",  # type: ignore[index]
        )  # fmt: skip

    def _counted(self, values: Values) -> Interval:
        if np.isnan(values).any():
            return unknown("the proxy failed in some rows", len(values), self._level)
        return counted_or_unknown(float(values.mean()) if len(values) else np.nan, len(values), self._level)


def _sentence(way: Way, row: Row) -> str:
    told = f"The proxy decides {row.value.text('percent')} of {WORDS[way]} as the teacher does"
    if row.excess is None or not row.excess.known:
        return f"{told}."
    worth = "" if row.excess.low > 0 else ": what it shows there may be no knowledge of this teacher"
    return f"{told}, {row.excess.text('points', signed=True)} beside strangers' proxies{worth}."
