"""What the proxies show, and what the teacher does: findings with three intervals, table and plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kdaudit.evidence import Evidence
from kdaudit.report.believing import remark, strips_of
from kdaudit.report.contrasts import contrasts, measure_words
from kdaudit.report.document import (
    Block,
    Bullets,
    Contrast,
    Fold,
    Heading,
    Paragraph,
    Strip,
    TransferPlot,
    TransferTable,
)
from kdaudit.report.words import contrast_words, count, number

if TYPE_CHECKING:
    from kdaudit.evidence import Row
    from kdaudit.run.reading import Run

AT_ONCE = 4
"""Notes that are shown at once; more are shown on demand."""


def bias(run: Run) -> tuple[Block, ...]:
    """Return the section on the teacher: one table and plot for each measure and margin."""
    found = contrasts(run)
    if not found:
        return ()
    groups: dict[tuple[Any, ...], list[Contrast]] = {}
    for one in found:
        groups.setdefault((one.measure, one.unit, one.form, one.margin), []).append(one)
    out: list[Block] = [
        Heading("Bias: what the proxies show, and what the teacher does"),
        Paragraph(
            "The verdict is about the teacher and rests on the teacher's own answers. Transfer says whether the proxy "
            "would have told the same. Difference is teacher minus proxy. Claims are about these rows; beyond them "
            "the wider interval holds."
        ),
    ]
    said: set[str] = set()
    for same in groups.values():
        out += _part(run, tuple(same))
        out += _noted(run, {c.question for c in same} - said)
        said |= {c.question for c in same}
    return tuple(out)


def _noted(run: Run, questions: set[str]) -> list[Block]:
    """Return what the evidence wants said beside its numbers, in sight where it is short."""
    found = [e for e in run.evidence.values() if e.question in questions and e.shows == "transfer"]
    told = tuple(dict.fromkeys(str(text) for e in found for text in e.context.get("sentences", ())))
    if len(told) > AT_ONCE:
        return [Fold(f"{count(len(told))} notes on these questions", (Bullets(told),))]
    return [Paragraph(text, quiet=True) for text in told]


def _part(run: Run, same: tuple[Contrast, ...]) -> list[Block]:
    first = same[0]
    drawn = _drawn(run, same)
    title = measure_words(first.measure, (row.title for _, row in drawn if row.measure == first.measure))
    out: list[Block] = [Heading(title or "Not asked", 3)]
    if first.measure:
        out.append(Paragraph(_small_print(same), quiet=True))
    if plottable(same):
        sentences = tuple((c.verdict, c.sentence) for c in same)
        out.append(TransferPlot(same, first.unit, first.margin, sentences))
    out.append(TransferTable(same))
    if drawn:
        out.append(Fold(f"All {count(len(drawn))} numbers behind it, beside their controls", _tables(drawn)))
    return out


def strips_behind(run: Run, contrast: Contrast) -> tuple[Block, ...]:
    """Return the rows of evidence of one contrast as strips."""
    drawn = [(name, row) for name, row in _drawn(run, (contrast,)) if contrast_words(row.group) == contrast.label]
    return _tables(drawn)


def _tables(drawn: list[tuple[str, Row]]) -> tuple[Block, ...]:
    kinds: dict[tuple[str, str], list[Strip]] = {}
    for name, row in drawn:
        kinds.setdefault((row.measure, row.unit), []).append(_strip(name, row))
    return tuple(
        strips_of(measure_words(measure, (s.row.title for s in found)), tuple(found))
        for (measure, _), found in kinds.items()
    )


def plottable(same: tuple[Contrast, ...]) -> bool:
    """Whether any contrast has both coordinates of the transfer plot."""
    return any(c.form == "within" and c.teacher.known and any(s.value.known for s in c.shown) for c in same)


def _small_print(same: tuple[Contrast, ...]) -> str:
    first = same[0]
    levels = sorted({c.teacher.level for c in same if math.isfinite(c.teacher.level)})
    words = ", ".join(f"{level * 100:.4g} %" for level in levels)
    methods = " and ".join(dict.fromkeys(c.teacher.method for c in same if c.teacher.known and c.teacher.method))
    text = f"{first.measure}. Margin {_form(first.form)} {number(first.margin, first.unit)}. Intervals {words}"
    return text + (f" by {methods}." if methods else ".")


def _form(form: str) -> str:
    return {"within": "±", "at least": "at least", "at most": "at most", "above control": "above the control by"}[form]


def _drawn(run: Run, same: tuple[Contrast, ...]) -> list[tuple[str, Row]]:
    """Return the rows of evidence behind the contrasts; the teacher's own once, whatever the proxy."""
    questions = {c.question for c in same}
    seen: set[tuple[Any, ...]] = set()
    out = []
    order = list(run.account.get("proxies", ()))
    found = [e for e in run.evidence.values() if e.question in questions and e.shows == "transfer"]
    for evidence in sorted(found, key=lambda e: (e.question, _place(order, e))):
        for row in evidence.rows:
            who = "" if row.of == "teacher" else evidence.proxy_name
            key = (evidence.question, row.measure, row.group, row.of, who, row.value)
            if key not in seen:
                seen.add(key)
                out.append((evidence.proxy_name, row))
    return out


def _place(order: list[str], evidence: Evidence) -> int:
    return order.index(evidence.proxy_name) if evidence.proxy_name in order else len(order)


def _strip(name: str, row: Row) -> Strip:
    label = {"teacher": "teacher", "proxy": name, "teacher-proxy": f"teacher − {name}"}[row.of]
    return Strip(label, contrast_words(row.group), row, remark(row))
