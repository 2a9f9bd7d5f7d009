"""A document as one HTML page: no script, no network, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from kdaudit.finding import Verdict
from kdaudit.interval import Interval
from kdaudit.report.branches import branches
from kdaudit.report.curves import curve
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
    Shown,
    Strip,
    Strips,
    Table,
    TransferPlot,
    TransferTable,
    VerdictBox,
)
from kdaudit.report.exhibits import Sights
from kdaudit.report.figures import axis, sample, strip
from kdaudit.report.pictures import layer_map, plane
from kdaudit.report.planes import transfer
from kdaudit.report.reasons import chart
from kdaudit.report.sights import gallery
from kdaudit.report.style import CSS
from kdaudit.report.words import SIGNS, clean, count, difference_unit, exact, number, span

MOST_WORDS = 12
"""Facts beyond this number are set as a list of words."""
BESIDE = (BoundaryPlane, LayerMap)
"""Pictures that stand side by side with others of their kind."""
LONG = 32
"""Letters of a reason that still fit into a column of numbers; longer ones stand below the measure's name."""


def render(document: Document) -> bytes:
    """Return the page; the same document gives the same bytes."""
    digest = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = Markup(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="{}"><meta name="referrer" content="no-referrer">'
        "<title>{}</title><style>{}</style></head>\n<body><main>\n"
    ).format(policy, clean(document.title), Markup(CSS))
    top = (
        _tag("p", document.kicker, "small soft") + _tag("h1", document.title) + _tag("p", document.lead, "soft") + "\n"
    )
    return (head + top + fragment(document.blocks) + Markup("</main></body></html>\n")).encode()


def fragment(blocks: Iterable[Block]) -> Markup:
    """Return blocks as HTML, to stand inside a page that has the style's variables and rules."""
    parts: list[Markup] = []
    for beside, found in groupby(blocks, key=lambda block: type(block) if isinstance(block, BESIDE) else None):
        drawn = [_block(block) for block in found]
        pair = beside is not None and len(drawn) > 1
        parts += [_wrap("div", (_wrap("div", (one,)) for one in drawn), "two")] if pair else drawn
    return Markup("\n").join(parts) + Markup("\n")


def _block(block: Block) -> Markup:  # noqa: C901 - one case a block
    match block:
        case Heading(text, level):
            return _tag("h2" if level == 2 else "h3", text)
        case Paragraph(text, quiet):
            return _tag("p", text, "small soft" if quiet else "")
        case Bullets(items):
            return _wrap("ul", (_tag("li", item) for item in items))
        case Facts(items):
            return _facts(items, "words" if len(items) > MOST_WORDS else "facts")
        case VerdictBox():
            return _verdict_box(block)
        case Key():
            return _key(block)
        case Strips():
            return _strips(block)
        case TransferTable(contrasts):
            return _transfer_table(contrasts)
        case TransferPlot():
            return _transfer_plot(block)
        case BoundaryPlane():
            return _pictured(block.title, plane(block), block.words)
        case LayerMap():
            return _pictured(block.title, layer_map(block), block.words)
        case ReasonChart():
            return _pictured(block.title, chart(block), block.words)
        case Sights():
            return _pictured(block.title, gallery(block), block.words)
        case Curve():
            return curve(block)
        case Table():
            return _table(block)
        case RulePicture():
            return branches(block)
        case Code(text):
            return Markup('<pre tabindex="0">{}</pre>').format("\n".join(clean(line) for line in text.split("\n")))
        case Note(text):
            return _tag("p", text, "note")
        case Fold(summary, inner):
            return Markup("<details><summary>{}</summary>{}</details>").format(clean(summary), fragment(inner))


def _tag(name: str, text: str, kind: str = "") -> Markup:
    if not text:
        return Markup("")
    attribute = Markup(' class="{}"').format(kind) if kind else Markup("")
    return Markup("<{n}{a}>{t}</{n}>").format(n=name, a=attribute, t=clean(text))


def _wrap(name: str, parts: Iterable[Markup], kind: str = "") -> Markup:
    attribute = Markup(' class="{}"').format(kind) if kind else Markup("")
    return Markup("<{n}{a}>{t}</{n}>").format(n=name, a=attribute, t=Markup("").join(parts))


def chip(verdict: Verdict) -> Markup:
    """Return a verdict as sign, word and colour."""
    return Markup('<span class="chip {}">{} {}</span>').format(verdict, SIGNS[verdict], verdict)


