"""A document as Markdown that is safe in a pull request: no link, image, mention or markup comes out of data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kdaudit.interval import Interval
from kdaudit.report.document import (
    Block,
    BoundaryPlane,
    Bullets,
    Code,
    Contrast,
    Curve,
    Document,
    Facts,
    Fold,
    Heading,
    Key,
    LayerMap,
    Note,
    Paragraph,
    ReasonChart,
    RulePicture,
    Strips,
    Table,
    TransferPlot,
    TransferTable,
    VerdictBox,
)
from kdaudit.report.exhibits import Sights
from kdaudit.report.words import SIGNS, clean, count, difference_unit, number, span, whole

LONGEST = 60_000
"""Letters with details; comments of more than 65,536 are refused by GitHub."""
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~$&^=])")
_JOINER = "\u2060"
# these are found in the finished text, so that a backslash does not stop them: a word joiner does
_CALLS = re.compile(r"@(?=\w)|(?<=:)//|(?<=www)\.|(?<=#)(?=\d)", re.IGNORECASE)


def escape(text: str) -> str:
    r"""Return `text` so that it is shown as it stands, and mentions, links and loads nothing.

    Examples
    --------
    >>> print(escape("![x](y) <b> a|b"))
    \!\[x\]\(y\) \<b\> a\|b
    """
    broken = _CALLS.sub(lambda found: found.group() + _JOINER, clean(text))
    return _MARKUP.sub(r"\\\1", broken)


def render(document: Document) -> bytes:
    """Return the document; details are left out where it would be too long for a pull request."""
    text = _page(document, folds=True)
    if len(text) > LONGEST:
        text = _page(document, folds=False)
    return text.encode()


def _page(document: Document, *, folds: bool) -> str:
    parts = [escape(document.kicker), f"# {escape(document.title)}", escape(document.lead)]
    parts += [_block(block, folds=folds) for block in document.blocks]
    return "\n\n".join(_within([part for part in parts if part])) + "\n"


def _within(parts: list[str]) -> list[str]:
    """Return as many whole parts as a pull request takes."""
    total = 0
    for at, part in enumerate(parts):
        total += len(part) + 2
        if total > 65_000:
            return [*parts[:at], "The rest stands in report.html."]
    return parts


def _block(block: Block, *, folds: bool) -> str:  # noqa: C901 - one case a block
    match block:
        case Heading(text, level):
            return f"{'#' * level} {escape(text)}"
        case Paragraph(text) | Note(text):
            return escape(text)
        case Bullets(items):
            return "\n".join(f"- {escape(item)}" for item in items)
        case Facts(items):
            return "\n".join(f"- **{escape(k)}**: {escape(v) or '–'}" for k, v in items)
        case VerdictBox():
            return _verdict_box(block)
        case Key(control, ceiling):
            return f"Control: {escape(control)}. Ceiling: {escape(ceiling)}."
        case Strips():
            return _strips(block)
        case TransferTable(contrasts):
            return _transfer(contrasts)
        case TransferPlot(sentences=sentences):
            return "\n".join(f"- {SIGNS[v]} **{v}** {escape(text)}" for v, text in sentences)
        case BoundaryPlane() | Sights():
            return f"{escape(block.title)}: the picture is in report.html. {escape(block.words)}"
        case LayerMap():
            return f"**{escape(block.title)}** {escape(block.words)}\n\n{_map(block)}"
        case ReasonChart():
            return f"**{escape(block.title)}** {escape(block.words)}\n\n{_reasons(block)}"
        case Curve():
            return ""  # the strips below it hold the same numbers
        case Table(head, rows):
            return _table(head, rows)
        case RulePicture():
            return ""  # the text below it holds the same rules
        case Code(text):
            return _code(text)
        case Fold(summary, inner):
            if not folds and not block.kept:
                return f"{escape(summary)}: in report.html"
            return "\n\n".join([f"**{escape(summary)}**", *(_block(b, folds=True) for b in inner)])


def _verdict_box(box: VerdictBox) -> str:
    parts = [f"> {SIGNS[box.verdict]} **{box.verdict}**", f"> **{escape(box.answer)}**"]
    parts += [f"> {escape(text)}" for text in (*box.sentences, *box.limits)]
    parts += [f"> {escape(k)}: {escape(v)}" for k, v in box.facts]
    return "\n>\n".join(parts)


def _code(text: str) -> str:
    lines = [clean(line) for line in text.split("\n")]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + "text", *lines, fence])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(escape(cell) for cell in head)} |", "|" + " --- |" * len(head)]
    lines += [f"| {' | '.join(escape(cell) or '–' for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _map(block: LayerMap) -> str:
    parts = zip(block.rows, block.values, block.low, block.high, strict=True)
    rows = [(name, *map(_cell, values, low, high)) for name, values, low, high in parts]
    return _table(("layer", *block.columns), rows)


def _cell(value: float, low: float, high: float) -> str:
    return f"{number(value)} ({number(low)} to {number(high)})" if low == low and high == high else number(value)


def _reasons(block: ReasonChart) -> str:
    rows = [
        (unit.replace("_", " "), *(whole(values[at], block.unit) for values in block.values))
        for at, unit in enumerate(block.units)
    ]
    return _table(("field", *block.subjects), rows)


def _strips(block: Strips) -> str:
    head = ("whose", "group", "value", "control", "excess", "ceiling", "n")
    rows = []
    for one in block.strips:
        row, unit = one.row, block.unit
        group = one.detail or "all"
        excess = _both(row.excess, difference_unit(unit), signed=True) + (f" ({one.remark})" if one.remark else "")
        value, control = _both(row.value, unit), _both(row.control, unit, row.no_control)
        rows.append(
            (one.label, group, value, control, excess, _both(row.ceiling, unit, row.no_ceiling), count(row.value.n))
        )
    return f"**{escape(block.title)}** ({escape(block.definition)})\n\n{_table(head, rows)}"


def _both(interval: Interval | None, unit: str, reason: str = "", *, signed: bool = False) -> str:
    if interval is None or not interval.known:
        return reason or ("–" if interval is None else interval.method or "not known")
    return f"{number(interval.value, unit, signed=signed)} ({span(interval, unit, signed=signed)})"


def _transfer(contrasts: Sequence[Contrast]) -> str:
    head = ("claim about", "teacher", "verdict", "asked", "proxy", "shows", "difference", "transfer")
    rows = []
    for c in contrasts:
        asked = count(c.asked) + (f" (about {count(c.needed)} needed)" if c.needed else "")
        for at, shown in enumerate(c.shown):
            own = (c.label, whole(c.teacher, c.unit, signed=True), f"{SIGNS[c.verdict]} {c.verdict}", asked)
            numbers = (_both(shown.value, c.unit, signed=True), _both(shown.difference, c.unit, signed=True))
            rows.append((*(own if at == 0 else ("″",) * 4), shown.proxy_name, *numbers, str(shown.transfer)))
    return _table(head, rows)
