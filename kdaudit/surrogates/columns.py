"""Fields as small whole numbers, so that a split is a set of codes and its gain a cumulative sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Term, Test
from kdaudit.samples import Samples

Mask = NDArray[np.bool_]
MOST = 128
"""Most codes of a number: more distinct values share a code by quantiles."""


@dataclass(frozen=True, eq=False)
class Column:
    """One field, coded.

    Parameters
    ----------
    field : Real or Category
    codes : array of shape (n,)
        From 0 to `size`; `size` itself stands for a missing value.
    size : int
        Number of codes of present values.
    cuts : tuple of float, optional
        ``cuts[i]`` separates code i from code i + 1; None for levels without order.
    terms : tuple of Term
        Of a weighted sum, which the cuts are about; `field` then names its first term.
    """

    field: Real | Category
    codes: NDArray[np.int64]
    size: int
    cuts: tuple[float, ...] | None
    terms: tuple[Term, ...] = ()

    def test(self, codes: Mask) -> Test:
        """Return the test that holds for these codes, shape (size + 1,).

        Codes of a column with order must follow one another.
        """
        missing = bool(codes[self.size]) and self.field.missing
        if self.cuts is None:
            levels = self.field.levels if isinstance(self.field, Category) else ()
            return Test(self.field.name, levels=tuple(levels[i] for i in np.flatnonzero(codes[:-1])), missing=missing)
        at = np.flatnonzero(codes[:-1])
        first, last = int(at[0]), int(at[-1])
        return Test(
            self.field.name,
            above=self.cuts[first - 1] if first > 0 else None,
            below=self.cuts[last] if last < self.size - 1 else None,
            missing=missing,
            terms=self.terms,
        )

    def sayable(self, codes: Mask) -> bool:
        """Return whether a test can say these codes: some present value, and for numbers not all of them."""
        present = int(codes[:-1].sum())
        return present > 0 and (self.cuts is None or present < self.size)


def columns_of(samples: Samples, *, without: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return every field of the rows, coded.

    Numbers are cut half-way between neighbouring values (whole numbers at x.5), ordered levels between positions.

    Parameters
    ----------
    samples : Samples
    without : sequence of str
        Fields to leave out.

    Raises
    ------
    InvalidInput
        If a field is neither a number nor a category.
    """
    out = []
    for item in samples.domain.fields:
        column = samples.columns[item.name]
        if item.name in without:
            continue
        match item:
            case Real():
                out.append(_real(item, column))
            case Category(levels=levels, ordered=ordered):
                cuts = tuple(i + 0.5 for i in range(len(levels) - 1)) if ordered else None
                codes = np.where(column < 0, len(levels), column).astype(np.int64)
                out.append(Column(item, codes, len(levels), cuts))
            case _:
                raise InvalidInput(
                    f"field {item.name!r} is {'an' if item.kind == 'image' else 'a'} {item.kind}; rules test reals and "
                    "categories, so say in the proxy's `read` what to read off it"
                )
    return tuple(out)


def _real(item: Real, values: NDArray[Any]) -> Column:
    known = np.unique(values[~np.isnan(values)])
    if len(known) > MOST:
        share = np.quantile(values[~np.isnan(values)], np.linspace(0, 1, MOST), method="closest_observation")
        known = np.unique(share)
    middle = (known[1:] + known[:-1]) / 2
    # between 34 and 40 the cut is 37.5, never 37: no whole number lies on a cut
    cuts = np.floor(middle) + 0.5 if item.integer else middle
    codes = np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, side="left"))
    return Column(item, codes.astype(np.int64), len(cuts) + 1, tuple(float(c) for c in cuts))
