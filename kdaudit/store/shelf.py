"""The answers of one subject to one signal: on disk where there is a folder, and found in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.store import parts
from kdaudit.store.index import Index, Keys, Rows
from kdaudit.store.parts import Part


class Shelf:
    """Answers by key.

    Parameters
    ----------
    folder : Path or None
        Where its parts lie; None keeps them in memory only.
    blank : array of shape (...)
        Stands for the answer of a row that failed.
    about : mapping of str to plain data
        Written into each part.

    Raises
    ------
    BrokenRun
        If a part on disk is torn or changed.
    """

    def __init__(self, folder: Path | None, blank: NDArray[Any], about: Mapping[str, Any]) -> None:
        self._folder, self._blank, self._about = folder, blank, about
        self._index, self._rows, self._used = Index(), Rows(), Rows()
        self._seen: set[str] = set()
        self._failed: list[tuple[Keys, list[str]]] = []
        self.refresh()

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """Return the position of each key's answer, shape (n,); -1 where there is none."""
        return self._index.find(keys)

    @property
    def keys(self) -> Keys:
        """Keys of all answers, used or not, rising."""
        return self._index.sorted()[0]

    def take(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Return the answers at `positions`, shape (n, ...); blank at -1."""
        values = self._rows.values
        if values is None:
            return np.repeat(self._blank[None], len(positions), axis=0)
        out: NDArray[Any] = values[positions]
        out[positions < 0] = np.nan if values.dtype.kind == "f" else -1
        return out

    def add(self, keys: Keys, values: NDArray[Any]) -> None:
        """Keep the answers to distinct keys; they are on disk when this returns.  What is known already stays."""
        new = self._index.find(keys) < 0
        if not new.any():
            return
        keys, values = keys[new], values[new]
        if self._folder is not None:
            self._seen.add(parts.save(self._folder, Part(keys, values, about=self._about)))
        self._admit(keys, values)

    def refresh(self) -> bool:
        """Read the parts that other processes wrote meanwhile; return whether there were any."""
        if self._folder is None or not self._folder.is_dir():
            return False
        names = {path.name for path in self._folder.glob("part-*.parquet")} - self._seen
        read = [parts.load(self._folder / name) for name in sorted(names)]
        self._seen |= names
        if not read:
            return False
        keys, first = np.unique(np.concatenate([part.keys for part in read]), return_index=True)
        new = self._index.find(keys) < 0
        self._admit(keys[new], np.concatenate([part.values for part in read])[first][new])
        return True

    def _admit(self, keys: Keys, values: NDArray[Any]) -> None:
        """Keep answers to keys that are new."""
        self._index.add(keys)
        self._rows.append(values)
        self._used.append(np.zeros(len(keys), dtype=bool))

    def use(self, positions: NDArray[np.int64]) -> None:
        """Note that the answers at `positions` (-1: none) were used."""
        if self._used.values is not None:
            self._used.values[positions[positions >= 0]] = True

    def fail(self, keys: Keys, reasons: list[str]) -> None:
        """Note that these keys were asked in vain.  Nothing of it goes to disk: the next ask tries again."""
        self._failed.append((keys, reasons))

    def used(self) -> Part:
        """Return what was used since this shelf was made, by rising key, with the rows that failed to the last."""
        keys, positions = self._index.sorted()
        flags = self._used.values
        chosen = positions >= 0 if flags is None else flags[positions]
        answered = Part(keys[chosen], self.take(positions[chosen]), about=self._about)
        if not self._failed:
            return answered
        failed = np.concatenate([names for names, _ in self._failed])
        reasons = [reason for _, texts in self._failed for reason in texts]
        values = np.repeat(self._blank[None], len(failed), axis=0)
        return union(answered, Part(failed, values, dict(enumerate(reasons)), self._about))


def union(first: Part, second: Part) -> Part:
    """Return the rows of both by rising key, each once: an answer beats a failure, the first part beats the second."""
    if not len(first.keys) or not len(second.keys):
        only = first if len(first.keys) else second
        return _once(only.keys, only.values, only.failed, first.about)
    # a part in which nothing was answered does not know what shape an answer has
    a, b = first.values, second.values
    if a.shape[1:] != b.shape[1:] and len(second.failed) == len(b):
        b = np.full((len(b), *a.shape[1:]), np.nan, dtype=a.dtype)
    failed = {**first.failed, **{len(first.keys) + row: reason for row, reason in second.failed.items()}}
    return _once(np.concatenate([first.keys, second.keys]), np.concatenate([a, b]), failed, first.about)


def _once(keys: Keys, values: NDArray[Any], failed: Mapping[int, str], about: Mapping[str, Any]) -> Part:
    empty = np.zeros(len(keys), dtype=bool)
    empty[list(failed)] = True
    order = np.argsort(empty, kind="stable")
    distinct, first = np.unique(keys[order], return_index=True)
    rows = order[first]
    reasons = {place: failed[int(rows[place])] for place in np.flatnonzero(empty[rows]).tolist()}
    return Part(distinct, values[rows], reasons, about)
