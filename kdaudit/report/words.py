"""How numbers, verdicts and hostile texts are written, the same in every format."""

from __future__ import annotations

import math
import re

from kdaudit.finding import Transfer, Verdict
from kdaudit.interval import Interval, digits

SIGNS = {Verdict.HOLDS: "✓", Verdict.FAILS: "✕", Verdict.UNDECIDED: "?"}
VERDICT_WORDS = {
    Verdict.HOLDS: "the claim is confirmed by the teacher's own answers",
    Verdict.FAILS: "the teacher's own answers contradict the claim",
    Verdict.UNDECIDED: "the answers so far do not decide it; this is no pass",
}
TRANSFER_WORDS = {
    Transfer.CARRIED: "proxy and teacher both show it",
    Transfer.MASKED: "the teacher does it, the proxy does not show it",
    Transfer.INVENTED: "the proxy shows it, the teacher does not do it",
    Transfer.ABSENT: "neither does it beyond the margin",
    Transfer.UNDECIDED: "cannot be told yet",
    Transfer.NONE: "the claim is about the proxy alone",
}
GLOSSARY = (
    ("teacher", "The model under audit. It is asked questions; nobody needs to look inside."),
    ("proxy", "A small model made from the teacher's answers, small enough to read. It proposes and proves nothing."),
    ("control", "What the same measure gives for a proxy that never saw this teacher (a stranger), or for rows "
     "exchanged by chance. A value is worth its distance from the control."),
    ("ceiling", "What the teacher itself reaches when it is trained or drawn a second time: the best that a proxy "
     "could reach."),
    ("excess", "Value minus control."),
    ("interval", "The range that holds the true value with the stated certainty, usually 95 %. The more rows were "
     "asked, the narrower."),
    ("n", "Number of rows (people, cases) on which a value rests."),
    ("points", "Difference of two percentages: from 40 % to 30 % is 10 points."),
    ("margin", "How large a difference the plan tolerates."),
    *((verdict.value, words) for verdict, words in VERDICT_WORDS.items()),
    *((kind.value, words) for kind, words in TRANSFER_WORDS.items() if kind not in (Transfer.UNDECIDED, Transfer.NONE)),
)  # fmt: skip
"""For readers who know their trade, but not machine learning."""

# C0 and C1 controls (terminals obey them), and marks that turn the direction of text (they hide what is written)
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """Return `text` with control and direction characters made visible as U+FFFD; tab and newline become spaces."""
    return _INVISIBLE.sub("\ufffd", text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def count(n: int) -> str:
    """Return a whole number as people read it.

    Examples
    --------
    >>> count(27300)
    '27,300'
    """
    return f"{n:,}"


def number(x: float, unit: str = "", *, signed: bool = False, bare: bool = False) -> str:
    """Return a number with its unit and a true minus sign; one decimal for percent and points, else three.

    Parameters
    ----------
    x : float
    unit : str
    signed : bool
        Whether positive numbers get a plus.
    bare : bool
        Whether the unit is left out.

    Examples
    --------
    >>> number(-0.104, "points"), number(0.941, "percent"), number(-0.0001, "points")
    ('−10.4 points', '94.1 %', '0.0 points')
    """
    if not math.isfinite(x):
        return "not known"
    factor, places = 100.0 if unit in ("percent", "points") else 1.0, digits(x, unit)
    rounded = round(x * factor, places) + 0.0  # adding zero turns -0.0 into 0.0
    sign = "+" if signed and rounded > 0 else ""
    mark = "" if bare else {"percent": " %", "": ""}.get(unit, f" {unit}")
    return f"{sign}{rounded:,.{places}f}{mark}".replace("-", "−")


def exact(interval: Interval) -> bool:
    """Whether the value was counted over all rows in question."""
    return interval.known and interval.low == interval.high and interval.method.startswith("exact")


def span(interval: Interval, unit: str = "", *, signed: bool = False) -> str:
    """Return the interval alone, without unit.

    Examples
    --------
    >>> from kdaudit.interval import counted
    >>> span(Interval(0.94, 0.93, 0.95, 4000), "percent"), span(counted(0.3, 1200))
    ('93.0 to 95.0', 'exact: all 1,200 rows')
    """
    if exact(interval):
        return f"exact: all {count(interval.n)} rows"
    if not interval.known:
        return interval.method or "not known"
    return " to ".join(number(x, unit, signed=signed, bare=True) for x in (interval.low, interval.high))


def whole(interval: Interval, unit: str = "", *, signed: bool = False) -> str:
    """Return value, interval and n in one text.

    Examples
    --------
    >>> whole(Interval(-0.104, -0.115, -0.093, 1200), "points")
    '−10.4 points (−11.5 to −9.3; n 1,200)'
    """
    if not interval.known:
        return f"not known ({interval.method})" if interval.method else "not known"
    tail = "" if exact(interval) else f"; n {count(interval.n)}"
    return f"{number(interval.value, unit, signed=signed)} ({span(interval, unit, signed=signed)}{tail})"


def difference_unit(unit: str) -> str:
    """Return the unit of a difference of two values: percentages differ by points."""
    return "points" if unit == "percent" else unit


def contrast_words(group: str) -> str:
    """Return a group's name with a true minus between the two sides of a contrast."""
    return group.replace(" - ", " − ")


def listed(items: tuple[str, ...], most: int = 4, joint: str = "; ") -> str:
    """Return the first `most` items in one text, and how many more there are."""
    head = joint.join(items[:most])
    return head if len(items) <= most else f"{head}{joint}and {count(len(items) - most)} more"


def short(digest: str) -> str:
    """Return a digest's ends, enough for the eye."""
    return digest if len(digest) <= 12 else f"{digest[:6]}…{digest[-4:]}"


def cut(text: str, longest: int) -> str:
    """Return `text`, or its beginning and an ellipsis where it is too long."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
