"""What the proxies cost beside the teacher: counted, and so the same in every run, or measured where a plan asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kdaudit.evidence import Evidence, Row
from kdaudit.interval import COUNTS
from kdaudit.report.document import Block, Heading, Paragraph, Table
from kdaudit.report.words import exact, number, span

if TYPE_CHECKING:
    from kdaudit.run.reading import Run

UNKNOWN = "not known"


def costs(run: Run) -> tuple[Block, ...]:
    """Return the section on cost; empty where no plan asked for it."""
    found = [e for e in run.evidence.values() if e.shows == "cost" and e.rows]
    if not found:
        return ()
    measures = dict.fromkeys((row.measure, row.unit) for e in found for row in e.rows)
    counts = [name for name, unit in measures if unit in COUNTS or not unit]
    others = [name for name, unit in measures if name not in counts]
    reasons = dict.fromkeys(row.value.method for e in found for row in e.rows if not row.value.known)
    said = dict.fromkeys(str(text) for e in found for text in e.context.get("sentences", ()))
    method = str(found[0].context.get("method", ""))
    return (
        Heading("What the proxies cost"),
        Paragraph(f"{method[:1].upper()}{method[1:]}.", quiet=True),
        _table(found, counts),
        *(Paragraph(f"{text[:1].upper()}{text[1:]}.", quiet=True) for text in said),
        *([_table(found, others)] if others else []),
        *(Paragraph(f"Not known: {reason}.", quiet=True) for reason in reasons),
    )


def _table(found: Sequence[Evidence], measures: Sequence[str]) -> Table:
    rows = {row.measure: row for e in found for row in e.rows}
    heads = [_head(rows[measure]) for measure in measures]
    lines = [_line(e, "proxy", e.proxy_name, measures) for e in found]
    teacher = _line(found[0], "teacher", "the teacher", measures)
    if any(cell for cell in teacher[1:]):
        lines.insert(0, teacher)
    return Table(("who", *heads), tuple(lines), frozenset(range(1, len(measures) + 1)))


def _head(row: Row) -> str:
    unit = "" if row.unit in COUNTS or not row.unit else f", {row.unit}"
    return f"{row.title or row.measure}{unit}"


def _line(evidence: Evidence, of: str, name: str, measures: Sequence[str]) -> tuple[str, ...]:
    rows = {row.measure: row for row in evidence.rows if row.of == of}
    return (name, *(_cell(rows.get(measure)) for measure in measures))


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if not row.value.known:
        return UNKNOWN
    text = number(row.value.value, row.unit, bare=True)
    if row.value.method.startswith("an estimate"):
        return f"{text} (an estimate)"
    return text if exact(row.value) else f"{text} ({span(row.value, row.unit)})"
