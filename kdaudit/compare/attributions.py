"""Whether the proxy has the teacher's reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.seats import Explained, Method, Task, chosen_method, exchanged, explained, predicted, values_of
from kdaudit.compare.words import RIVALS, capital
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.explain.attributions import Attributions
from kdaudit.finding import Claim
from kdaudit.measure import Measure
from kdaudit.measures.ranks import LIKENESS, Likeness
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE, Signal
from kdaudit.statistics.beside import Beside, Scored, evidence_rows, summary
from kdaudit.statistics.choice import balanced, queue
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask

STREAM = "compare/attribution/rows"
ENOUGH = 50
"""Rows not explained that make a background; with fewer all rows do."""


@dataclass(frozen=True)
class Attribution:
    """Whether teacher and proxy give the same reasons for the same rows, beside a stranger's proxy.

    Two models that learned one task give alike reasons without knowing of each other: what counts is the excess over
    the stranger.  All seats are explained on the same rows, from the same baseline, by the same rule.

    Parameters
    ----------
    method : {"integrated_gradients", "occlusion", "auto"}
        Gradients need networks; occlusion asks the teacher further rows (see `price`).  "auto" takes gradients where
        teacher and proxy both give them.
    rows : int
        Rows explained.
    nodes : int
        Of the path rule; it is repeated with twice as many for the error.
    draws : int
        Background rows that lend values to each occlusion.
    margin : float
        By how much the rank correlation must exceed the control.
    """

    method: Method = "integrated_gradients"
    rows: int = 300
    nodes: int = 16
    draws: int = 4
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.rows < 2 or self.nodes < 1 or self.draws < 1 or self.margin < 0:
            raise InvalidInput("rows must be at least 2, nodes and draws at least 1, and margin at least 0")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers: without gradients or scores the reasons stay unknown."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows that no maker ever saw."""
        return "judge"

    def price(self, samples: Samples) -> int:
        """Return the rows explained, and for occlusion as many again for each field and draw."""
        rows = min(self.rows, len(samples))
        return rows if self.method == "integrated_gradients" else rows * (1 + len(samples.domain.names) * self.draws)

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        chosen = balanced(np.zeros(len(samples), dtype=np.int64), self.rows, queue(samples, rng, STREAM))
        signal = SCORE if SCORE in cast.teacher.offers else LABEL
        told = ask(cast.teacher, samples.take(chosen), frozenset({signal}))
        chosen, told = chosen[told.answered], told.take(np.flatnonzero(told.answered))
        rest = np.setdiff1d(np.arange(len(samples)), chosen)
        background = samples.take(rest if len(rest) >= ENOUGH else np.arange(len(samples)))
        donors = rng.integers(0, max(len(background), 1), (len(chosen), self.draws))
        output = predicted(told, len(cast.teacher.outputs))
        task = Task(samples.take(chosen), background, output, self.nodes, donors)
        method = chosen_method(self.method, cast)
        seats = explained(method, cast, task, ask)
        null = exchanged(told.label, rng)
        asked = self._asked(method, seats, task)
        items = [self._beside(likeness, cast, seats, null, asked) for likeness in LIKENESS]
        return Evidence(
            question="",
            title=f"Does the {cast.proxy_name} have this teacher's reasons?",
            rows=evidence_rows(items),
            claims=(self._claim(cast, items[0]),),
            context=self._context(samples, task, seats, null, len(rest) >= ENOUGH),
            arrays={
                name: seat.values.astype(np.float32)
                for name, seat in seats.items()
                if name in ("teacher", "proxy") and isinstance(seat, Attributions)
            },
            shows="strip",
            proxy_name=cast.proxy_name,
        )

    def _asked(self, method: Method, seats: Explained, task: Task) -> int:
        rows = len(np.unique(task.rows.keys()))
        if method == "integrated_gradients" or isinstance(seats["teacher"], Empty):
            return rows
        # at most: a lent value may be the row's own
        return rows * (1 + len(task.rows.domain.names) * self.draws)

    def _beside(self, likeness: Likeness, cast: Cast, seats: Explained, null: NDArray[np.int64], asked: int) -> Beside:
        teacher, proxy, stranger, twin = (values_of(seats[k]) for k in ("teacher", "proxy", "stranger", "twin"))
        score = partial(_scored, likeness)
        kind = cast.control_kind
        if isinstance(cast.stranger, Empty):
            control, kind = score(teacher, proxy if isinstance(proxy, Empty) else proxy[null]), "permuted"
        elif kind == "swapped_teacher":
            control = score(stranger, proxy)
        else:
            control = score(teacher, stranger)
        return summary(
            _measure(likeness), Scored(score(teacher, proxy), control, score(teacher, twin), kind), asked=asked
        )

    def _claim(self, cast: Cast, item: Beside) -> Claim:
        rival = RIVALS[item.control_kind] if item.control_kind != "permuted" else "its reasons for other rows"
        more = "" if item.excess is None else f", {item.excess.text(signed=True)} beside {rival}"
        return Claim(
            text=capital(f"the {cast.proxy_name} has more of this teacher's reasons than {rival}"),
            measure=item.measure.name,
            group=item.group,
            form="above control",
            margin=self.margin,
            about="proxy",
            found=capital(
                f"the {cast.proxy_name} orders the fields as the teacher does with a rank correlation of "
                f"{item.value.text()}{more}."
            ),
            minimum=30,
        )

    def _context(
        self,
        samples: Samples,
        task: Task,
        seats: Explained,
        null: NDArray[np.int64],
        apart: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        known = {name: seat for name, seat in seats.items() if isinstance(seat, Attributions)}
        first = next(iter(known.values()), None)
        rest = "the rows of this part that are not explained" if apart else "all rows of this part"
        context: dict[str, Any] = {
            "population": samples.origin.name,
            "rows": len(task.rows),
            "background_rows": len(task.background),
            "units": list(samples.domain.names),
            "missing": {name: seat.reason for name, seat in seats.items() if isinstance(seat, Empty)},
            "errors": dict(_errors(known)),
            "null": dict(_nulls(known, null)),
            "mean_absolute": {
                name: {unit: mean(np.abs(seat.values[:, i])).to_data() for i, unit in enumerate(seat.names)}
                for name, seat in known.items()
            },
        }
        if first is not None:
            context |= {"method": first.method, "scale": first.scale, "baseline": f"{first.baseline}: {rest}"}
        return context


def _scored(
    likeness: Likeness, a: NDArray[np.float64] | Empty, b: NDArray[np.float64] | Empty
) -> NDArray[np.float64] | Empty:
    if isinstance(a, Empty):
        return a
    return b if isinstance(b, Empty) else likeness.function(a, b)


def _measure(likeness: Likeness) -> Measure:
    def function(*_: object) -> NDArray[np.float64]:
        raise InvalidInput(f"{likeness.name} compares attributions, not answers")

    return Measure(
        likeness.name, function, "", likeness.span, "high", likeness.definition, likeness.source, likeness.title
    )


def _errors(known: dict[str, Attributions]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each seat's median relative error and, where the method promises a sum, the mean gap to it."""
    for name, seat in known.items():
        numbers = {"relative_error": seat.relative_error, "mean_gap": seat.mean_gap}
        yield name, {key: value for key, value in numbers.items() if np.isfinite(value)}


def _nulls(known: dict[str, Attributions], null: NDArray[np.int64]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the teacher's reasons for one row are worth beside the proxy's for another row of the same class."""
    if {"teacher", "proxy"} <= set(known):
        for likeness in LIKENESS:
            values = likeness.function(known["teacher"].values, known["proxy"].values[null])
            yield likeness.name, mean(values).to_data()
