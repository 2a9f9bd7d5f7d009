"""What the proxies cost beside the teacher: counted, and so the same in every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdaudit.evidence import Evidence, Row
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
    measures = list(dict.fromkeys(row.measure for e in found for row in e.rows))
    titles = {row.measure: row.title or row.measure for e in found for row in e.rows}
    lines = [_line(e, "proxy", e.proxy_name, measures) for e in found]
    teacher = _line(found[0], "teacher", "the teacher", measures)
    if any(cell for cell in teacher[1:]):
        lines.insert(0, teacher)
    reasons = dict.fromkeys(row.value.method for e in found for row in e.rows if not row.value.known)
    method = str(found[0].context.get("method", ""))
    return (
        Heading("What the proxies cost"),
        Paragraph(f"{method[:1].upper()}{method[1:]}.", quiet=True),
        Table(("who", *(titles[m] for m in measures)), tuple(lines), frozenset(range(1, len(measures) + 1))),
        *(Paragraph(f"Not known: {reason}.", quiet=True) for reason in reasons),
    )


def _line(evidence: Evidence, of: str, name: str, measures: list[str]) -> tuple[str, ...]:
    rows = {row.measure: row for row in evidence.rows if row.of == of}
    return (name, *(_cell(rows.get(measure)) for measure in measures))


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if not row.value.known:
        return UNKNOWN
    text = number(row.value.value, row.unit, bare=True)
    return text if exact(row.value) else f"{text} ({span(row.value, row.unit)})"
