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
    by = {name: [row for row in evidence.rows if row.measure == name] for name in measures}
    head = ["student", *costs]
    for name in measures:
        first = by[name][0]
        unit = {"percent": ", %", "": ""}.get(first.unit, f", {first.unit}")
        head += [f"{first.title or name}{unit}", "control", "excess"]
    rows = tuple(
        (
            f"{place + 1}",
            *(_cost(point["costs"].get(name)) for name in costs),
            *_worth([by[m][place] for m in measures]),
        )
        for place, point in enumerate(points)
    )
    texts = tuple((f"{place + 1}", str(point["plan"])) for place, point in enumerate(points))
    return [
        Table(tuple(head), rows, frozenset(range(1, len(head)))),
        Fold(f"How each is made ({count(len(texts))} items of a plan)", (Table(("student", "item of a plan"), texts),)),
        *_without("Left out by the limits", evidence.context.get("left_out", {})),
        *_without("No student came of", evidence.context.get("failed", {})),
    ]


def heading(evidence: Evidence) -> list[Block]:
    """Return the question, what was found in sentences, and on which rows."""
    rows = evidence.context.get("population", "rows apart")
    about = f"The points are measured on {rows}; each interval stands for itself."
    words = [Paragraph(f"{text}.") for text in evidence.context.get("sentences", ())]
    return [Heading(f"{evidence.proxy_name}: {evidence.title}"), *words, Paragraph(about, quiet=True)]


def _cost(data: Mapping[str, Any] | None) -> str:
    if data is None:
        return NONE
    found = Interval.from_data(dict(data))
    if not found.known:
        return "not known"
    text = count(int(found.value)) if found.value == int(found.value) else f"{found.value:.3g}"
    return text if exact(found) else f"{text} ({found.low:.3g} to {found.high:.3g})"


def _worth(rows: Sequence[Row]) -> list[str]:
    out = []
    for row in rows:
        points = "points" if row.unit == "percent" else row.unit
        out += [_cell(row.value, row.unit), _cell(row.control, row.unit), _cell(row.excess, points, signed=True)]
    return out


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
