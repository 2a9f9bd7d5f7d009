"""The ways in which boundaries are compared, each for all seats at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Empty
from kdaudit.compare.draws import Sampler, drawn
from kdaudit.compare.fields import Grid, decided, kappa, same_turns
from kdaudit.compare.lines import Decide, Floats, Lines, crossings
from kdaudit.compare.seats import exchanged, strangers_of
from kdaudit.compare.voices import Told, Voices
from kdaudit.interval import Interval, counted
from kdaudit.measures.borders import CROSSING, SAME_CROSSING, SLICE, SLICE_KAPPA, TURNS, VOLUME
from kdaudit.samples import Samples
from kdaudit.statistics.beside import Beside
from kdaudit.statistics.rates import clopper_pearson
from kdaudit.statistics.strangers import counted_over

NEAR = 0.05
"""Share of a way within which two decisions turn at the same place."""


@dataclass(frozen=True, eq=False)
class Ways:
    """Where everybody's decision turns between rows.

    Parameters
    ----------
    lines : Lines
    told : mapping
        Seat -> array of shape (n, 3): place, decision at the start, decision at the end.
    """

    lines: Lines
    told: Told


def ways(voices: Voices, lines: Lines, halvings: int) -> Ways:
    """Return where each seat's decision turns on the same ways."""

    def question(decide: Decide) -> Floats:
        ends = decide(lines.first), decide(lines.second)
        place = crossings(decide, lines, ends, halvings=halvings)
        return np.stack([place, *(end.astype(np.float64) for end in ends)], axis=1)

    return Ways(lines, voices.told(question))


def crossing_likeness(teacher: Floats, other: Floats) -> Floats:
    """Return 1 minus the distance of the two places, shape (n,): (n, 3), (n, 3) as in `Ways.told`.

    0 where the other decides an end otherwise than the teacher; NaN where the teacher's decision does not turn.
    """
    same = (teacher[:, 1:] == other[:, 1:]).all(axis=1) & ~np.isnan(other[:, 0])
    gap = np.abs(teacher[:, 0] - np.where(same, other[:, 0], 0.0))
    out: Floats = np.where(np.isnan(teacher[:, 0]), np.nan, np.where(same, 1.0 - gap, 0.0))
    return out


def crossing_same(teacher: Floats, other: Floats) -> Floats:
    """Return 1 where both turn within `NEAR` of the way, else 0, shape (n,)."""
    alike = crossing_likeness(teacher, other)
    out: Floats = np.where(np.isnan(alike), np.nan, (alike >= 1.0 - NEAR).astype(np.float64))
    return out


def ways_beside(voices: Voices, found: Ways, null: NDArray[np.int64]) -> list[Beside]:
    """Return how alike the places are."""
    return [
        voices.beside(CROSSING, found.told, crossing_likeness, null),
        voices.beside(SAME_CROSSING, found.told, crossing_same, null),
    ]


def turns_beside(voices: Voices, rows: Samples, grids: tuple[Grid, ...], rng: np.random.Generator) -> list[Beside]:
    """Return how alike the first turns along each field are, and over all of these fields.

    Rows whose decision the teacher does not turn along a field have no value there, and are left out for every seat.
    """

    def question(decide: Decide) -> Floats:
        parts = [decide(rows)[:, None], *(decided(decide, rows, (grid,)) for grid in grids)]
        return np.concatenate(parts, axis=1).astype(np.float64)

    told = voices.told(question)
    ends = np.cumsum([1, *map(len, grids)])
    fields = [
        _Along(grid, rows.columns[grid.field].astype(np.float64), slice(int(a), int(b)))
        for grid, a, b in zip(grids, ends, ends[1:], strict=False)
    ]
    out = [_moving(voices, told, (field,), field.grid.field, rng) for field in fields]
    return [_moving(voices, told, tuple(fields), "all", rng), *out] if len(fields) > 1 else out


@dataclass(frozen=True, eq=False)
class _Along:
    """One field, the rows' own values of it, and the columns that hold the decisions along it."""

    grid: Grid
    values: Floats
    columns: slice

    def alike(self, a: Floats, b: Floats, kept: NDArray[np.int64]) -> Floats:
        first, second = a.astype(np.int64), b.astype(np.int64)
        teacher, other = ((x[:, 0], x[:, self.columns]) for x in (first, second))
        return same_turns(teacher, other, self.grid, self.values[kept])


def _moving(voices: Voices, told: Told, fields: tuple[_Along, ...], group: str, rng: np.random.Generator) -> Beside:
    """Return the mean over fields, row by row, over the rows that the teacher moves along one of them at least."""

    def alike(a: Floats, b: Floats, kept: NDArray[np.int64]) -> Floats:
        each = np.stack([field.alike(a, b, kept) for field in fields], axis=1)
        moved = ~np.isnan(each)
        total = np.where(moved, each, 0.0).sum(axis=1)
        out: Floats = np.where(moved.any(axis=1), total / np.maximum(moved.sum(axis=1), 1), np.nan)
        return out

    teacher = told["teacher"]
    if isinstance(teacher, Empty):
        return voices.beside(TURNS, told, lambda a, _: a[:, 0], np.arange(0), group=group)
    kept = np.flatnonzero(~np.isnan(alike(teacher, teacher, np.arange(len(teacher)))))
    cut = {name: seat if isinstance(seat, Empty) else seat[kept] for name, seat in told.items()}
    null = exchanged(teacher[kept, 0].astype(np.int64), rng)
    return voices.beside(TURNS, cut, lambda a, b: alike(a, b, kept), null, group=group)


