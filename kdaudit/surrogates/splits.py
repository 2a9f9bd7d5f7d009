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
from kdaudit.surrogates.cuts import Ordered, best_cuts
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


def best_split(
    columns: Sequence[Column], rows: Positions, targets: Floats, smallest: int, ordered: Ordered | None = None
) -> Split | None:
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
    ordered : Ordered, optional
        ``Ordered.of(columns)``, if it is at hand.
    """
    table = Ordered.of(columns) if ordered is None else ordered
    cuts = best_cuts(table, rows, targets, smallest)
    places = {at: place for place, at in enumerate(table.positions)}
    best: Split | None = None
    gain, winner = LEAST_GAIN, -1
    for position, column in enumerate(columns):
        found = None
        if position not in places:
            found = _best_set(position, column, column.codes[rows], targets[rows], smallest)
        own = float(cuts.gain[places[position]]) if found is None and position in places else _gain_of(found)
        # the first column wins a tie, so that the order of the fields decides and not rounding
        if own >= LEAST_GAIN and (winner < 0 or own > gain * (1 + 1e-12)):
            gain, winner, best = own, position, found
    if winner < 0 or best is not None:
        return best
    place = places[winner]
    codes = columns[winner].codes[rows]
    return Split(winner, _cut(columns[winner], codes, int(cuts.code[place]), missing=bool(cuts.missing[place])), gain)


def _gain_of(split: Split | None) -> float:
    return -np.inf if split is None else split.gain


def _cut(column: Column, codes: Positions, at: int, *, missing: bool) -> Mask:
    """Return the left side of a cut behind code `at`: codes that none of the rows has part half-way to the next."""
    counts = np.bincount(codes, minlength=column.size + 1)
    after = at + 1 + int(np.flatnonzero(counts[at + 1 : -1])[0])
    heavier = bool(counts[: at + 1].sum() * 2 >= counts.sum())
    return np.append(np.arange(column.size) <= (at + after - 1) // 2, missing if counts[-1] else heavier)


def _best_set(position: int, column: Column, codes: Positions, values: Floats, smallest: int) -> Split | None:
    """Return the best division of levels without order."""
    counts = np.bincount(codes, minlength=column.size + 1).astype(np.int64)
    sums: Floats = np.stack([np.bincount(codes, v, minlength=column.size + 1) for v in values.T], axis=1)
    seen = np.flatnonzero(counts)
    order = seen[np.argsort(_direction(sums[seen] / counts[seen, None], counts[seen]), kind="stable")]
    at, gain = _best_cut(counts[order], sums[order], smallest, order == column.size)
    if at is None or gain < LEAST_GAIN:
        return None
    left = np.zeros(column.size + 1, dtype=bool)
    left[order[: at + 1]] = True
    # levels that none of the rows has go to the heavier side
    left = np.where(counts > 0, left, bool(counts[left].sum() * 2 >= counts.sum()))
    return Split(position, left, gain) if column.sayable(left) and column.sayable(~left) else None


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
