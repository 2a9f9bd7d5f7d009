"""From numbers to the three rows of a probe: teacher, proxy, and teacher minus proxy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, ControlKind, Empty
from kdaudit.evidence import Row
from kdaudit.interval import Interval, counted, unknown
from kdaudit.statistics.beside import ALONE
from kdaudit.statistics.covariate import Assisted, Estimate, combine
from kdaudit.statistics.gaps import paired, shifted
from kdaudit.statistics.rates import Span, mean
from kdaudit.statistics.strangers import control_over, counted_over, excess_over

Values = NDArray[np.float64]
_ENDS = (0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Heading:
    """What a row is called and how it is drawn."""

    measure: str
    group: str
    title: str
    unit: str
    low_end: float = 0.0
    high_end: float = 1.0


@dataclass(frozen=True)
class Control:
    """A control with its kind, or the reason for none.

    Parameters
    ----------
    interval : Interval, optional
    kind : str
    reason : str
    excess : Interval, optional
        Value minus control, where the control is no number known exactly.
    strangers : int
        How many it rests on.
    """

    interval: Interval | None = None
    kind: ControlKind = "none"
    reason: str = ""
    excess: Interval | None = None
    strangers: int = 0


def among(value: Interval, others: Sequence[Interval], kind: ControlKind, reason: str) -> Control:
    """Return the proxy's control: what strangers' proxies score, counted over the same rows as `value`.

    Parameters
    ----------
    value : Interval
        Of the proxy.
    others : sequence of Interval
        Of strangers' proxies; those that are unknown are left out.
    kind, reason : str
        What the strangers are, and why there is none.
    """
    known = [one for one in others if one.known]
    if not known:
        return Control(reason=reason)
    if len(known) == 1 or not value.known:
        return Control(known[0], kind, strangers=1)
    scores = np.array([one.value for one in known])
    control, excess = counted_over(value.value, scores, value.n, level=value.level)
    return Control(control, kind, excess=excess, strangers=len(known))


def by_row(ours: Values, theirs: Sequence[Values], span: Span, kind: ControlKind, reason: str) -> Control:
    """Return a control from values of the same rows, paired row by row.

    Parameters
    ----------
    ours : array of shape (n,)
        What the proxy brought about; NaN where a row does not count.
    theirs : sequence of arrays of shape (n,)
        What each stranger's proxy did.
    span : (float, float)
        Smallest and largest value.
    kind, reason : str
        What the strangers are, and why there is none.
    """
    if not theirs:
        return Control(reason=reason)
    if len(theirs) == 1:
        excess = paired(ours, theirs[0], span=span)
        control, excess = mean(theirs[0], span=span), replace(excess, method=f"{excess.method}; {ALONE}")
    else:
        several = np.stack(theirs)
        control, excess = control_over(several, span=span), excess_over(ours, several, span=span)[0]
    if not control.known or not excess.known:
        return Control(reason=control.method if not control.known else excess.method)
    return Control(control, kind, excess=excess, strangers=len(theirs))


@dataclass(frozen=True)
class Figures:
    """One measure of one group or contrast.

    Parameters
    ----------
    teacher, teacher_population : Interval
        For this pool, and for the population that it was drawn from.
    proxy : Interval
        Counted over the pool.
    proxy_population : Interval
    teacher_control, proxy_control : Control
    strangers : Interval or None
        The stranger's value, counted over the pool, or the mean of several: control of the difference.
    twin : Interval or Empty
        The twin's value in the rows asked.
    asked : int
        Distinct teacher rows.
    """

    teacher: Interval
    teacher_population: Interval
    proxy: Interval
    proxy_population: Interval
    teacher_control: Control
    proxy_control: Control
    strangers: Interval | None
    twin: Interval | Empty
    asked: int


def three_rows(figures: Figures, heading: Heading, cast: Cast) -> tuple[Row, Row, Row]:
    """Return the rows of teacher, proxy and their difference."""
    f = figures
    twin = None if isinstance(f.twin, Empty) else f.twin
    no_twin = f.twin.reason if isinstance(f.twin, Empty) else ""
    gap = shifted(f.teacher, f.proxy.value) if f.proxy.known else unknown(f.proxy.method, f.teacher.n)
    other = None if f.strangers is None else _less(f.teacher, f.strangers)
    no_other = cast.stranger.reason if isinstance(cast.stranger, Empty) else "the teacher's own value is not known"
    known = other is not None and other.known
    return (
        _row(heading, "teacher", f.teacher, f.asked, f.teacher_control, (twin, no_twin), f.teacher_population),
        _row(heading, "proxy", f.proxy, 0, f.proxy_control, (twin, no_twin), f.proxy_population),
        _row(
            heading,
            "teacher-proxy",
            gap,
            f.asked,
            Control(other, cast.control_kind, strangers=f.proxy_control.strangers)
            if known
            else Control(reason=no_other),
            (None, "a difference of nothing is the best there is"),
            None,
        ),
    )


def _row(
    heading: Heading,
    of: Any,  # noqa: ANN401 - a literal of Row
    value: Interval,
    asked: int,
    control: Control,
    ceiling: tuple[Interval | None, str],
    population: Interval | None,
) -> Row:
    return Row(
        measure=heading.measure,
        group=heading.group,
        of=of,
        value=value,
        unit=heading.unit,
        asked=asked,
        control=control.interval,
        # a control counted over the pool, or the middle of what chance gives, is a number known exactly
        excess=(control.excess or _excess(value, control.interval)) if of != "teacher-proxy" else None,
        ceiling=ceiling[0],
        population=population if population is not None and population.known else None,
        control_kind=control.kind,
        no_control=control.reason,
        no_ceiling=ceiling[1],
        title=heading.title,
        strangers=control.strangers,
        low_end=heading.low_end,
        high_end=heading.high_end,
    )


def _less(value: Interval, other: Interval) -> Interval:
    """Return value minus a control, which several strangers leave open to some width."""
    gap = shifted(value, other.value)
    return replace(gap, low=gap.low - (other.high - other.value), high=gap.high + (other.value - other.low))


def _excess(value: Interval, control: Interval | None) -> Interval | None:
    return None if control is None or not control.known or not value.known else shifted(value, control.value)


def scale(intervals: Sequence[Interval], margin: float) -> float:
    """Return the end of a scale around 0 that holds all `intervals` and the margin."""
    largest = max((abs(x) for i in intervals if i.known for x in (i.low, i.high)), default=0.0)
    return next((end for end in _ENDS if end >= max(largest, 2 * margin)), max(largest, 2 * margin))


def bounded(
    middle: Sequence[Estimate], low: Sequence[Estimate], high: Sequence[Estimate], weights: Sequence[float]
) -> Assisted:
    """Return a contrast that allows for failed rows: had they been answered, they might all have said either.

    Parameters
    ----------
    middle, low, high : sequence of Estimate
        Of the groups, with failed rows left out, and filled with the smallest and with the largest value of a row.
    weights : sequence of float
    """
    inside = combine(middle, weights)
    if all(a.n == b.n for a, b in zip(middle, low, strict=True)):
        return inside
    ends = [
        combine([(b if (w > 0) == up else a) for a, b, w in zip(low, high, weights, strict=True)], weights)
        for up in (False, True)
    ]
    return Assisted(*(_hull(getattr(inside, k), *(getattr(e, k) for e in ends)) for k in _KINDS))


_KINDS = ("interval", "plain", "population")


def _hull(middle: Interval, low: Interval, high: Interval) -> Interval:
    if not (middle.known and low.known and high.known):
        return middle
    method = f"{middle.method}, widened for failed rows"
    return Interval(middle.value, min(middle.low, low.low), max(middle.high, high.high), middle.n, middle.level, method)


def finite(number: float) -> float | None:
    """Return `number`, or None where it is none: context is plain JSON."""
    return number if math.isfinite(number) else None


def counted_or_unknown(value: float, n: int, level: float) -> Interval:
    """Return a value counted over all `n` rows of the pool, or an unknown one where there are none."""
    return counted(value, n, level) if n and math.isfinite(value) else unknown("no rows in the pool", n, level)
