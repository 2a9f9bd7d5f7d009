"""The best cut of every field with an order, many fields at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.surrogates.columns import Column, Mask
from kdaudit.surrogates.targets import Floats, Positions

TOGETHER = 1 << 17
"""Codes that are counted together: as many as stay in the cache."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """Fields with an order, their codes in one table.

    Parameters
    ----------
    positions : tuple of int
        Which of the columns these are.
    codes : array of shape (fields, n)
        The last code stands for a missing value in all of them.
    size : int
        Number of codes, that one included.
    sizes : array of shape (fields,)
        Number of codes of present values.
    """

    positions: tuple[int, ...]
    codes: NDArray[np.int16]
    size: int
    sizes: Positions

    @classmethod
    def of(cls, columns: Sequence[Column]) -> Ordered:
        """Return those of the columns that have an order."""
        positions = tuple(at for at, column in enumerate(columns) if column.cuts is not None)
        sizes = np.array([columns[at].size for at in positions], dtype=np.int64)
        size = 1 + max((columns[at].size for at in positions), default=0)
        n = len(columns[0].codes) if columns else 0
        codes = np.empty((len(positions), n), dtype=np.int16)
        for row, at in zip(codes, positions, strict=True):
            own = columns[at].codes
            row[:] = np.where(own == columns[at].size, size - 1, own)
        return cls(positions, codes, size, sizes)

    @classmethod
    def alone(cls, codes: Positions, size: int) -> Ordered:
        """Return one field, given by its codes and the number of codes of present values."""
        return cls((0,), codes[None].astype(np.int16), size + 1, np.array([size]))


@dataclass(frozen=True, eq=False)
class Cuts:
    """The best cut of each field.

    Parameters
    ----------
    gain : array of shape (fields,)
        By how much the squared error falls; minus infinity where no cut is allowed.
    code : array of shape (fields,)
        Codes up to this one go left.
    missing : array of shape (fields,)
        Whether missing values do.
    """

    gain: Floats
    code: Positions
    missing: Mask


def best_cuts(ordered: Ordered, rows: Positions, targets: Floats, smallest: int) -> Cuts:
    """Return the best cut of each field; `rows`, `targets` and `smallest` as in `kdaudit.surrogates.splits`."""
    fields = len(ordered.positions)
    out = Cuts(np.full(fields, -np.inf), np.zeros(fields, dtype=np.int64), np.zeros(fields, dtype=bool))
    values = targets[rows]
    step = max(1, TOGETHER // max(1, len(rows)))
    for start in range(0, fields, step):
        part = slice(start, min(start + step, fields))
        counts, sums = _summed(ordered.codes[part].take(rows, axis=1), values, ordered.size)
        gains = np.stack([_gains(counts, sums, left, smallest) for left in (False, True)])
        flat = gains.transpose(1, 0, 2).reshape(len(counts), -1)
        at = flat.argmax(axis=1)
        out.gain[part] = flat[np.arange(len(at)), at]
        out.missing[part], out.code[part] = np.divmod(at, ordered.size - 1)
    return out


def _summed(codes: NDArray[np.int16], values: Floats, size: int) -> tuple[Positions, Floats]:
    """Return rows and targets by field and code: shapes (fields, size) and (fields, size, outputs)."""
    fields = len(codes)
    flat = (codes + size * np.arange(fields)[:, None]).ravel()
    counts = np.bincount(flat, minlength=fields * size).reshape(fields, size)
    each = [np.bincount(flat, np.tile(column, fields), minlength=fields * size) for column in values.T]
    return counts, np.array(each, dtype=np.float64).T.reshape(fields, size, -1)


def _gains(counts: Positions, sums: Floats, missing_left: bool, smallest: int) -> Floats:  # noqa: FBT001
    """Return the gain of a cut behind each code, shape (fields, size - 1); minus infinity where none may lie."""
    present = counts[:, :-1]
    up_to = present.cumsum(axis=1)
    n, total = int(counts[0].sum()), sums[0].sum(axis=0)
    # a cut behind a code that occurs and before another one: no test says that a value is missing and nothing else
    allowed = (present > 0) & (up_to < up_to[:, -1:])
    if missing_left:
        allowed &= counts[:, -1:] > 0
        if not allowed.any():
            return np.full(present.shape, -np.inf)
    left_n = up_to + counts[:, -1:] if missing_left else up_to
    left = sums[:, :-1].cumsum(axis=1)
    if missing_left:
        left += sums[:, -1:]
    allowed &= (left_n >= smallest) & (n - left_n >= smallest)
    inside, outside = (left**2).sum(axis=2), ((total - left) ** 2).sum(axis=2)
    gains = inside / np.maximum(left_n, 1) + outside / np.maximum(n - left_n, 1) - (total**2).sum() / n
    return np.where(allowed, gains, -np.inf)


def best_sides(ordered: Ordered, rows: Positions, weight: Floats) -> tuple[int, Mask, float]:
    """Return the cut that sends most weight to the left, either way round, over all fields.

    Parameters
    ----------
    ordered : Ordered
    rows : array of shape (m,)
    weight : array of shape (m,)
        Whole numbers, so that sums are exact.

    Returns
    -------
    place : int
        Of the field among `ordered.positions`, the first among equals; -1 where nothing can be cut.
    left : array of shape (ordered.size,), bool
        Codes that go left; the last one is that of a missing value.
    sent : float
    """
    best: tuple[int, Mask, float] = (-1, np.zeros(ordered.size, dtype=bool), -np.inf)
    step = max(1, TOGETHER // max(1, len(rows)))
    for start in range(0, len(ordered.positions), step):
        part = slice(start, min(start + step, len(ordered.positions)))
        fields = part.stop - start
        flat = ordered.codes[part].take(rows, axis=1) + ordered.size * np.arange(fields)[:, None]
        total: Floats = np.bincount(flat.ravel(), np.tile(weight, fields), fields * ordered.size).astype(np.float64)
        found = _side(total.reshape(fields, -1), ordered.sizes[part])
        if found is not None and found[2] > best[2] + 0.5:
            best = (start + found[0], *found[1:])
    return best


def _side(total: Floats, sizes: Positions) -> tuple[int, Mask, float] | None:
    """Return the field, left side and weight of the best cut, of fields with these many codes of present values."""
    below = total[:, :-1].cumsum(axis=1)
    # a cut lies behind a code and before another one
    possible = np.arange(below.shape[1]) < sizes[:, None] - 1
    if not possible.any():
        return None
    missing = np.maximum(total[:, -1], 0.0)
    upward = np.where(possible, below, -np.inf)
    downward = np.where(possible, below[:, -1:] - below, -np.inf)
    sides = np.stack([upward, downward], axis=1).reshape(len(total), -1)
    at = sides.argmax(axis=1)
    sent = sides[np.arange(len(sides)), at] + missing
    field = int(sent.argmax())
    turned, code = divmod(int(at[field]), below.shape[1])
    codes = np.arange(below.shape[1])
    left = codes > code if turned else codes <= code
    return field, np.append(left, missing[field] > 0), float(sent[field])
