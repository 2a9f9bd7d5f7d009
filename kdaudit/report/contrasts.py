"""Findings about the teacher gathered by claim: one teacher, and what each proxy shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kdaudit.cast import CONTROL_WORDS
from kdaudit.evidence import Evidence
from kdaudit.finding import Finding, Severity, Transfer, Verdict
from kdaudit.report.document import Contrast, Shown
from kdaudit.report.words import contrast_words, count

if TYPE_CHECKING:
    from kdaudit.run.reading import Run

RANK = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, Severity.OPEN: 3, Severity.NONE: 4}


def about_teacher(run: Run) -> tuple[Finding, ...]:
    """Return the findings that are about the teacher, in the order of the plan."""
    return tuple(f for f in run.findings if f.transfer is not Transfer.NONE)


def about_proxies(run: Run) -> tuple[Finding, ...]:
    """Return the findings that are about a proxy alone."""
    return tuple(f for f in run.findings if f.transfer is Transfer.NONE)


def contrasts(run: Run) -> tuple[Contrast, ...]:
    """Return each claim about the teacher once, with the proxies in the order of the plan."""
    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in about_teacher(run):
        key = (finding.question, finding.claim, finding.measure, finding.group, finding.form, finding.margin)
        groups.setdefault(key, []).append(finding)
    order = list(run.account.get("proxies", ()))
    return tuple(_contrast(run, _in_order(found, order)) for found in groups.values())


def strength(contrast: Contrast) -> int:
    """Return what to sort faults by: severity; among equals the order of the plan, where what matters comes first."""
    return RANK[Severity(contrast.severity)]


def _in_order(found: list[Finding], order: list[str]) -> list[Finding]:
    return sorted(found, key=lambda f: order.index(f.proxy_name) if f.proxy_name in order else len(order))


def _contrast(run: Run, found: list[Finding]) -> Contrast:
    first = found[0]
    evidence = evidence_of(run, first)
    row = None if evidence is None else evidence.row(first.measure, first.group, "teacher")
    kind = "" if row is None else CONTROL_WORDS[row.control_kind] if row.control is not None else row.no_control
    return Contrast(
        label=contrast_words(first.group) or first.question,
        question=first.question,
        title=first.claim if evidence is None else evidence.title,
        claim=first.claim,
        sentence=first.sentence or first.claim,
        reason=first.reason if first.verdict is Verdict.UNDECIDED else "",
        measure=first.measure,
        unit=first.unit,
        form=first.form,
        margin=first.margin,
        teacher=first.teacher,
        verdict=first.verdict,
        severity=str(first.severity),
        asked=max(f.asked for f in found),
        needed=first.needed,
        shown=tuple(Shown(f.proxy_name, f.proxy, f.difference, f.transfer, f.reason) for f in found),
        control=None if row is None else row.control,
        ceiling=None if row is None else row.ceiling,
        control_words=kind,
        no_ceiling="" if row is None else row.no_ceiling,
        saving="" if evidence is None else saving(evidence.context, first),
        population=None if row is None else row.population,
    )


def evidence_of(run: Run, finding: Finding) -> Evidence | None:
    """Return the evidence that a finding rests on, or None."""
    return run.evidence.get(PurePosixPath(finding.evidence).stem) if finding.evidence else None


def saving(context: Mapping[str, Any], finding: Finding) -> str:
    """Return what the proxy's help was worth, where the evidence says so.

    The context of the evidence may hold ``contrasts``: group or measure -> ``width_ratio``, the width of the
    teacher's interval over that of plain sampling of as many rows, and ``strangers_width_ratio``, the same with a
    stranger's help.  In a pool of N rows widths fall as ``sqrt(1 / n - 1 / N)``: plain sampling needs
    ``1 / (1 / N + (1 / n - 1 / N) width_ratio**2)`` rows for the same width.
    """
    found = worth(context, finding)
    if found is None:
        return ""
    if found["width_ratio"] >= 1:
        return "the proxy saved no questions here"
    plain = int(round(finding.asked * found["factor"], -2)) or finding.asked
    text = f"plain sampling would need about {count(plain)} (width × {found['width_ratio']:.2f}"
    told = found.get("forecast_ratio")
    if isinstance(told, (int, float)):
        text += f"; × {told:.2f} was forecast before asking"
    theirs = found.get("strangers_width_ratio")
    return text + (f"; with a stranger × {theirs:.2f})" if isinstance(theirs, (int, float)) else ")")


def worth(context: Mapping[str, Any], finding: Finding) -> dict[str, Any] | None:
    """Return what evidence says of the proxy's help with a finding, or None where it says nothing.

    ``factor`` and ``strangers_factor``: how many times as many rows plain sampling needs for the same width.
    """
    found = context.get("contrasts")
    if not isinstance(found, Mapping):
        return None
    keys = (finding.group, f"{finding.measure.removesuffix('_difference')}, {finding.group}", finding.measure)
    one: Mapping[str, Any] = next((found[key] for key in keys if isinstance(found.get(key), Mapping)), {})
    ratio, n = one.get("width_ratio"), finding.teacher.n
    if not isinstance(ratio, (int, float)) or ratio <= 0 or not finding.asked or not n:
        return None
    rest = 1 / finding.proxy.n if finding.proxy.n > n else 0.0

    def factor(width: float) -> float:
        return 1 / n / (rest + (1 / n - rest) * width**2)

    theirs = one.get("strangers_width_ratio")
    more = {"strangers_factor": factor(theirs)} if isinstance(theirs, (int, float)) and theirs > 0 else {}
    return {**one, "factor": factor(ratio), **more}


def measure_words(measure: str, titles: Iterable[str] = ()) -> str:
    """Return a measure's title, or its name in words where its rows have titles of their own."""
    found = {title for title in titles if title}
    return found.pop() if len(found) == 1 else measure.replace("_", " ").capitalize()
