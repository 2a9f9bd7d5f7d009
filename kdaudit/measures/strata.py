"""Rows in groups: the levels of a category or the bands of a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples

UNKNOWN = "unknown"
"""Rows without a value are a group of their own, never dropped."""


@dataclass(frozen=True, eq=False)
class Strata:
    """Which group each row belongs to.

    Parameters
    ----------
    field : str
    levels : tuple of str
        Names of the groups, such as ``"female"`` or ``"30 to 44"``; those without rows too.
    place : array of shape (n,)
        Position of each row's group among `levels`; -1 where a row is in none.
    banded : bool
        Whether the groups are bands of a number.
    """

    field: str
    levels: tuple[str, ...]
    place: NDArray[np.int64]
    banded: bool = False

    def count(self, level: str) -> int:
        """Return the number of rows in a group."""
        return int((self.place == self.levels.index(level)).sum())

    def rows(self, level: str) -> NDArray[np.int64]:
        """Return the positions of a group's rows."""
        return np.flatnonzero(self.place == self.levels.index(level))

    @property
    def largest(self) -> str:
        """The group with most rows (the first of them)."""
        inside = self.place[self.place >= 0]
        return self.levels[int(np.bincount(inside, minlength=len(self.levels)).argmax())]

    def among(self, rows: NDArray[np.bool_]) -> Strata:
        """Return the same groups with other rows than `rows` in none of them."""
        return replace(self, place=np.where(rows, self.place, -1))

    def group(self, level: str) -> str:
        """Return the group as evidence names it: ``"sex = female"``, ``"age under 30"``."""
        return f"{self.field} {level}" if self.banded else f"{self.field} = {level}"

    def contrast(self, level: str, other: str) -> str:
        """Return the contrast as evidence names it: ``"sex: female - male"``."""
        return f"{self.field}: {level} - {other}"

    def words(self, level: str) -> str:
        """Return the group for people."""
        name = self.field.replace("_", " ")
        return f"those of {name} {level}" if self.banded else f"those with {name} {level}"

    def check(self, level: str) -> str:
        """Return `level` if there is such a group.

        Raises
        ------
        InvalidInput
            If there is none; the sentence names those that there are.
        """
        if level not in self.levels:
            raise InvalidInput(f"{self.field} has no group {level!r}; its groups are {', '.join(self.levels)}")
        return level


def stratify(samples: Samples, field: str, cuts: tuple[float, ...] = ()) -> Strata:
    """Return the groups of `field`.

    Parameters
    ----------
    samples : Samples
    field : str
        A category, or a number with `cuts`.
    cuts : tuple of float
        Rising ends of bands: (30, 45) gives under 30, 30 to 44 (whole numbers) and 45 and over.

    Raises
    ------
    InvalidInput
        If a number has no cuts, cuts do not rise, a category has cuts, or the field is neither.
    """
    match samples.domain[field]:
        case Category(levels=levels):
            if cuts:
                raise InvalidInput(f"{field} is a category; its groups are its levels, so leave out `cuts`")
            place, banded = samples.columns[field].astype(np.int64), False
        case Real(integer=whole):
            if not cuts or list(cuts) != sorted(set(cuts)):
                raise InvalidInput(f"{field} is a number; cut it into groups by rising `cuts`, such as [30, 45, 60]")
            column = samples.columns[field]
            place, banded = np.searchsorted(np.array(cuts), column, side="right").astype(np.int64), True
            place[np.isnan(column)] = -1
            levels = _bands(cuts, whole=whole)
        case other:
            raise InvalidInput(f"{field} is a {other.kind}; groups are levels of a category or bands of a number")
    if (place < 0).any():
        name = UNKNOWN if UNKNOWN not in levels else "not recorded"
        levels, place = (*levels, name), np.where(place < 0, len(levels), place)
    return Strata(field, levels, place, banded)


def crossed(samples: Samples, fields: tuple[str, ...]) -> Strata:
    """Return the intersections of several categories, such as ``"female x Black"``; those without rows too."""
    parts = [stratify(samples, field) for field in fields]
    place = np.zeros(len(samples), dtype=np.int64)
    levels: tuple[str, ...] = ("",)
    for part in parts:
        place = place * len(part.levels) + part.place
        levels = tuple(f"{head} x {level}" if head else level for head in levels for level in part.levels)
    return Strata(" x ".join(fields), levels, place)


def _bands(cuts: tuple[float, ...], *, whole: bool) -> tuple[str, ...]:
    inner = []
    for low, high in pairwise(cuts):
        last = high - 1 if whole else high
        inner.append(f"{low:g}" if last == low else f"{low:g} to {'' if whole else 'under '}{last:g}")
    return (f"under {cuts[0]:g}", *inner, f"{cuts[-1]:g} and over")


def grouped(samples: Samples, field: str) -> Strata | None:
    """Return the levels of a category or bands of about a quarter of the rows of a number; None for other fields."""
    match samples.domain[field]:
        case Category():
            return stratify(samples, field)
        case Real(integer=whole):
            cuts = _quartiles(samples.columns[field], whole=whole)
            return stratify(samples, field, cuts) if cuts else None
        case _:
            return None


def _quartiles(column: NDArray[np.float64], *, whole: bool) -> tuple[float, ...]:
    known = column[~np.isnan(column)]
    if len(known) == 0:
        return ()
    ends = np.quantile(known, (0.25, 0.5, 0.75))
    # ends that people can read: whole numbers, or three figures
    tidy = {float(np.ceil(x)) if whole else float(f"{x:.3g}") for x in ends}
    return tuple(sorted(x for x in tidy if known.min() < x <= known.max()))
