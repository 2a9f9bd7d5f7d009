"""How alike are proxy and teacher, beside what a stranger scores and what the teacher's twin scores?

No number stands alone: all seats are scored against the teacher on the same rows.  Since the rows are the same, value
minus control is a paired difference, row by row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, ControlKind, Empty
from kdaudit.errors import NoSuchSignal
from kdaudit.evidence import Of, Row
from kdaudit.interval import Interval, unknown
from kdaudit.measure import Measure
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.statistics.gaps import paired
from kdaudit.statistics.rates import Floats, Span, linearised, mean, weighted_mean
from kdaudit.statistics.strangers import control_over, excess_over
from kdaudit.subject import Answers, Ask, Subject

MOST_FAILED = 0.2
"""Share of rows without a value beyond which nothing is concluded: those that failed may be unlike the others."""

DRAWN = ("strangers_proxy", "label_only", "swapped_teacher")
"""Controls that are one draw of many: another stranger, another seed, would score otherwise."""
ALONE = "over these rows beside one stranger, whose luck is not in it"


@dataclass(frozen=True, eq=False)
class Heard:
    """What everybody in a cast answered to the same rows.

    Parameters
    ----------
    teacher, proxy : Answers
    stranger, twin : Answers or Empty
    control_kind : str
        See `kdaudit.cast.CONTROL_WORDS`.
    asked : int
        Distinct teacher rows.
    further : tuple of Answers
        Of more strangers.
    """

    teacher: Answers
    proxy: Answers
    stranger: Answers | Empty
    twin: Answers | Empty
    control_kind: ControlKind
    asked: int
    further: tuple[Answers, ...] = ()


@dataclass(frozen=True, eq=False)
class Scored:
    """Values of one measure, one a row, NaN where a row has none.

    Parameters
    ----------
    value : array of shape (n,) or Empty
        Of the proxy.
    control : array of shape (n,) or (k, n), or Empty
        Of the stranger, or of k strangers, at least two.
    ceiling : array of shape (n,) or Empty
        Of the twin.
    control_kind : str
    """

    value: Floats | Empty
    control: Floats | Empty
    ceiling: Floats | Empty
    control_kind: ControlKind


@dataclass(frozen=True)
class Beside:
    """A value with everything that it is to be read beside.

    Parameters
    ----------
    measure : Measure
    group : str
        Whose rows, as evidence names them.
    value : Interval
        Unknown, with the reason as its method, where more than `MOST_FAILED` of the rows have none.
    control, excess, ceiling : Interval or None
        What the stranger scores, value minus control (paired), what the teacher's twin scores.
    control_kind : str
    no_control, no_ceiling : str
        Why there is none.
    rows, failed : int
        Rows of the group, and those of them without a value, which are left out.
    asked : int
        Distinct teacher rows.
    strangers : int
        How many the control rests on; 0 for a permutation.
    """

    measure: Measure
    group: str
    value: Interval
    control: Interval | None
    excess: Interval | None
    ceiling: Interval | None
    control_kind: ControlKind
    no_control: str
    no_ceiling: str
    rows: int
    failed: int
    asked: int
    strangers: int = 0


def hear(cast: Cast, samples: Samples, ask: Ask, *, rng: np.random.Generator | None = None) -> Heard:
    """Ask everybody in the cast the same rows; several measures can then be scored on what was heard.

    Parameters
    ----------
    cast : Cast
        Under ``"swapped_teacher"`` the stranger is an independent teacher.
    samples : Samples
    ask : Ask
        The behaviour through the store.
    rng : Generator, optional
        If given, an empty stranger's seat is taken by the proxy's answers to rows drawn by chance: what a proxy with
        the same answers in the wrong places scores (control kind ``"permuted"``).
    """

    def answers(seat: Subject) -> Answers:
        return ask(seat, samples, frozenset({SCORE} if SCORE in seat.offers else {LABEL}))

    teacher, proxy = answers(cast.teacher), answers(cast.proxy)
    kind: ControlKind = cast.control_kind
    stranger: Answers | Empty
    if not isinstance(cast.stranger, Empty):
        stranger = answers(cast.stranger)
    elif rng is not None:
        stranger, kind = proxy.take(rng.permutation(len(samples))), "permuted"
    else:
        stranger, kind = cast.stranger, "none"
    twin = cast.twin if isinstance(cast.twin, Empty) else answers(cast.twin)
    further = tuple(answers(one) for one in cast.further)
    return Heard(teacher, proxy, stranger, twin, kind, _distinct(cast.teacher, samples), further)


def scored(measure: Measure, heard: Heard) -> Scored:
    """Return the measure's values of all seats, one a row."""
    if heard.control_kind == "swapped_teacher":
        control = together([_values(measure, one, heard.proxy) for one in (heard.stranger, *heard.further)])
    else:
        control = together([_values(measure, heard.teacher, one) for one in (heard.stranger, *heard.further)])
    value, ceiling = (_values(measure, heard.teacher, other) for other in (heard.proxy, heard.twin))
    return Scored(value, control, ceiling, heard.control_kind)


