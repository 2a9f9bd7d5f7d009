"""The Pareto table of a search: what each student costs, what it is worth on rows that chose nothing, and its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval
from kdaudit.report.document import Block, Fold, Heading, Paragraph, Table
from kdaudit.report.words import count, exact, listed, number, span

NONE = "none"


def policies(evidence: Evidence) -> list[Block]:
    """Return the blocks of a search, its curve apart: sentences, table, texts of a plan, and what was left out."""
    points = list(evidence.context.get("points", ()))
    costs = [str(name) for name in evidence.context.get("costs", ())]
    measures = list(dict.fromkeys(row.measure for row in evidence.rows))
    first, *others = [_table(evidence, name, points, costs) for name in measures]
    items = "one item of a plan" if len(points) == 1 else f"{count(len(points))} items of a plan"
    texts = tuple((f"{place + 1}", str(point["plan"])) for place, point in enumerate(points))
    return [
        first,
        Fold("The same by another measure", tuple(others)),
        Fold(f"How each is made ({items})", (Table(("student", "item of a plan"), texts),)),
        *_without("Left out by the limits", evidence.context.get("left_out", {})),
        *_without("No student came of", evidence.context.get("failed", {})),
    ]


def heading(evidence: Evidence) -> list[Block]:
    """Return the question, what was found in sentences, and on which rows."""
    rows = evidence.context.get("population", "rows apart")
    about = f"The points are measured on {rows}; each interval stands for itself."
    words = [Paragraph(f"{text}.") for text in evidence.context.get("sentences", ())]
    return [Heading(f"{evidence.proxy_name}: {evidence.title}"), *words, Paragraph(about, quiet=True)]


def _table(evidence: Evidence, measure: str, points: Sequence[Any], costs: Sequence[str]) -> Table:
    rows = [row for row in evidence.rows if row.measure == measure]
    unit = {"percent": ", %", "": ""}.get(rows[0].unit, f", {rows[0].unit}")
    head = ("student", *costs, f"{rows[0].title or measure}{unit}", "control", "excess")
    body = tuple(
        (f"{place + 1}", *(_cost(point["costs"].get(name)) for name in costs), *_worth(row))
        for place, (point, row) in enumerate(zip(points, rows, strict=True))
    )
    return Table(head, body, frozenset(range(1, len(head))))


def _cost(data: Mapping[str, Any] | None) -> str:
    if data is None:
        return NONE
    found = Interval.from_data(dict(data))
    if not found.known:
        return "not known"
    text = count(int(found.value)) if found.value == int(found.value) else f"{found.value:.3g}"
    return text if exact(found) else f"{text} ({found.low:.3g} to {found.high:.3g})"


def _worth(row: Row) -> tuple[str, str, str]:
    points = "points" if row.unit == "percent" else row.unit
    return _cell(row.value, row.unit), _cell(row.control, row.unit), _cell(row.excess, points, signed=True)


def _cell(found: Interval | None, unit: str, *, signed: bool = False) -> str:
    if found is None:
        return NONE
    if not found.known:
        return "not known"
    text = number(found.value, unit, signed=signed, bare=True)
    return text if exact(found) else f"{text} ({span(found, unit, signed=signed)})"


def _without(head: str, reasons: Mapping[str, str]) -> list[Block]:
    if not reasons:
        return []
    told = listed(tuple(f"{what}: {why}" for what, why in reasons.items()), most=6)
    return [Paragraph(f"{head}: {told}.", quiet=True)]
