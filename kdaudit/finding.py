"""What was found: a claim, three intervals, a verdict on the teacher, and whether the proxy showed it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal

from kdaudit.interval import Interval

Form = Literal["within", "at least", "at most", "above control"]


class Verdict(StrEnum):
    """Three-way decision on a claim; HOLDS is good."""

    HOLDS = "HOLDS"
    FAILS = "FAILS"
    UNDECIDED = "UNDECIDED"


class Transfer(StrEnum):
    """Whether what the proxy shows holds for the teacher."""

    CARRIED = "CARRIED"
    MASKED = "MASKED"
    INVENTED = "INVENTED"
    ABSENT = "ABSENT-IN-BOTH"
    UNDECIDED = "UNDECIDED"
    NONE = "NOT APPLICABLE"
    """The claim is about the proxy alone."""


class Severity(StrEnum):
    """How far a fault lies beyond its margin, by the end of the interval that is nearer to the margin."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    OPEN = "open"
    """Undecided."""


@dataclass(frozen=True)
class Claim:
    """What one would like to be true of one measure in one group.

    Parameters
    ----------
    text : str
        The claim in words, such as ``"women and men are scored above the line equally often, within 5 points"``.
    measure, group : str
        Which rows of the evidence speak of it.
    form : {"within", "at least", "at most", "above control"}
        "within": the absolute value is at most `margin`.  "above control": the excess is more than `margin`.
    margin : float
    about : {"teacher", "proxy"}
        "proxy": fidelity and cost, which carry nothing over.
    found : str
        Sentence for a decided or undecided finding, with ``{value}`` standing for the interval in words.
    minimum : int
        Rows below which the claim stays undecided.
    """

    text: str
    measure: str
    group: str
    form: Form
    margin: float
    about: Literal["teacher", "proxy"]
    found: str = ""
    minimum: int = 2


@dataclass(frozen=True)
class Finding:
    """One claim, decided or not.

    Parameters
    ----------
    question : str
        ``section/name`` in the plan.
    claim : str
    measure, group : str
    form, margin
        As in `Claim`.
    unit : str
        Unit of the three intervals.
    teacher, proxy, difference : Interval
        Difference is teacher minus proxy.
    verdict : Verdict
        On the claim, by the teacher's interval alone (by the proxy's, if the claim is about the proxy).
    transfer : Transfer
    severity : Severity
    asked : int
        Distinct teacher rows that it rests on, cached or not.
    needed : int or None
        Teacher rows that would decide it, by the present estimate; None where decided or not to be told.
    evidence : str
        File of the evidence inside the run folder.
    repeat : str
        Command that repeats it.
    proxy_name : str
        The proxy's name in the plan.
    reason : str
        Why it is undecided, or how the transfer was decided.
    sentence : str
        The finding in words.
    """

    question: str
    claim: str
    measure: str
    group: str
    form: Form
    margin: float
    unit: str
    teacher: Interval
    proxy: Interval
    difference: Interval
    verdict: Verdict
    transfer: Transfer
    severity: Severity
    asked: int
    needed: int | None
    evidence: str
    repeat: str
    proxy_name: str = ""
    reason: str = ""
    sentence: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {k: v.to_data() if isinstance(v, Interval) else v for k, v in vars(self).items()}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Finding:
        """Return the finding that `to_data` wrote."""
        kinds: dict[str, Any] = {"verdict": Verdict, "transfer": Transfer, "severity": Severity}
        kinds |= dict.fromkeys(("teacher", "proxy", "difference"), Interval.from_data)
        return cls(**{f.name: kinds.get(f.name, lambda v: v)(data[f.name]) for f in fields(cls)})
