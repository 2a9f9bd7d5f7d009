"""What do intervals decide?  Three ways, never two: what neither holds nor fails is undecided.

A claim is judged by the teacher's interval alone.  "Beyond the margin" and "within the margin" exclude each other, so
each is tested at the interval's full level, whatever the proxy is worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from kdaudit.finding import Form, Transfer, Verdict
from kdaudit.interval import Interval

State = Literal["present+", "present-", "absent", "undecided"]


@dataclass(frozen=True)
class Decision:
    """A verdict, and why where it is undecided."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Carried:
    """Whether what the proxy shows holds for the teacher, and why."""

    transfer: Transfer
    reason: str = ""
    note: str = ""


def state(interval: Interval, margin: float) -> State:
    """Return where an effect lies: beyond the margin (and on which side), within it, or not to be told.

    Parameters
    ----------
    interval : Interval
    margin : float
        At least 0.
    """
    if not interval.known:
        return "undecided"
    if interval.low > margin:
        return "present+"
    if interval.high < -margin:
        return "present-"
    return "absent" if -margin <= interval.low and interval.high <= margin else "undecided"


def fault(interval: Interval, form: Form, margin: float) -> State:
    """Return whether the fault that a claim denies is present; its sign is the side of the margin on which it lies."""
    if form == "within":
        return state(interval, margin)
    if not interval.known:
        return "undecided"
    match form:
        case "at most":
            beyond, within = interval.low > margin, interval.high <= margin
        case "at least":
            beyond, within = interval.high < margin, interval.low >= margin
        case _:
            beyond, within = interval.high <= margin, interval.low > margin
    sign: State = "present+" if form == "at most" else "present-"
    return sign if beyond else "absent" if within else "undecided"


def judge(interval: Interval, form: Form, margin: float) -> Decision:
    """Return the verdict on a claim.

    Parameters
    ----------
    interval : Interval
        Of the teacher's value, of the proxy's where the claim is about it, of the excess where the form is "above
        control".
    form : {"within", "at least", "at most", "above control"}
        "within": the absolute value is at most the margin.  "above control": the excess is more than the margin.
    margin : float
    """
    match fault(interval, form, margin):
        case "absent":
            return Decision(Verdict.HOLDS)
        case "undecided":
            why = "the interval reaches over the margin" if interval.known else interval.method or "nothing is known"
            return Decision(Verdict.UNDECIDED, why)
        case _:
            return Decision(Verdict.FAILS)


def transfer(
    teacher: Interval,
    proxy: Interval,
    difference: Interval,
    form: Form,
    margin: float,
    verdict: Verdict | None = None,
) -> Carried:
    """Return whether the proxy shows what the teacher does.

    Parameters
    ----------
    teacher, proxy : Interval
        The proxy's is exact where all rows of the pool were counted.
    difference : Interval
        Teacher minus proxy.
    form, margin
        Of the claim.
    verdict : Verdict, optional
        Of `judge`; an undecided one (too few rows for the claim) leaves the transfer undecided.

    Returns
    -------
    Carried
        MASKED and INVENTED need a difference that excludes 0: else two values on either side of the margin would count
        as a false reassurance.  A fault of opposite sign is MASKED with the note "reversed".
    """
    if form == "above control":
        return Carried(Transfer.NONE, "a distance from a control is not carried over")
    ours, theirs = fault(teacher, form, margin), fault(proxy, form, margin)
    if verdict is Verdict.UNDECIDED or ours == "undecided":
        return Carried(Transfer.UNDECIDED)
    if theirs == "undecided":
        why = "the proxy's interval reaches over the margin" if proxy.known else f"the proxy: {proxy.method}"
        return Carried(Transfer.UNDECIDED, why)
    if ours == theirs:
        if ours == "absent":
            return Carried(Transfer.ABSENT, "neither the teacher nor the proxy goes beyond the margin")
        return Carried(Transfer.CARRIED, "both go beyond the margin, on the same side")
    if not difference.known:
        return Carried(Transfer.UNDECIDED, f"the difference of teacher and proxy: {difference.method}")
    if difference.low <= 0 <= difference.high:
        return Carried(
            Transfer.UNDECIDED, "teacher and proxy lie on either side of the margin, but may not differ at all"
        )
    if ours == "absent":
        return Carried(Transfer.INVENTED, "the proxy goes beyond the margin, the teacher does not")
    if theirs == "absent":
        return Carried(Transfer.MASKED, "the teacher goes beyond the margin, the proxy does not")
    return Carried(Transfer.MASKED, "teacher and proxy go beyond the margin on opposite sides", "reversed")


def needed(interval: Interval, form: Form, margin: float, asked: int, *, pool: int | None = None) -> int | None:
    """Return how many teacher rows would decide a claim, if the present estimate is right.

    Parameters
    ----------
    interval : Interval
        The present, undecided one.
    form, margin
        Of the claim.
    asked : int
        Rows that it took.
    pool : int, optional
        Rows of the pool that the claim is about.  Widths shrink as ``sqrt(1 / n - 1 / pool)``; without a pool as
        ``sqrt(1 / n)``, which asks for more.

    Returns
    -------
    int or None
        ``asked (half-width / distance to the nearer margin)**2``, at least one more than was asked; None where the
        estimate is unknown or lies on the margin itself.
    """
    if not interval.known or asked < 1:
        return None
    distance = abs(abs(interval.value) - margin) if form == "within" else abs(interval.value - margin)
    if distance <= 1e-9 * max(1.0, abs(margin)):
        return None
    share = (distance / interval.half) ** 2 if interval.half > 0 else math.inf
    rest = 0.0 if pool is None else 1 / pool
    return max(asked + 1, math.ceil(1 / (rest + max(1 / asked - rest, 0.0) * share) - 1e-9))
