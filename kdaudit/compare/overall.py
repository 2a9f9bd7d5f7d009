"""Which units count over all rows: importance as a whole, of teacher and proxy, beside strangers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.seats import Explained, strangers_of
from kdaudit.errors import InvalidInput
from kdaudit.explain.attributions import Attributions
from kdaudit.interval import Interval, unknown
from kdaudit.measure import Measure
from kdaudit.measures.ranks import spearman
from kdaudit.measures.reasons import weight_overlap
from kdaudit.statistics.beside import ALONE, Beside
from kdaudit.statistics.strangers import excess_within

Floats = NDArray[np.float64]
DRAWS = 999
"""Times that rows are drawn again."""
LEVEL = 0.95


def overall(cast: Cast, seats: Explained, rng: np.random.Generator, *, asked: int) -> list[Beside]:
    """Return how alike the units' importance is, as a mean size over rows, with intervals over rows and strangers.

    Rows are drawn again, the same for all seats (bootstrap; Efron 1979), since a rank correlation of means is no mean
    over rows.  Without a stranger there is no control: exchanged rows have the same means.

    Parameters
    ----------
    cast : Cast
    seats : mapping
        From `kdaudit.compare.ways.explained`.
    rng : Generator
    asked : int
        Distinct teacher rows.
    """
    known = {name: np.abs(seat.values) for name, seat in seats.items() if isinstance(seat, Attributions)}
    whole = [~np.isnan(values).any(axis=1) for values in known.values()]
    rows = np.flatnonzero(np.logical_and.reduce(whole)) if whole else np.arange(0)
    n = len(rows)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) / n if n else np.zeros((DRAWS, 0))
    means = {
        name: np.vstack([values[rows].mean(axis=0), weights @ values[rows]]) for name, values in known.items() if n
    }
    return [_beside(measure, likeness, cast, seats, (means, n, asked)) for measure, likeness in MEASURES]


def _beside(
    measure: Measure,
    likeness: Callable[[Floats, Floats], Floats],
    cast: Cast,
    seats: Explained,
    drawn: tuple[Mapping[str, Floats], int, int],
) -> Beside:
    means, n, asked = drawn

    def both(a: str, b: str) -> Floats | Empty:
        for name in (a, b):
            seat = seats[name]
            if isinstance(seat, Empty):
                return seat
            if name not in means:
                return Empty("fewer than two rows have all values")
        return likeness(means[a], means[b])

    value, ceiling = both("teacher", "proxy"), both("teacher", "twin")
    swapped = cast.control_kind == "swapped_teacher"
    others = [both("stranger", "proxy")] if swapped else [both("teacher", name) for name in strangers_of(seats)]
    known = [one for one in others if not isinstance(one, Empty) and np.isfinite(one[0])]
    ours, best = _interval(value, n), _interval(ceiling, n)
    control = _interval(np.mean(known, axis=0), n) if known else None
    excess = None
    if known and not isinstance(value, Empty) and ours.known:
        excess = _excess(value, np.array(known), n, measure.span)
    return Beside(
        measure=measure,
        group="all",
        value=ours,
        control=control,
        excess=excess,
        ceiling=best if best.known else None,
        control_kind=cast.control_kind if known else "none",
        no_control="" if known else others[0].reason if isinstance(others[0], Empty) else "a stranger has no order",
        no_ceiling="" if best.known else best.method,
        rows=n,
        failed=0,
        asked=asked,
        strangers=len(known),
    )


def _interval(values: Floats | Empty, n: int) -> Interval:
    if isinstance(values, Empty):
        return unknown(values.reason, n, LEVEL)
    if n < 2 or not np.isfinite(values[0]):
        return unknown("fewer than two rows, or units that all weigh the same", n, LEVEL)
    low, high = np.nanquantile(values[1:], ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    value = float(values[0])
    return Interval(value, min(float(low), value), max(float(high), value), n, LEVEL, "bootstrap over rows")


def _excess(value: Floats, controls: Floats, n: int, span: tuple[float, float]) -> Interval:
    """Return value minus mean control: over rows and strangers where there are several."""
    away = value - controls.mean(axis=0)
    if len(controls) == 1:
        found = _interval(away, n)
        return Interval(found.value, found.low, found.high, n, LEVEL, f"{found.method}; {ALONE}")
    return excess_within(float(away[0]), controls[:, 0], float(np.nanvar(away[1:], ddof=1)), n, span=span)


def _never(*_: object) -> Floats:
    raise InvalidInput("importance is compared over all rows, not answer by answer")


MEASURES = (
    (
        Measure(
            "importance_order",
            _never,
            "",
            (-1.0, 1.0),
            "high",
            "rank correlation of the units' mean sizes over all rows; it does not see which way they pull",
            "Spearman 1904; Breiman 2001 (importance over rows)",
            "Order of importance over all rows",
        ),
        spearman,
    ),
    (
        Measure(
            "importance_overlap",
            _never,
            "",
            (0.0, 1.0),
            "high",
            "1 minus the Jensen-Shannon divergence of the units' shares of importance over all rows, in bits",
            "Lin 1991",
            "Same importance of the same units over all rows",
        ),
        weight_overlap,
    ),
)
"""What is measured, and from whose means."""