def _facts(items: Sequence[tuple[str, str]], kind: str) -> Markup:
    pair = "<div>{}{}</div>" if kind == "facts" else "{}{}"
    return _wrap("dl", (Markup(pair).format(_tag("dt", k), _tag("dd", v or "–")) for k, v in items), kind)


def _verdict_box(box: VerdictBox) -> Markup:
    parts = [chip(box.verdict), _tag("p", box.answer, "answer")]
    parts += [_tag("p", sentence) for sentence in box.sentences]
    parts += [_tag("p", limit, "small soft") for limit in box.limits]
    if box.facts:
        parts.append(_facts(box.facts, "facts"))
    return Markup('<section class="verdict {}" aria-label="Verdict">{}</section>').format(
        box.verdict, Markup("").join(parts)
    )


def _key(key: Key) -> Markup:
    items = (
        ("proxy", "value of a proxy with its interval"),
        ("teacher", "value of the teacher with its interval"),
        ("control", f"control with its interval: {key.control}"),
        ("ceiling", f"ceiling with its interval: {key.ceiling}"),
    )
    return _wrap("ul", (Markup("<li>{}{}</li>").format(sample(kind), clean(words)) for kind, words in items), "key")


STRIP_HEAD = (("", "who"), ("", "pic"), ("value", "num n"), ("control", "num n"), ("excess", "num n"))
STRIP_TAIL = (("ceiling", "num n"), ("n", "n"))


def _strips(block: Strips) -> Markup:
    notes = Markup("").join(_small(text) for text in (block.definition, *_why_none(block)))
    caption = Markup("<caption>{}{}</caption>").format(clean(block.title), notes)
    head = [
        Markup('<th scope="col" class="{}">{}</th>').format(kind, axis(block.scale, block.unit) if kind == "pic" else t)
        for t, kind in (*STRIP_HEAD, *STRIP_TAIL)
    ]
    # on a telephone the head is hidden: the scale stands once more above the first strip
    body = (_strip(one, block) for one in block.strips)
    return _wrap("table", (caption, _wrap("thead", (_wrap("tr", head),)), _wrap("tbody", body)), "strips")


def _why_none(block: Strips) -> Iterator[str]:
    """Yield the reasons for numbers that are not there which are too long for a column, each once."""
    found: dict[str, list[str]] = {}
    for one in block.strips:
        row = one.row
        parts = (("value", row.value, ""), ("control", row.control, row.no_control), ("excess", row.excess, ""))
        for what, part, reason in (*parts, ("ceiling", row.ceiling, row.no_ceiling)):
            if part is None or not part.known:
                why = reason or ("" if part is None else part.method)
                if len(why) > LONG:
                    found.setdefault(f"No {what}: {why}", []).append(one.label)
    for text, labels in found.items():
        whose = "" if len(labels) == len(block.strips) else f" ({', '.join(dict.fromkeys(labels))})"
        yield f"{text}{whose}."


def _strip(one: Strip, block: Strips) -> Markup:
    row, unit = one.row, block.unit
    signed = row.low_end < 0
    name = Markup("{}{}{}").format(clean(one.label), _small(one.detail), _small(one.remark))
    cells = [
        _cell(name, kind="name"),
        _cell(
            Markup('<span class="scale">{}</span>{}').format(axis(block.scale, unit), strip(row, block.scale)),
            kind="pic",
        ),
        _cell(_number(row.value, unit, signed=signed, brief=True), "value"),
        _cell(_number(row.control, unit, row.no_control, signed=signed, brief=True), "control"),
        _cell(_number(row.excess, difference_unit(unit), signed=True, brief=True), "excess"),
        _cell(_number(row.ceiling, unit, row.no_ceiling, signed=signed, brief=True), "ceiling"),
        _cell(Markup(count(row.value.n)), "n"),
    ]
    return _wrap("tr", cells)


def _small(text: str, kind: str = "") -> Markup:
    return _tag("small", text, kind)


def _number(
    interval: Interval | None,
    unit: str,
    reason: str = "",
    *,
    signed: bool = False,
    bare: bool = False,
    brief: bool = False,
) -> Markup:
    """Return a value over its interval, or the reason why there is none; a long one stands elsewhere if `brief`."""
    if interval is None or not interval.known:
        why = reason or ("" if interval is None else interval.method)
        return Markup("–{}").format(_small(why if len(why) <= LONG or not brief else ""))
    kind = "" if exact(interval) else "iv"
    ends = _tag("small", span(interval, unit, signed=signed), kind)
    return Markup('<span class="iv">{}</span> {}').format(number(interval.value, unit, signed=signed, bare=bare), ends)


