"""What was measured on this machine: latency, memory and energy of a subject as rows of evidence.

They differ from machine to machine and from run to run, so a plan names them before they enter evidence; where a
machine does not agree with itself the value is unknown and the claim undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from kdaudit.abilities import Runnable
from kdaudit.cast import Empty
from kdaudit.cost.energy import counter, modelled
from kdaudit.cost.latency import passing, settled, unmeasured
from kdaudit.cost.memory import settled as settled_memory
from kdaudit.cost.sizes import size
from kdaudit.evidence import Of, Row
from kdaudit.interval import Interval, counted, unknown
from kdaudit.samples import Samples
from kdaudit.subject import Subject

Measured = Literal["latency", "memory", "energy"]
NO_CONTROL = "a cost is measured; it needs no stranger"
NO_CEILING = "a cost has no best value"


def rows(subject: Subject | Empty, of: Of, samples: Samples, wanted: Sequence[Measured]) -> Iterator[Row]:
    """Yield what was measured of a subject; nothing for an empty seat.

    Parameters
    ----------
    subject : Subject or Empty
    of : {"teacher", "proxy"}
    samples : Samples
        Rows that it answers: one for latency and energy, up to 256 for memory.
    wanted : sequence of {"latency", "memory", "energy"}
    """
    if isinstance(subject, Empty):
        return
    closed = ""
    if subject.form is None and not (isinstance(subject, Runnable) and subject.bulk is not None):
        # to measure it would be to ask it thousands of questions
        closed = f"{subject.identity.name} shows no body; it is asked and not measured"
    if "latency" in wanted:
        found = unmeasured(closed) if closed else settled(passing(subject, samples.take([0])))
        for name in ("p50", "p90", "p99"):
            words = {"p50": "median", "p90": "90th percentile", "p99": "99th percentile"}[name]
            yield _row(f"latency {name}", of, scaled(getattr(found, name), 1e-3), "ms", f"Time a row, {words}")
    if "memory" in wanted:
        value = unknown(closed) if closed else settled_memory(subject, samples)
        yield _row("memory", of, value, "MB", "Memory while it answers")
    if "energy" in wanted:
        value, label = (unknown(closed), "unknown") if closed else energy(subject, samples)
        yield _row("energy", of, value, "nJ", f"Energy a row, {label}")


def energy(subject: Subject, samples: Samples) -> tuple[Interval, str]:
    """Return the nanojoules of one row by the machine's counter, else an estimate that is called one, else unknown."""
    found = counter(passing(subject, samples.take([0])))
    if found.known:
        return scaled(found, 1e6), "measured"
    counts = size(subject, samples)
    if isinstance(counts, Empty):
        return unknown(counts.reason), "unknown"
    told = modelled(counts)
    if told.joule is None:
        return unknown(told.source), "unknown"
    return replace(counted(1e9 * told.joule, 1), method=f"an estimate: {told.source}"), "an estimate"


def scaled(interval: Interval, factor: float) -> Interval:
    """Return an interval in other units."""
    ends = {name: factor * getattr(interval, name) for name in ("value", "low", "high")}
    return replace(interval, **ends)


def _row(name: str, of: Of, value: Interval, unit: str, title: str) -> Row:
    return Row(name, "all", of, value, unit, no_control=NO_CONTROL, no_ceiling=NO_CEILING, title=title)
