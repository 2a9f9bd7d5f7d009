"""Whether the proxy is as small and as cheap as it should be: what can be counted, and so is the same in every run.

Time, memory and energy differ from run to run; they enter evidence where a plan names them (`kdaudit.cost.measured`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from kdaudit.cast import Cast, Empty
from kdaudit.cost import measured
from kdaudit.cost.measured import Measured
from kdaudit.cost.sizes import Size, size
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Of, Row
from kdaudit.finding import Claim, Form
from kdaudit.interval import Interval, counted, unknown
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask

TITLES = {
    "parameters": ("Parameters", "parameters"),
    "operations": ("Operations a row", "operations"),
    "multiply-adds": ("Multiply-adds a row", "multiply-adds"),
    "stored bytes": ("Size on disk", "bytes"),
}
FEWER = "operations of the teacher per operation of the proxy"
MACHINE = (
    "time, memory and energy were measured on the machine that made this run, a row alone in one thread (the row of a "
    "network is encoded beforehand, others as they answer it); another machine tells other numbers"
)
NO_CONTROL = "a cost is counted; it needs no stranger"
NO_CEILING = "a cost has no best value"


@dataclass(frozen=True)
class Cost:
    """How large the proxy is and how many operations a row takes, beside the teacher where that shows its body.

    Parameters
    ----------
    parameters : int, optional
        Most parameters that the proxy may have (weights of a network; tests and answers of rules).
    operations : int, optional
        Most operations a row (FLOPs of a network, comparisons of rules).
    stored_bytes : int, optional
        Most bytes on disk.
    fewer : float, optional
        How many times fewer operations than the teacher it should take.
    latency : float, optional
        Most milliseconds that one row may take, the median of a pass in one thread.
    memory : float, optional
        Most megabytes that it may take while it answers.
    measure : tuple of {"latency", "memory", "energy"}
        What is measured on this machine, whether it is limited or not.  The evidence then is this machine's: another
        one, or a busy one, tells other numbers or none.

    Raises
    ------
    InvalidInput
        If a limit is not above 0.
    """

    parameters: int | None = None
    operations: int | None = None
    stored_bytes: int | None = None
    fewer: float | None = None
    latency: float | None = None
    memory: float | None = None
    measure: tuple[Measured, ...] = ()

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, (int, float)) and not value > 0:
                raise InvalidInput(f"{name} is {value:g}; a limit of cost is above 0")

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing: no answer is asked."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The rows over which comparisons are averaged."""
        return "judge"

    def price(self, samples: Samples) -> int:  # noqa: ARG002 - the shape of every question
        """Return 0: the teacher is asked nothing."""
        return 0

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:  # noqa: ARG002
        """Answer the question for one proxy; see `kdaudit.question.Question`."""
        proxy, teacher = size(cast.proxy, samples), size(cast.teacher, samples)
        rows = [*_rows(proxy, "proxy"), *_rows(teacher, "teacher"), _times(proxy, teacher)]
        if wanted := self.measured_here:
            rows += [*measured.rows(cast.proxy, "proxy", samples, wanted)]
            rows += [*measured.rows(cast.teacher, "teacher", samples, wanted)]
        return Evidence(
            question="",
            title=f"What does the {cast.proxy_name} cost?",
            rows=tuple(_on_scale(row, rows) for row in rows),
            claims=tuple(self._claims(cast.proxy_name)),
            context={
                "method": "counted from the bodies: weights, multiply-adds of linear layers, convolutions and "
                "attention (a multiply-add is two operations; biases, activations and softmax are left out), "
                "comparisons of trees and lists averaged over the judge rows",
                "operation": "" if isinstance(proxy, Empty) else proxy.operation,
                "rows": len(samples),
                "sentences": [MACHINE] if wanted else [],
            },
            shows="cost",
            proxy_name=cast.proxy_name,
        )

    @property
    def measured_here(self) -> tuple[Measured, ...]:
        """What is measured on the machine of the run: named, or limited."""
        limited = {"latency": self.latency, "memory": self.memory, "energy": None}
        return tuple(one for one in get_args(Measured) if one in self.measure or limited[one] is not None)

    def _claims(self, name: str) -> Iterator[Claim]:
        wanted: tuple[tuple[float | None, str, Form, str], ...] = (
            (self.parameters, "parameters", "at most", "has at most {:,} parameters"),
            (self.operations, "operations", "at most", "takes at most {:,} operations a row"),
            (self.stored_bytes, "stored bytes", "at most", "takes at most {:,} bytes on disk"),
            (self.fewer, FEWER, "at least", "takes at least {:g} times fewer operations a row than the teacher"),
            (self.latency, "latency p50", "at most", "takes at most {:,g} ms a row"),
            (self.memory, "memory", "at most", "takes at most {:,g} MB while it answers"),
        )
        for limit, measure, form, words in wanted:
            if limit is not None:
                text = f"The {name} {words.format(limit)}"
                yield Claim(text, measure, "all", form, float(limit), "proxy", minimum=1)


def _rows(found: Size | Empty, of: Of) -> Iterator[Row]:
    if isinstance(found, Empty):
        if of == "proxy":
            yield from (_row(name, of, unknown(found.reason)) for name in ("parameters", "operations", "stored bytes"))
        return
    parts: dict[str, Interval | Empty] = {
        "parameters": found.parameters,
        "operations": found.operations,
        "multiply-adds": found.multiply_adds,
        "stored bytes": found.stored_bytes,
    }
    for name, value in parts.items():
        if isinstance(value, Empty):
            if name == "operations":
                yield _row(name, of, unknown(value.reason))
            continue
        yield _row(name, of, value)


def _row(name: str, of: Of, value: Interval) -> Row:
    title, unit = TITLES[name]
    return Row(name, "all", of, value, unit, no_control=NO_CONTROL, no_ceiling=NO_CEILING, title=title)


def _times(proxy: Size | Empty, teacher: Size | Empty) -> Row:
    title = "Operations of the teacher for one of the proxy"
    return Row(
        FEWER, "all", "proxy", _ratio(proxy, teacher), "", no_control=NO_CONTROL, no_ceiling=NO_CEILING, title=title
    )


def _ratio(proxy: Size | Empty, teacher: Size | Empty) -> Interval:
    ours, theirs = _operations(proxy), _operations(teacher)
    for part in (theirs, ours):
        if not part.known:
            return unknown(part.method)
    if not ours.low > 0:
        return unknown("the proxy may answer without any operation")
    if theirs.low == theirs.high and ours.low == ours.high:
        return counted(theirs.value / ours.value, ours.n)
    # the ends of both at once: never narrower than the truth
    ends = theirs.low / ours.high, theirs.high / ours.low
    return Interval(theirs.value / ours.value, *ends, ours.n, ours.level, "ends of both intervals")


def _operations(found: Size | Empty) -> Interval:
    part = found if isinstance(found, Empty) else found.operations
    return unknown(part.reason) if isinstance(part, Empty) else part


def _on_scale(row: Row, rows: Sequence[Row]) -> Row:
    shown = [one.value.high for one in rows if one.measure == row.measure and one.value.known]
    return replace(row, low_end=0.0, high_end=max([1.0, *shown]))