@dataclass(frozen=True, eq=False)
class Slices:
    """Decisions of everybody over planes of two fields.

    Parameters
    ----------
    grids : (Grid, Grid)
        Across and up.
    anchors : Samples
        One row a plane: what all other fields are kept at.
    told : mapping
        Seat -> array of shape (planes, points), the second field running fastest.
    """

    grids: tuple[Grid, Grid]
    anchors: Samples
    told: Told


def slices(voices: Voices, anchors: Samples, grids: tuple[Grid, Grid]) -> Slices:
    """Return everybody's decisions over the planes of two fields through the anchors."""
    return Slices(grids, anchors, voices.told(lambda decide: decided(decide, anchors, grids).astype(np.float64)))


def plane_agreement(teacher: Floats, other: Floats) -> Floats:
    """Return the share of equal decisions on each plane, shape (planes,); points without an answer are left out."""
    return np.array([float((a[ok] == b[ok]).mean()) if ok.any() else np.nan for a, b, ok in _both(teacher, other)])


def plane_kappa(teacher: Floats, other: Floats) -> Floats:
    """Return the agreement beyond chance on each plane, shape (planes,); NaN where both know one class only."""
    return np.array(
        [kappa(a[ok].astype(np.int64), b[ok].astype(np.int64)) if ok.any() else np.nan for a, b, ok in
         _both(teacher, other)]
    )  # fmt: skip


def _both(teacher: Floats, other: Floats) -> list[tuple[Floats, Floats, NDArray[np.bool_]]]:
    return [(a, b, (a >= 0) & (b >= 0)) for a, b in zip(teacher, other, strict=True)]


def planes_beside(voices: Voices, told: Told, group: str) -> list[Beside]:
    """Return how alike the decisions over planes are: each plane a unit; of a single plane all points are counted."""
    first = next(seat for seat in told.values() if not isinstance(seat, Empty))
    null = np.roll(np.arange(len(first)), 1)
    pairs = ((SLICE, plane_agreement), (SLICE_KAPPA, plane_kappa))
    found = [voices.beside(border, told, alike, null, group=group) for border, alike in pairs]
    if len(first) > 1:
        return found
    return [_counted(voices, one, told, alike) for one, (_, alike) in zip(found, pairs, strict=True)]


def _counted(voices: Voices, one: Beside, told: Told, alike: Any) -> Beside:  # noqa: ANN401 - a function of two arrays
    def value(a: Floats | Empty, b: Floats | Empty) -> Interval | None:
        if isinstance(a, Empty) or isinstance(b, Empty):
            return None
        n, found = int(((a >= 0) & (b >= 0)).sum()), float(alike(a, b)[0])
        return counted(found, n) if n and np.isfinite(found) else None

    teacher, proxy, stranger, twin = (told[name] for name in ("teacher", "proxy", "stranger", "twin"))
    ours, best = value(teacher, proxy), value(teacher, twin)
    if voices.cast.control_kind == "swapped_teacher":
        others = [value(told[name], proxy) for name in strangers_of(told)]
    else:
        others = [value(teacher, told[name]) for name in strangers_of(told)]
    known = [other for other in others if other is not None]
    theirs, excess = known[0] if known else None, None
    if ours is not None and len(known) > 1:
        theirs, excess = counted_over(ours.value, np.array([other.value for other in known]), ours.n)
    elif ours is not None and theirs is not None:
        excess = counted(ours.value - theirs.value, ours.n)
    return replace(
        one,
        value=one.value if ours is None else ours,
        control=theirs,
        excess=excess,
        ceiling=best,
        control_kind="none" if theirs is None else voices.cast.control_kind,
        no_control="" if theirs else _why(stranger, "on this plane it has no value"),
        no_ceiling="" if best else _why(twin, "on this plane it has no value"),
        strangers=len(known),
    )


def _why(seat: Floats | Empty, otherwise: str) -> str:
    return seat.reason if isinstance(seat, Empty) else otherwise


def volume_beside(
    voices: Voices, samples: Samples, n: int, sampler: Sampler, rng: np.random.Generator
) -> tuple[Beside, Samples, Told]:
    """Return on which share of the domain each seat parts from the teacher, the rows drawn, and what was said."""
    rows = drawn(samples, n, sampler, rng)
    told = voices.told(lambda decide: decide(rows).astype(np.float64)[:, None])
    null = np.roll(np.arange(n), 1)
    found = voices.beside(VOLUME, told, parted, null, group=f"{sampler} over the domain")
    return exactly(found), rows, told


def parted(teacher: Floats, other: Floats) -> Floats:
    """Return 1 where the decisions part, 0 where not, NaN where one is missing: (n, 1), (n, 1) -> (n,)."""
    a, b = teacher[:, 0], other[:, 0]
    out: Floats = np.where((a >= 0) & (b >= 0), (a != b).astype(np.float64), np.nan)
    return out


def exactly(one: Beside) -> Beside:
    """Return shares of rows with the exact intervals of Clopper and Pearson."""

    def exact(part: Interval | None) -> Interval | None:
        # the mean over several strangers is no share of rows
        counts = part is not None and part.known and part.method == "Wilson"
        return clopper_pearson(round(part.value * part.n), part.n) if part is not None and counts else part

    return replace(one, value=exact(one.value) or one.value, control=exact(one.control), ceiling=exact(one.ceiling))