def together(controls: Sequence[Floats | Empty]) -> Floats | Empty:
    """Return what strangers score: shape (n,) of one, (k, n) of several; those without a value are left out."""
    known = [one for one in controls if not isinstance(one, Empty)]
    if not known:
        return controls[0]
    return known[0] if len(known) == 1 else np.stack(known)


def beside(
    measure: Measure,
    cast: Cast,
    samples: Samples,
    ask: Ask,
    *,
    rows: NDArray[Any] | None = None,
    level: float = 0.95,
) -> Beside:
    """Return the proxy's value of a measure beside control and ceiling.

    Parameters
    ----------
    measure : Measure
    cast : Cast
    samples : Samples
    ask : Ask
        The behaviour through the store.
    rows : array, optional
        Positions or mask of the rows to ask; None for all.
    level : float
    """
    chosen = samples if rows is None else samples.take(rows)
    return beside_groups(measure, cast, chosen, ask, {"all": np.ones(len(chosen), dtype=bool)}, level=level)[0]


def beside_groups(
    measure: Measure,
    cast: Cast,
    samples: Samples,
    ask: Ask,
    groups: Mapping[str, NDArray[Any]],
    *,
    level: float = 0.95,
) -> tuple[Beside, ...]:
    """Return `beside` for each group of rows; everybody is asked once.

    Parameters
    ----------
    measure, cast, samples, ask, level
        As in `beside`.
    groups : mapping of str to array
        Positions or mask of each group's rows; groups may share rows.
    """
    heard = hear(cast, samples, ask)
    values = scored(measure, heard)
    return tuple(
        summary(measure, values, group=name, rows=at, asked=_distinct(cast.teacher, samples.take(at)), level=level)
        for name, at in groups.items()
    )


def summary(
    measure: Measure,
    values: Scored,
    *,
    group: str = "all",
    rows: NDArray[Any] | None = None,
    asked: int = 0,
    weights: Floats | None = None,
    level: float = 0.95,
) -> Beside:
    """Return what values a row come to, over all rows or over those at positions or mask `rows`.

    With sampling `weights`, one a row, each row counts by its own: means are Hajek's, and their variance is that of a
    ratio, whatever a row's own value.
    """
    own = weights if weights is None or rows is None else weights[rows]

    def cut(seat: Floats | Empty) -> Floats | Empty:
        return seat if isinstance(seat, Empty) or rows is None else seat[..., rows]

    value, control, ceiling = cut(values.value), cut(values.control), cut(values.ceiling)
    total = 0 if isinstance(value, Empty) else len(value)
    failed = 0 if isinstance(value, Empty) else int(np.isnan(value).sum())
    whole = _mean(value, level, measure.span, own)
    ours = whole if isinstance(whole, Interval) else unknown(whole.reason, total - failed, level)
    theirs, best = _control(control, level, measure.span, own), _mean(ceiling, level, measure.span, own)
    drawn = values.control_kind in DRAWN and isinstance(theirs, Interval) and not isinstance(control, Empty)
    strangers = (1 if control.ndim == 1 else len(control)) if drawn and not isinstance(control, Empty) else 0
    excess = _excess((value, control), level, measure.span, own) if ours.known else None
    return Beside(
        measure=measure,
        group=group,
        value=ours,
        control=theirs if isinstance(theirs, Interval) else None,
        excess=replace(excess, method=f"{excess.method}; {ALONE}") if excess and strangers == 1 else excess,
        ceiling=best if isinstance(best, Interval) else None,
        control_kind=values.control_kind if isinstance(theirs, Interval) else "none",
        no_control=theirs.reason if isinstance(theirs, Empty) else "",
        no_ceiling=best.reason if isinstance(best, Empty) else "",
        rows=total,
        failed=failed,
        asked=asked,
        strangers=strangers,
    )


