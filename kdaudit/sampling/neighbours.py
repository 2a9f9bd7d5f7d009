"""Which rows are near to which, over fields of all kinds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Image, Real
from kdaudit.samples import Samples
from kdaudit.sampling.columns import Positions, absent, spread

MOST = 4_000
"""Rows among which neighbours are looked for; of more, so many are drawn by chance."""
BLOCK = 512
"""Rows that are compared with all others at once."""


def placed(samples: Samples) -> NDArray[np.float64]:
    """Return rows as points, shape (n, width): numbers in standard deviations, missing ones at the mean.

    Levels without order have one column each, so that two different ones lie one standard deviation apart (Gower, 1971,
    squared); pictures one column a pixel, all of them together as far apart as one number; texts have no place.
    """
    columns = [np.zeros(len(samples))]
    for item in samples.domain.fields:
        column = samples.columns[item.name]
        if isinstance(item, Category) and not item.ordered:
            columns += [(column == code) / np.sqrt(2.0) for code in range(len(item.levels))]
        elif isinstance(item, Image):
            flat = np.nan_to_num(column.reshape(len(column), math.prod(item.shape)).astype(np.float64), nan=0.0)
            whole = float(np.sqrt(flat.var(axis=0).sum())) or 1.0
            columns += list((flat - flat.mean(axis=0)).T / whole)
        elif isinstance(item, Real | Category):
            gone = absent(samples, item.name)
            values = column.astype(np.float64)
            centre = float(values[~gone].mean()) if (~gone).any() else 0.0
            columns.append(np.where(gone, 0.0, values - centre) / (spread(samples, item.name) or 1.0))
    return np.stack(columns, axis=1)


def neighbours(
    samples: Samples, rows: Positions, k: int, rng: np.random.Generator, *, among: Positions | None = None
) -> Positions:
    """Return the k nearest other rows of each of `rows`, nearest first, shape (len(rows), at most k).

    Parameters
    ----------
    samples : Samples
    rows : array of int
        Positions.
    k : int
    rng : Generator
        Draws the rows to look among, where there are more than `MOST`.
    among : array of int, optional
        Positions to look among; all without it.
    """
    pool = np.arange(len(samples)) if among is None else among
    if len(pool) > MOST:
        pool = np.sort(rng.choice(pool, MOST, replace=False))
    points = placed(samples)
    there = points[pool]
    norms = (there**2).sum(axis=1)
    k = min(k, len(pool) - 1 if among is None else len(pool))
    out = np.empty((len(rows), max(k, 0)), dtype=np.int64)
    for start in range(0, len(rows) if k > 0 else 0, BLOCK):
        block = rows[start : start + BLOCK]
        # without the own norm, which is the same for all of a row; rounded, so that ties fall the same everywhere
        far = np.round(norms[None, :] - 2.0 * points[block] @ there.T, 9)
        far[block[:, None] == pool[None, :]] = np.inf
        out[start : start + BLOCK] = pool[np.argsort(far, axis=1, kind="stable")[:, :k]]
    return out
