"""Which keys are known, and at which position: sorted arrays instead of a dictionary of a million strings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[Any]


class Index:
    """Positions of keys, in the order in which they were added.

    Keys lie in a few sorted runs whose lengths at least halve from one to the next, so that adding n keys batch by
    batch costs O(n log n) in all, and finding costs a binary search a run.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, NDArray[np.int64]]] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """Return the position of each key, shape (n,); -1 where unknown.  Sorted keys are found fastest."""
        out = np.full(len(keys), -1, dtype=np.int64)
        for known, position in self._runs:
            at = np.searchsorted(known, keys)
            at[at == len(known)] = 0
            hit = known[at] == keys
            out[hit] = position[at[hit]]
        return out

    def add(self, keys: Keys) -> None:
        """Give the next positions to `keys`, which must differ from each other and from all known ones."""
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        self._runs.append((keys[order], self._size + order))
        self._size += len(keys)
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            self._merge()

    def _merge(self) -> None:
        (a, at_a), (b, at_b) = self._runs[-2:]
        keys, position = np.concatenate([a, b]), np.concatenate([at_a, at_b])
        order = np.argsort(keys, kind="stable")  # timsort: linear on two sorted runs
        self._runs[-2:] = [(keys[order], position[order])]

    def sorted(self) -> tuple[Keys, NDArray[np.int64]]:
        """Return all keys in rising order, and their positions."""
        while len(self._runs) > 1:
            self._merge()
        return self._runs[0] if self._runs else (np.empty(0, dtype="S16"), np.empty(0, dtype=np.int64))


class Rows:
    """An array that grows at its end; its room doubles, so that adding a row costs the same however many there are."""

    def __init__(self) -> None:
        self._room: NDArray[Any] | None = None
        self._size = 0

    @property
    def values(self) -> NDArray[Any] | None:
        """What was added, shape (n, ...); a view, not to be written to.  None if nothing ever was."""
        return None if self._room is None else self._room[: self._size]

    def append(self, rows: NDArray[Any]) -> None:
        """Add `rows`, all of one shape and type, at the end."""
        size = self._size + len(rows)
        if self._room is None:
            self._room = rows.copy()
        elif size > len(self._room):
            room = np.empty((max(size, 2 * len(self._room)), *rows.shape[1:]), dtype=self._room.dtype)
            room[: self._size] = self._room[: self._size]
            self._room = room
        self._room[self._size : size] = rows
        self._size = size
