"""Findings about the teacher gathered by claim: one teacher, and what each proxy shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kdaudit.cast import CONTROL_WORDS
from kdaudit.evidence import Evidence
from kdaudit.finding import Finding, Severity, Transfer, Verdict
from kdaudit.report.document import Contrast, Shown
from kdaudit.report.words import contrast_words, count, number

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


def strength(contrast: Contrast) -> tuple[int, float]:
    """Return what to sort faults by, the strongest first: severity, then how far the near end is beyond the margin."""
    teacher = contrast.teacher
    nearer = min(abs(teacher.low), abs(teacher.high)) if teacher.known else 0.0
    return RANK[Severity(contrast.severity)], contrast.margin - nearer


def _in_order(found: list[Finding], order: list[str]) -> list[Finding]:
    return sorted(found, key=lambda f: order.index(f.proxy_name) if f.proxy_name in order else len(order))


def _contrast(run: Run, found: list[Finding]) -> Contrast:
    first = found[0]
    evidence = _evidence(run, first)
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
        saving="" if evidence is None else saving(evidence.context, first.group),
    )


def _evidence(run: Run, finding: Finding) -> Evidence | None:
    return run.evidence.get(PurePosixPath(finding.evidence).stem) if finding.evidence else None


def saving(context: Mapping[str, Any], group: str) -> str:
    """Return what plain sampling would have needed for the same width, where the evidence says so.

    The context of the evidence may hold ``baseline``: group -> ``{"width_ratio": r, "plain_asked": n}``.
    """
    baseline = context.get("baseline")
    found = baseline.get(group, baseline) if isinstance(baseline, Mapping) else None
    if not isinstance(found, Mapping):
        return ""
    ratio, plain = found.get("width_ratio"), found.get("plain_asked")
    parts = []
    if isinstance(plain, (int, float)):
        parts.append(f"plain sampling would have needed {count(round(plain))}")
    if isinstance(ratio, (int, float)):
        parts.append(f"interval {number(float(ratio), bare=True)} times as wide as by plain sampling of as many")
    return "; ".join(parts)
