"""Findings from evidence: knows claims and intervals, and no kind of question."""

from __future__ import annotations

import math

from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim, Finding, Severity, Transfer, Verdict
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.beside import DRAWN
from kdaudit.statistics.verdicts import Decision, judge, needed, transfer

SEVERE, NOTABLE = 1.0, 0.25
"""A fault is HIGH where it surely lies beyond the margin by more than the margin itself, MEDIUM by a quarter of it."""


FEWEST_STRANGERS = 2
"""Strangers below which their spread is unknown; two tell so little of it that hardly anything is decided."""
ONE_STRANGER = "one stranger says nothing of the spread among strangers; name at least three"


def conclude(evidence: Evidence, *, stem: str, repeat: str) -> tuple[Finding, ...]:
    """Return a finding for each claim of the evidence.

    Parameters
    ----------
    evidence : Evidence
        Its context tells of a claim about the teacher what there is to ask: ``about_rows``, units of sampling that the
        claim is about; ``pool``, units that there are; ``beyond_rows``, whether it is about more than these.
    stem : str
        Name of the evidence's files, without ending.
    repeat : str
        Command that repeats the audit.
    """
    return tuple(_finding(evidence, claim, f"evidence/{stem}.parquet", repeat) for claim in evidence.claims)


def undecided(question: str, title: str, reason: str, *, needed: int | None, repeat: str, proxy_name: str) -> Finding:
    """Return the finding of a question that was not asked: UNDECIDED, with the reason and the rows it needs."""
    nothing = unknown(reason)
    return Finding(
        question=question,
        claim=title,
        measure="",
        group="",
        form="within",
        margin=0.0,
        unit="",
        teacher=nothing,
        proxy=nothing,
        difference=nothing,
        verdict=Verdict.UNDECIDED,
        transfer=Transfer.UNDECIDED,
        severity=Severity.OPEN,
        asked=0,
        needed=needed,
        evidence="",
        repeat=repeat,
        proxy_name=proxy_name,
        reason=reason,
        sentence=f"{title} was not asked: {reason}.",
    )


def _finding(evidence: Evidence, claim: Claim, file: str, repeat: str) -> Finding:
    rows = {of: evidence.row(claim.measure, claim.group, of) for of in ("teacher", "proxy", "teacher-proxy")}
    absent = unknown("the question gave no such row")
    teacher, proxy, difference = (absent if row is None else row.value for row in rows.values())
    subject_row = rows["teacher" if claim.about == "teacher" else "proxy"]
    decided = _decide(claim, subject_row)
    if claim.about == "teacher":
        carried = transfer(teacher, proxy, difference, claim.form, claim.margin, decided.verdict)
        kind, reason = carried.transfer, "; ".join(part for part in (decided.reason, carried.reason) if part)
    else:
        kind, reason = Transfer.NONE, decided.reason
    asked = max((row.asked for row in rows.values() if row is not None), default=0)
    stated = teacher if claim.about == "teacher" else proxy
    more, short = None, ""
    if decided.verdict is Verdict.UNDECIDED:
        more, short = _needed(evidence, claim, (proxy, stated), asked)
    return Finding(
        question=evidence.question,
        claim=claim.text,
        measure=claim.measure,
        group=claim.group,
        form=claim.form,
        margin=claim.margin,
        unit="" if subject_row is None else subject_row.unit,
        teacher=teacher,
        proxy=proxy,
        difference=difference,
        verdict=decided.verdict,
        transfer=kind,
        severity=_severity(claim, decided.verdict, stated),
        asked=asked,
        needed=more,
        evidence=file,
        repeat=repeat,
        proxy_name=evidence.proxy_name,
        reason="; ".join(part for part in (reason, short) if part),
        sentence=_sentence(claim, decided, stated, "" if subject_row is None else subject_row.unit),
    )


def _decide(claim: Claim, row: Row | None) -> Decision:
    if row is None:
        return Decision(Verdict.UNDECIDED, "the question gave no such row")
    if row.value.known and row.value.n < claim.minimum:
        return Decision(Verdict.UNDECIDED, f"{row.value.n} rows; at least {claim.minimum} are needed")
    if claim.form == "above control":
        if not row.value.known and row.value.method:
            # what is not known itself has no control either, and that is not the reason
            return Decision(Verdict.UNDECIDED, row.value.method)
        if row.excess is None:
            return Decision(Verdict.UNDECIDED, f"there is no control: {row.no_control}")
        if row.control_kind in DRAWN and row.strangers < FEWEST_STRANGERS:
            return Decision(Verdict.UNDECIDED, ONE_STRANGER)
        return judge(row.excess, claim.form, claim.margin)
    return judge(row.value, claim.form, claim.margin)


def _needed(evidence: Evidence, claim: Claim, shown: tuple[Interval, Interval], asked: int) -> tuple[int | None, str]:
    """Return the teacher rows that would decide it, a unit of sampling taking as many as it took; or why none would.

    `shown` are the proxy's interval and the one that the claim is judged by.
    """
    proxy, stated = shown
    if claim.form == "above control":
        return None, ""  # what strangers differ by is not made smaller by rows
    pool = _pool(evidence, claim, proxy, stated)
    units = needed(stated, claim.form, claim.margin, stated.n, pool=pool)
    if units is None or not stated.n:
        return None, ""
    endless = claim.about != "teacher" or evidence.context.get("beyond_rows")
    there = [] if endless else [n for n in (pool, evidence.context.get("pool")) if n is not None]
    if there and units > min(there):
        return None, f"more than the {min(there):,} rows that there are would be needed"
    return math.ceil(units * asked / stated.n), ""


def _pool(evidence: Evidence, claim: Claim, proxy: Interval, stated: Interval) -> int | None:
    """Return how many rows the claim is about; None where it is about more than rows that there are."""
    if claim.about != "teacher" or evidence.context.get("beyond_rows"):
        return None
    told = evidence.context.get("about_rows")
    if told is not None:
        return max(int(told), stated.n)
    # a proxy that was counted was counted over the whole pool that the claim is about
    return proxy.n if proxy.low == proxy.high and proxy.n >= stated.n else None


def _severity(claim: Claim, verdict: Verdict, value: Interval) -> Severity:
    match verdict:
        case Verdict.HOLDS:
            return Severity.NONE
        case Verdict.UNDECIDED:
            return Severity.OPEN
    nearer = min(abs(value.low), abs(value.high))
    beyond = abs(nearer - claim.margin) if claim.form in ("within", "at most") else abs(claim.margin - value.high)
    share = beyond / claim.margin if claim.margin > 0 else math.inf
    if share > SEVERE:
        return Severity.HIGH
    return Severity.MEDIUM if share > NOTABLE else Severity.LOW


def _sentence(claim: Claim, decided: Decision, value: Interval, unit: str) -> str:
    if not value.known:
        return f"{claim.text}: not known, {decided.reason or value.method}."
    if not claim.found:
        return f"{claim.text}: {value.text(unit)}."
    return claim.found.replace("{value}", value.text(unit))
