"""How far the proxies can be believed: every measure as strips beside its control and ceiling."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from kdaudit.cast import CONTROL_WORDS
from kdaudit.evidence import Evidence, Row
from kdaudit.measures.named import DEFINITIONS
from kdaudit.report.charges import standing
from kdaudit.report.contrasts import about_proxies, measure_words
from kdaudit.report.document import Block, Fold, Heading, Key, Paragraph, Strip, Strips, Table
from kdaudit.report.grounds import grounds
from kdaudit.report.pictures import maps, planes
from kdaudit.report.reasons import charts
from kdaudit.report.sights import sights
from kdaudit.report.words import SIGNS, contrast_words, count, listed, span, whole

if TYPE_CHECKING:
    from kdaudit.run.reading import Run

TITLE = "How far the proxies can be believed"
DRAWN = ("strip", "plane", "map")
"""Evidence that is drawn as strips, with its pictures below them."""
OPEN = ("agreement_beside_outcomes",)
"""Measures that are shown at once though no claim rests on them; all others of a question are shown on demand."""
WHOLE_SHARE = 0.5
"""The whole scale is drawn where the numbers take up more than this share of it."""


def believing(run: Run) -> tuple[Block, ...]:
    """Return the section on fidelity and on every other measure that is drawn as a strip."""
    drawn = [e for e in run.evidence.values() if e.shows in DRAWN and e.rows]
    if not drawn:
        told = standing(run)
        return (Heading(TITLE), *told) if told else ()
    rows = [row for e in drawn for row in e.rows]
    out: list[Block] = [
        Heading(TITLE),
        Paragraph(
            "Likeness alone flatters: a stranger, which never saw this teacher, is often almost as alike. "
            "Read the distance from the grey bar: beside several strangers its interval, and that of the distance, is "
            "over rows and strangers; beside one it says nothing of other strangers, and decides nothing."
        ),
        *standing(run),
        _key(rows),
    ]
    questions = _by_question(run, drawn)
    titles = headings(questions)
    for question, evidence in questions.items():
        claimed = {f.measure for f in run.findings if f.question == question}
        out.append(Heading(titles[question], 3))
        out += _measures(evidence, {*claimed, *OPEN})
        out += [*sights(evidence), *charts(evidence)]
        for one in evidence:
            out += [*planes(one), *maps(one)]
        out += [Paragraph(text, quiet=True) for text in dict.fromkeys(_said(evidence))]
        out += grounds(evidence)
    return (*out, *_claims(run))


def headings(questions: Mapping[str, list[Evidence]]) -> dict[str, str]:
    """Return what stands above each question: one heading for all proxies, and its name where two are headed alike."""
    out = {}
    for question, evidence in questions.items():
        # titles differ by the proxy's name alone
        titles = dict.fromkeys(
            e.title.replace(f"the {e.proxy_name}", "each proxy") if e.proxy_name else e.title for e in evidence
        )
        out[question] = " · ".join(titles) or question
    said = Counter(out.values())
    return {q: f"{text} ({q.partition('/')[2]})" if said[text] > 1 else text for q, text in out.items()}


def strips_of(title: str, strips: tuple[Strip, ...]) -> Strips:
    """Return strips of one measure with the scale on which all of them fit."""
    first = strips[0].row
    known = DEFINITIONS.get(first.measure)
    definition = f"{first.measure}: {known}" if known else first.measure
    return Strips(title, definition, first.unit, scale([s.row for s in strips]), strips)


def scale(rows: Iterable[Row]) -> tuple[float, float]:
    """Return the ends of a scale on which all numbers of `rows` lie.

    The whole scale of the measure, or a part of it between round numbers, where the numbers take up less than half.
    """
    rows = list(rows)
    low_end, high_end = min(r.low_end for r in rows), max(r.high_end for r in rows)
    values = [x for row in rows for x in drawn_numbers(row)]
    if not values:
        return low_end, high_end
    low, high = min(values), max(values)
    low_end, high_end = min(low_end, low), max(high_end, high)
    wide = (high_end - low_end) or 1.0
    room = max((high - low) * 1.3, wide * 0.02)
    if room > WHOLE_SHARE * wide:
        return low_end, high_end
    step = 10.0 ** math.floor(math.log10(room)) / 2
    first, last = math.floor((low - 0.1 * room) / step) * step, math.ceil((high + 0.1 * room) / step) * step
    return max(low_end, round(first, 12)), min(high_end, round(last, 12))


def drawn_numbers(row: Row) -> list[float]:
    """Return the finite numbers of a row that a strip draws."""
    found = [x for part in (row.value, row.control, row.ceiling) if part for x in (part.value, part.low, part.high)]
    return [x for x in found if math.isfinite(x)]


def remark(row: Row) -> str:
    """Return what the distance to the control says in words, where its interval holds 0 or a single stranger stands."""
    if row.excess is None or not row.excess.known:
        return ""
    outcomes = row.control_kind == "label_only"
    if not row.excess.low <= 0.0 <= row.excess.high:
        other = "one proxy of outcomes" if outcomes else "one stranger"
        return f"beside {other}, which says nothing of others" if row.strangers == 1 else ""
    if row.of == "teacher" or row.control_kind in ("permuted", "randomised_teacher"):
        return "no more than chance alone would show"
    if outcomes:
        return "not shown to be closer to the teacher than one of recorded outcomes"
    return "not shown to be closer to the teacher than a stranger"


def _said(evidence: list[Evidence]) -> Iterator[str]:
    """Yield what the evidence wants said below its numbers."""
    for one in evidence:
        yield from (str(text) for text in one.context.get("sentences", ()))


def _by_question(run: Run, drawn: list[Evidence]) -> dict[str, list[Evidence]]:
    order = list(run.account.get("proxies", ()))
    out: dict[str, list[Evidence]] = {}
    for evidence in sorted(drawn, key=lambda e: order.index(e.proxy_name) if e.proxy_name in order else len(order)):
        out.setdefault(evidence.question, []).append(evidence)
    # in the order of the plan, as far as findings tell it; else by name
    rank = {f.question: at for at, f in reversed(list(enumerate(run.findings)))}
    return dict(sorted(out.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))


def _measures(evidence: list[Evidence], shown: Collection[str]) -> list[Block]:
    kinds: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for one in evidence:
        for row in one.rows:
            kinds.setdefault((row.measure, row.unit), []).append((one.proxy_name, row))
    if not any(measure in shown for measure, _ in kinds):
        # nothing was claimed: nothing is of the second rank
        shown = [measure for measure, _ in kinds]
    out: list[Block] = []
    second: list[Block] = []
    names: list[str] = []
    for (measure, _), found in kinds.items():
        title = measure_words(measure, (row.title for _, row in found))
        strips = tuple(_strip(name, row) for name, row in found)
        main = tuple(s for s in strips if s.row.group == "all") or strips[: len(evidence)]
        rest = tuple(s for s in strips if s not in main)
        into = out if measure in shown else second
        into.append(strips_of(title, main))
        if rest:
            summary = f"{title} by group ({count(len(rest))} row{'s' * (len(rest) > 1)})"
            into.append(Fold(summary, (strips_of(title, rest),)))
        if into is second:
            names.append(title if title[:2].isupper() else f"{title[:1].lower()}{title[1:]}")
    if second:
        more = f"{count(len(names))} further measure{'s' * (len(names) > 1)}"
        out.append(Fold(f"{more}: {listed(tuple(names), 3)}", tuple(second)))
    return out


def _strip(name: str, row: Row) -> Strip:
    return Strip(name, "" if row.group == "all" else contrast_words(row.group), row, remark(row))


def _key(rows: list[Row]) -> Key:
    kinds = dict.fromkeys(row.control_kind for row in rows if row.control is not None)
    reasons = dict.fromkeys(row.no_control for row in rows if row.control is None)
    most = {kind: max(row.strangers for row in rows if row.control_kind == kind) for kind in kinds}
    words = [f"{CONTROL_WORDS[kind]} ({count(n)} of them)" if n else CONTROL_WORDS[kind] for kind, n in most.items()]
    words = words or [f"none ({', '.join(reasons)})"]
    return Key("; or ".join(words), "the teacher trained or drawn a second time")


def _claims(run: Run) -> list[Block]:
    found = about_proxies(run)
    if not found:
        return []
    rows: tuple[tuple[str, ...], ...] = tuple(
        (
            f.proxy_name,
            f.claim,
            whole(f.proxy, f.unit) if f.proxy.known else span(f.proxy),
            f"{SIGNS[f.verdict]}\u00a0{f.verdict}",
            f.reason,
        )
        for f in found
    )
    head: tuple[str, ...] = ("proxy", "claim", "found", "verdict", "why")
    if not any(row[-1] for row in rows):
        head, rows = head[:-1], tuple(row[:-1] for row in rows)
    return [Heading("Claims about the proxies", 3), Table(head, rows)]
