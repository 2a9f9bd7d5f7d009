"""Columns of rows as samplers change them: numbers kept in range and whole, levels only ever taken from rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Real
from kdaudit.samples import Samples

Column = NDArray[Any]
Positions = NDArray[np.int64]
ATOM = 0.05
"""A number that at least this share of the rows has, such as no capital gain at all, is treated as a level is."""


def spread(samples: Samples, name: str) -> float:
    """Return the standard deviation of a number or of positions of ordered levels, missing values left out."""
    column = samples.columns[name].astype(np.float64)
    known = column[~absent(samples, name)]
    return float(known.std()) if len(known) else 0.0


def absent(samples: Samples, name: str) -> NDArray[np.bool_]:
    """Return where a value is missing, shape (n,)."""
    column = samples.columns[name]
    match samples.domain[name]:
        case Category():
            return np.asarray(column == -1)
        case Real():
            return np.isnan(column)
        case _:
            return np.zeros(len(column), dtype=bool)


def atoms(samples: Samples, name: str) -> NDArray[np.float64]:
    """Return the values of a number that many rows share."""
    values, counts = np.unique(samples.columns[name], return_counts=True)
    out: NDArray[np.float64] = values[(counts >= ATOM * len(samples)) & ~np.isnan(values)]
    return out


def kept_inside(item: Real, values: Column, seen: Column) -> Column:
    """Return numbers made whole where the field is, and moved into the range of the rows that there are."""
    out = np.round(values) if item.integer else values
    known = seen[~np.isnan(seen)]
    return np.clip(out, known.min(), known.max()) if len(known) else out
