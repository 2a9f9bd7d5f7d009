"""Whether what the proxies show carries over, in all: how often it is right, what it hides, what it saved and cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kdaudit.finding import Finding, Transfer, Verdict
from kdaudit.report.contrasts import about_teacher, evidence_of, worth
from kdaudit.report.document import Block, Heading, Paragraph, Table
from kdaudit.report.words import count
from kdaudit.statistics.verdicts import fault

if TYPE_CHECKING:
    from kdaudit.run.reading import Run


@dataclass(frozen=True)
class Tally:
    """Claims about the teacher, by what a proxy shows and what the teacher does.

    Parameters
    ----------
    right, invented, missed : int
        Faults that the proxy shows and the teacher has, that only the proxy shows, that only the teacher has.
    clear : int
        Claims under which neither has a fault.
    open_shown, open_not : int
        Undecided about the teacher: the proxy shows a fault, or none.
    masked : int
        Missed faults in which teacher and proxy surely differ.
    """

    right: int
    invented: int
    missed: int
    clear: int
    open_shown: int
    open_not: int
    masked: int

    @property
    def precision(self) -> str:
        """How many faults that the proxy shows are the teacher's, bounded by counting undecided ones both ways."""
        return _share(self.right, self.right + self.invented, self.open_shown)

    @property
    def recall(self) -> str:
        """How many of the teacher's faults the proxy shows, bounded likewise."""
        known = self.right + self.missed
        low, high = known + self.open_not, known + self.open_shown
        if not known:
            return "no fault decided"
        text = f"{count(self.right)} of {count(known)}"
        if not self.open_shown and not self.open_not:
            return text
        ends = (self.right / low, (self.right + self.open_shown) / high)
        return f"{text} ({ends[0]:.0%} to {ends[1]:.0%})"

    @property
    def reassurance(self) -> str:
        """How many of the claims under which the proxy shows no fault are false reassurance."""
        none = self.missed + self.clear
        return f"{count(self.masked)} of {count(none)}" if none else "it shows a fault under every claim"


def _share(hits: int, known: int, open_: int) -> str:
    if not known:
        return "none decided"
    text = f"{count(hits)} of {count(known)}"
    whole = known + open_
    return f"{text} ({hits / whole:.0%} to {(hits + open_) / whole:.0%})" if open_ else text


def tally(findings: list[Finding]) -> Tally:
    """Return the tally of one proxy's findings."""
    counts = dict.fromkeys(("right", "invented", "missed", "clear", "open_shown", "open_not", "masked"), 0)
    for finding in findings:
        state = fault(finding.proxy, finding.form, finding.margin)
        if state == "undecided":
            continue
        shown = state != "absent"
        match finding.verdict:
            case Verdict.UNDECIDED:
                counts["open_shown" if shown else "open_not"] += 1
            case Verdict.FAILS:
                reversed_ = shown and finding.transfer is Transfer.MASKED
                counts["right" if shown and not reversed_ else "missed"] += 1
                counts["masked"] += finding.transfer is Transfer.MASKED
            case _:
                counts["invented" if shown else "clear"] += 1
    return Tally(**counts)


def transfer(run: Run) -> tuple[Block, ...]:
    """Return the section on what carries over, or nothing where no claim is about the teacher."""
    found: dict[str, list[Finding]] = {}
    for finding in about_teacher(run):
        found.setdefault(finding.proxy_name, []).append(finding)
    order = [name for name in run.account.get("proxies", ()) if name in found]
    rows = [_row(name, tally(found[name])) for name in (*order, *(n for n in found if n not in order)) if name]
    if not rows:
        return ()
    head = ("proxy", "faults it shows that are real", "real faults that it shows", "false reassurance", "undecided")
    return (
        Heading("Does what the proxies show carry over?"),
        Paragraph(
            "Counted over the claims above; where some are undecided, the range counts them both ways. False "
            "reassurance: claims under which the proxy shows no fault, while the teacher surely has one and differs."
        ),
        Table(head, tuple(rows), frozenset({4})),
        *(Paragraph(text) for text in _economy(run)),
    )


def _row(name: str, one: Tally) -> tuple[str, ...]:
    return (name, one.precision, one.recall, one.reassurance, count(one.open_shown + one.open_not))


def _economy(run: Run) -> list[str]:
    """Return what the probes saved beside plain sampling, beside a stranger, and what the proxies cost."""
    lead: dict[str, list[tuple[Finding, Mapping[str, Any]]]] = {}
    first = next(iter(run.account.get("proxies", ())), "")
    for finding in about_teacher(run):
        evidence = evidence_of(run, finding)
        bought = None if evidence is None else worth(evidence.context, finding)
        if bought is not None and finding.proxy_name == first:
            lead.setdefault(finding.question, []).append((finding, bought))
    asked = ours = theirs = 0.0
    for bought_here in lead.values():
        # the claim that gained least speaks for its question
        rows = max(finding.asked for finding, _ in bought_here)
        asked += rows
        ours += rows * min(b["factor"] for _, b in bought_here)
        theirs += rows * min(b.get("strangers_factor", math.nan) for _, b in bought_here)
    if not asked:
        return []
    cost = sum(int(run.account.get("parts", {}).get(part, 0)) for part in ("fit", "select"))
    saved = ours - asked
    text = (
        f"{count(len(lead))} probes rest on {count(round(asked))} answers, shared ones counted for each; plain "
        f"sampling, even over groups, would need about {count(int(round(ours, -2)))} for intervals as narrow."
    )
    if math.isfinite(theirs):
        text += f" With a stranger's help, which costs no answers, it would need {_beside(asked, ours, theirs)}."
    if saved <= 0:
        return [text, f"The proxies cost {count(cost)} answers, which probes like these do not repay."]
    probes = math.ceil(cost * len(lead) / saved)
    return [text, f"The proxies cost {count(cost)} answers; they are repaid after {count(probes)} probes like these."]


def _beside(asked: float, ours: float, theirs: float) -> str:
    """Return the rows with which a stranger would reach what ours reached with `asked`."""
    return f"about {count(int(round(asked * ours / theirs, -2)))} rows" if theirs > 0 else "more rows than can be told"
