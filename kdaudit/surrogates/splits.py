"""The best split of some rows by one field.

Squared error of the targets around their means is what a split lowers: for scores that is variance, for classes the
Gini index (Breiman, Friedman, Olshen and Stone, 1984).  Levels without order are put in order by their mean target
first; among all divisions of the levels in two, the best one is a cut in that order (Fisher, 1958; for several
targets the order along their principal direction comes close: Coppersmith, Hong and Hosking, 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.surrogates.columns import Column, Mask
from kdaudit.surrogates.targets import Floats, Positions

LEAST_GAIN = 1e-9
"""A split that lowers the squared error by less is rounding."""


@dataclass(frozen=True, eq=False)
class Split:
    """Rows whose code of one column is in `left` go left, all others right.

    Parameters
    ----------
    column : int
        Position of the column.
    left : array of shape (size + 1,), bool
    gain : float
        By how much the squared error falls.
    """

    column: int
    left: Mask
    gain: float


def best_split(columns: Sequence[Column], rows: Positions, targets: Floats, smallest: int) -> Split | None:
    """Return the split of `rows` with the largest gain; None where no split has any.

    Parameters
    ----------
    columns : sequence of Column
    rows : array of shape (m,)
        Positions of the rows to part.
    targets : array of shape (n, outputs)
        Of all rows.
    smallest : int
        Fewest rows on each side.
    """
    best: Split | None = None
    values = targets[rows]
    for position, column in enumerate(columns):
        found = _best_of(position, column, column.codes[rows], values, smallest)
        # the first column wins a tie, so that the order of the fields decides and not rounding
        if found is not None and (best is None or found.gain > best.gain * (1 + 1e-12)):
            best = found
    return best


def _best_of(position: int, column: Column, codes: Positions, values: Floats, smallest: int) -> Split | None:
    counts = np.bincount(codes, minlength=column.size + 1).astype(np.int64)
    sums: Floats = np.stack([np.bincount(codes, v, minlength=column.size + 1) for v in values.T], axis=1)
    best: Split | None = None
    for order in _orders(column, counts, sums):
        cut, gain = _best_cut(counts[order], sums[order], smallest, order == column.size)
        if cut is None or gain < LEAST_GAIN or (best is not None and gain <= best.gain):
            continue
        left = np.zeros(column.size + 1, dtype=bool)
        left[order[: cut + 1]] = True
        left = _placed(column, left, counts, order, cut)
        if column.sayable(left) and column.sayable(~left):
            best = Split(position, left, gain)
    return best


def _orders(column: Column, counts: NDArray[np.int64], sums: Floats) -> list[Positions]:
    """Return the orders of the codes that occur, in which a cut may lie: missing values first or last, or by mean."""
    if column.cuts is None:
        seen = np.flatnonzero(counts)
        return [seen[np.argsort(_direction(sums[seen] / counts[seen, None], counts[seen]), kind="stable")]]
    present = np.flatnonzero(counts[:-1])
    if not counts[-1]:
        return [present]
    return [np.append(present, column.size), np.append(column.size, present)]


def _direction(means: Floats, counts: NDArray[np.int64]) -> Floats:
    if means.shape[1] == 1:
        return means[:, 0]
    centred = means - np.average(means, axis=0, weights=counts)
    _, vectors = np.linalg.eigh((centred * counts[:, None]).T @ centred)
    axis = vectors[:, -1]
    # an eigenvector has no sign of its own
    along: Floats = centred @ (axis * np.sign(axis[np.abs(axis).argmax()]))
    return along


def _best_cut(counts: NDArray[np.int64], sums: Floats, smallest: int, missing: Mask) -> tuple[int | None, float]:
    if len(counts) < 2:
        return None, 0.0
    n, total = counts.sum(), sums.sum(axis=0)
    left_n = counts.cumsum()[:-1]
    left = sums.cumsum(axis=0)[:-1]
    allowed = (left_n >= smallest) & (n - left_n >= smallest)
    # no test says that a value is missing and nothing else
    allowed[0] &= not missing[0]
    allowed[-1] &= not missing[-1]
    if not allowed.any():
        return None, 0.0
    right_n = np.maximum(n - left_n, 1)
    gains = (left**2).sum(axis=1) / left_n + ((total - left) ** 2).sum(axis=1) / right_n - (total**2).sum() / n
    gains[~allowed] = -np.inf
    at = int(gains.argmax())
    return at, float(gains[at])


def _placed(column: Column, left: Mask, counts: NDArray[np.int64], order: Positions, cut: int) -> Mask:
    """Give codes that none of the rows has a side: numbers up to half-way, levels and missing the heavier side."""
    heavier = bool(counts[left].sum() * 2 >= counts.sum())
    if column.cuts is None:
        return np.where(counts > 0, left, heavier)
    missing = bool(left[-1]) if counts[-1] else heavier
    a, b = (code for code in order[cut : cut + 2])
    return np.append(np.arange(column.size) <= (a + b - 1) // 2, missing)
