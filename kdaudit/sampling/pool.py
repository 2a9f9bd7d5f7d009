"""New rows to ask a teacher about: inside the domain, no row twice, as many as may be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.condition import parse
from kdaudit.samples import Samples
from kdaudit.sampling.columns import Positions
from kdaudit.sampling.neighbours import neighbours
from kdaudit.sampling.samplers import SAMPLERS, Columns, between, flipped

ROUNDS = 4
"""Draws at most until as many new rows are found as wanted; where the domain holds few, there are fewer."""
STEPS = 3
"""Times that the way between two rows that are answered differently is halved."""

Decide = Callable[[Samples], NDArray[np.int64]]
"""What the teacher decides of rows, shape (n,); -1 where it did not answer."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """New rows.

    Parameters
    ----------
    samples : Samples
    parents : array of shape (n,)
        Position of the row that each was drawn around.
    """

    samples: Samples
    parents: Positions

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Drawn:
        """Return the rows at positions `rows` (or where the mask is true)."""
        return Drawn(self.samples.take(rows), self.parents[rows])


def admitted(samples: Samples, scope: str = "") -> NDArray[np.bool_]:
    """Return which rows fulfil the domain's constraints and the scope, shape (n,)."""
    out = np.ones(len(samples), dtype=bool)
    for text in (*samples.domain.constraints, scope):
        out &= parse(text, samples.domain).mask(samples)
    return out


def drawn(
    sampler: str, samples: Samples, n: int, rng: np.random.Generator, *, scope: str = "", paired: bool = False
) -> Drawn:
    """Draw at most n new rows, none of them twice and none of them among `samples`.

    Parameters
    ----------
    sampler : str
        A key of `SAMPLERS`.
    samples : Samples
        Rows to draw around.
    n : int
    rng : Generator
    scope : str
        Condition that new rows fulfil beside the domain's constraints.
    paired : bool
        Whether half of the rows are copies of the other half with a protected level changed.
    """
    out = _rows(samples, {name: column[:0] for name, column in samples.columns.items()}, np.arange(0), sampler)
    known = set(samples.keys().tolist())
    first = -(-n // 2) if paired else n
    for _ in range(ROUNDS):
        if len(out) >= first:
            break
        columns, parents = SAMPLERS[sampler](samples, first - len(out), rng)
        out = _joined(out, _new(_rows(samples, columns, parents, sampler), known, scope), sampler)
    if not paired:
        return out
    columns, rows = flipped(out.samples, rng)
    copies = _new(_rows(samples, columns, out.parents[rows], sampler), known, scope)
    both = _joined(out, copies, sampler)
    return both.take(np.arange(min(n, len(both))))


def bisected(
    samples: Samples, label: NDArray[np.int64], n: int, decide: Decide, rng: np.random.Generator, *, scope: str = ""
) -> list[Drawn]:
    """Halve the way between rows that are answered differently, and return the rows met, one batch a step.

    Each row is paired with the nearest one that the teacher decides otherwise; the middle is asked, and the half whose
    ends still differ is halved again.

    Parameters
    ----------
    samples : Samples
    label : array of shape (m,)
        The teacher's decisions.
    n : int
        Most rows asked.
    decide : callable
        Asks the teacher.
    rng : Generator
    scope : str
    """
    rows = rng.permutation(len(samples))[: max(1, n // STEPS)]
    other = _opposite(samples, label, rows, rng)
    rows, other = rows[other >= 0], other[other >= 0]
    low, high = np.zeros(len(rows)), np.ones(len(rows))
    known, out = set(samples.keys().tolist()), []
    for _ in range(STEPS if len(rows) else 0):
        middle = (low + high) / 2
        met = _rows(samples, between(samples, rows, other, middle, rng), rows, "bisection")
        fresh = _new(met, known, scope)
        if len(fresh):
            out.append(fresh)
        said = np.full(len(rows), -1)
        inside = np.flatnonzero(admitted(met.samples, scope))
        if len(inside):
            said[inside] = decide(met.samples.take(inside))
        same = said == label[rows]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return out


def _opposite(samples: Samples, label: NDArray[np.int64], rows: Positions, rng: np.random.Generator) -> Positions:
    """Return the nearest row with another label for each of `rows`; -1 where there is none."""
    out = np.full(len(rows), -1, dtype=np.int64)
    for value in np.unique(label[rows]):
        others, mine = np.flatnonzero(label != value), label[rows] == value
        if len(others):
            out[mine] = neighbours(samples, rows[mine], 1, rng, among=others)[:, 0]
    return out


def _rows(samples: Samples, columns: Columns, parents: Positions, sampler: str) -> Drawn:
    origin = replace(samples.origin, source=f"{sampler} around {samples.origin.source}".rstrip(), part="asked beyond")
    return Drawn(Samples(samples.domain, columns, _ids(samples, len(parents)), origin), parents)


def _ids(samples: Samples, n: int) -> NDArray[np.int64] | NDArray[np.str_]:
    # no id of the rows that there are: an answer recorded under theirs is none to a new row
    if samples.ids.dtype.kind in "iu":
        lowest = int(samples.ids.min()) if len(samples) else 0
        return min(lowest, 0) - 1 - np.arange(n, dtype=np.int64)
    return np.array([f"new row {at}" for at in range(n)], dtype=str)


def _new(rows: Drawn, known: set[bytes], scope: str) -> Drawn:
    """Return the rows that are admitted and were not met before, and remember them."""
    kept = []
    for at, (key, inside) in enumerate(zip(rows.samples.keys().tolist(), admitted(rows.samples, scope), strict=True)):
        if inside and key not in known:
            known.add(key)
            kept.append(at)
    return rows.take(np.array(kept, dtype=np.int64))


def _joined(a: Drawn, b: Drawn, sampler: str) -> Drawn:
    columns = {name: np.concatenate([a.samples.columns[name], b.samples.columns[name]]) for name in a.samples.columns}
    return _rows(a.samples, columns, np.concatenate([a.parents, b.parents]), sampler)