def _cell(inner: Markup, label: str = "", *, kind: str = "n", rows: int = 1) -> Markup:
    name = Markup(' data-label="{}"').format(label) if label else Markup("")
    high = Markup(' rowspan="{}"').format(rows) if rows > 1 else Markup("")
    return Markup('<td class="{}"{}{}><div>{}</div></td>').format(kind, name, high, inner)


def _text_cell(text: str, label: str = "", kind: str = "t") -> Markup:
    return _cell(Markup("{}").format(clean(text)), label, kind=kind)


def _transfer_table(contrasts: Sequence[Contrast]) -> Markup:
    unit = next((f", {c.unit}" for c in contrasts if c.unit), "")
    names = (("claim about", ""), (f"teacher{unit}", "n"), ("verdict", ""), ("asked", "n"), ("proxy", ""))
    tail = ((f"shows{unit}", "n"), ("difference", "n"), ("transfer", ""))
    head = (Markup('<th scope="col" class="{}">{}</th>').format(kind, clean(text)) for text, kind in (*names, *tail))
    body = (row for contrast in contrasts for row in _contrast(contrast))
    return _wrap("table", (_wrap("thead", (_wrap("tr", head),)), _wrap("tbody", body)), "flow claims")


def _contrast(c: Contrast) -> Iterable[Markup]:
    rows = max(1, len(c.shown))
    name = Markup("{}{}{}").format(clean(c.label), _small(c.question), _small(c.saving))
    needed = f"about {count(c.needed)} needed" if c.needed else ""
    asked = Markup("{} {}").format(count(c.asked), _small(needed, "line"))
    first = [
        _cell(name, kind="name", rows=rows),
        _cell(_teacher(c), "teacher", rows=rows),
        _cell(chip(c.verdict) + _small(c.reason), "verdict", kind="t", rows=rows),
        _cell(asked, "asked", rows=rows),
    ]
    for at, shown in enumerate(c.shown):
        cells = (first if at == 0 else []) + _shown(shown, c.unit)
        yield _wrap("tr", cells, "more" if at < len(c.shown) - 1 else "")
    if not c.shown:
        yield _wrap("tr", first)


def _teacher(c: Contrast) -> Markup:
    parts = [_number(c.teacher, c.unit, signed=True, bare=True)]
    if c.teacher.known and not exact(c.teacher):
        parts.append(_small(f"n {count(c.teacher.n)}", "line"))
    for word, part in (("beyond these rows", c.population), ("control", c.control)):
        if part is not None and part.known:
            value = number(part.value, c.unit, signed=True, bare=True) if word == "control" else ""
            ends = Markup('<span class="iv">{}</span>').format(span(part, c.unit, signed=True))
            parts.append(Markup('<small class="line">{} {} {}</small>').format(word, value, ends))
    return Markup("").join(parts)


def _shown(shown: Shown, unit: str) -> list[Markup]:
    return [
        _text_cell(shown.proxy_name, "proxy"),
        _cell(_number(shown.value, unit, signed=True, bare=True), "shows"),
        _cell(_number(shown.difference, unit, signed=True, bare=True), "difference"),
        _cell(Markup('<span class="chip kind">{}</span>').format(shown.transfer), "transfer", kind="t"),
    ]


def _transfer_plot(plot: TransferPlot) -> Markup:
    told = (Markup("<li>{} {}</li>").format(chip(verdict), clean(text)) for verdict, text in plot.sentences)
    lead = next((c.shown[0].proxy_name for c in plot.contrasts if c.shown), "the proxy")
    words = (
        f"Across: the teacher with its interval. Up: {lead} with its interval; others are small hollow diamonds. "
        f"Shaded: within the margin of {number(plot.margin, plot.unit)}. On the dashed line both show the same."
    )
    side = _wrap("ul", told, "told") + _tag("p", words, "small soft")
    return Markup('<div class="two"><div>{}</div><div>{}</div></div>').format(transfer(plot), side)


def _pictured(title: str, picture: Markup, words: str) -> Markup:
    return _tag("p", title, "part") + picture + _tag("p", words, "small soft")


def _table(table: Table) -> Markup:
    kinds = ["n" if at in table.numeric else "t" for at in range(len(table.head))]
    head = (
        Markup('<th scope="col" class="{}">{}</th>').format(k, clean(t)) for t, k in zip(table.head, kinds, strict=True)
    )
    body = (
        _wrap("tr", (_text_cell(t, h, k) for t, h, k in zip(row, table.head, kinds, strict=True))) for row in table.rows
    )
    return _wrap("table", (_wrap("thead", (_wrap("tr", head),)), _wrap("tbody", body)), "flow")