def evidence_rows(besides: Iterable[Beside], *, of: Of = "proxy") -> tuple[Row, ...]:
    """Return the rows of an evidence table.

    A measure without an end, such as a divergence, is drawn up to the largest end of its intervals.
    """
    items = list(besides)
    return tuple(
        Row(
            measure=item.measure.name,
            group=item.group,
            of=of,
            value=item.value,
            unit=item.measure.unit,
            asked=item.asked,
            control=item.control,
            excess=item.excess,
            ceiling=item.ceiling,
            control_kind=item.control_kind,
            no_control=item.no_control,
            no_ceiling=item.no_ceiling,
            title=item.measure.title,
            strangers=item.strangers,
            low_end=ends[0],
            high_end=ends[1],
        )
        for item in items
        for ends in (_scale(item.measure, items),)
    )


def _values(measure: Measure, first: Answers | Empty, second: Answers | Empty) -> Floats | Empty:
    for seat in (first, second):
        if isinstance(seat, Empty):
            return seat
    try:
        return np.asarray(measure.function(first, second), dtype=np.float64)  # type: ignore[arg-type]
    except NoSuchSignal as error:
        return Empty(str(error))


def _mean(values: Floats | Empty, level: float, span: Span, weights: Floats | None = None) -> Interval | Empty:
    """Return the interval of the values' mean, or why there is none."""
    if isinstance(values, Empty):
        return values
    n, failed = len(values), int(np.isnan(values).sum())
    if n and failed > MOST_FAILED * n:
        return Empty(f"{failed} of {n} rows have no value, more than {100 * MOST_FAILED:g} %")
    if weights is None:
        interval = mean(values, level=level, span=span)
    else:
        interval = weighted_mean(values, weights, level=level, span=span)
    return interval if interval.known else Empty(interval.method)


def _control(control: Floats | Empty, level: float, span: Span, weights: Floats | None) -> Interval | Empty:
    """Return the interval of what one stranger scores, or several on average; or why there is none."""
    if isinstance(control, Empty) or control.ndim == 1:
        return _mean(control, level, span, weights)
    n, failed = control.shape[1], int(np.isnan(control).any(axis=0).sum())
    if n and failed > MOST_FAILED * n:
        return Empty(f"{failed} of {n} rows lack a stranger's value, more than {100 * MOST_FAILED:g} %")
    interval = control_over(control if weights is None else linearised(control, weights), level=level, span=span)
    return interval if interval.known else Empty(interval.method)


def _excess(
    seats: tuple[Floats | Empty, Floats | Empty], level: float, span: Span, weights: Floats | None
) -> Interval | None:
    """Return value minus control over the rows that have both; None without a control."""
    value, control = seats
    if isinstance(value, Empty) or isinstance(control, Empty):
        return None
    if isinstance(_control(control, level, span, weights), Empty):
        return None
    lacking = np.isnan(value - control)
    n, failed = len(value), int((lacking if control.ndim == 1 else lacking.any(axis=0)).sum())
    if failed > MOST_FAILED * n:
        return unknown(
            f"{failed} of {n} rows lack value or control, more than {100 * MOST_FAILED:g} %", n - failed, level
        )
    if control.ndim == 1:
        return paired(value, control, weights=weights, level=level, span=span)
    if weights is not None:
        value, *others = linearised(np.stack([value, *control]), weights)
        control = np.stack(others)
    return excess_over(value, control, level=level, span=span)[0]


def _distinct(teacher: Subject, samples: Samples) -> int:
    keys = samples.ids if teacher.identity.by == "id" else samples.keys()
    return len(np.unique(keys))


def _scale(measure: Measure, items: Sequence[Beside]) -> Span:
    shown = [
        part
        for item in items
        if item.measure.name == measure.name
        for part in (item.value, item.control, item.ceiling)
        if part is not None and part.known
    ]
    low, high = measure.span
    if not math.isfinite(low):
        low = min((part.low for part in shown), default=0.0)
    if not math.isfinite(high):
        high = max((part.high for part in shown), default=1.0)
    return low, high
