"""Which rows to ask: by chance, evenly over groups, and whatever the order of the rows."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples

Priorities = NDArray[np.uint64]


def priorities(keys: NDArray[np.bytes_], ids: NDArray[Any], seed: int, name: str) -> NDArray[np.uint64]:
    """Return a random number for each row, which depends on seed, name, content and id alone.

    Neither the order of the rows nor which of them were answered before changes it.  Questions that share seed and name
    choose the same rows where they can, and so share their answers.

    Parameters
    ----------
    keys : array of shape (n,), dtype S16
        Content keys.
    ids : array of shape (n,)
        Tell copies apart.
    seed : int
    name : str

    Returns
    -------
    array of shape (n,), dtype uint64
        Evenly distributed; the rows with the lowest are asked first.
    """
    raw, size = np.ascontiguousarray(keys).tobytes(), keys.dtype.itemsize
    start = hashlib.blake2b(f"{seed}/{name}/".encode(), digest_size=8)
    out = bytearray()
    for i, row in enumerate(ids.tolist()):
        state = start.copy()
        # cut from the buffer: single elements of a bytes array lose their trailing zeros
        state.update(raw[i * size : (i + 1) * size])
        state.update(str(row).encode())
        out += state.digest()
    return np.frombuffer(bytes(out), dtype="<u8").astype(np.uint64)


def queue(samples: Samples, rng: np.random.Generator, name: str) -> NDArray[np.uint64]:
    """Return the priorities of rows, with a seed drawn from `rng`.

    Questions that are given generators in the same state choose the same rows where they can, whatever they ask: draw
    the queue before anything else.
    """
    return priorities(samples.keys(), samples.ids, int(rng.integers(2**62)), name)


def allocation(sizes: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Return how many rows to ask in each group: equal shares; what a small group lacks goes to the others.

    Parameters
    ----------
    sizes : array of shape (groups,)
    n : int
        Rows in all; where there are fewer, all are taken.

    Examples
    --------
    >>> allocation(np.array([1000, 10, 1000]), 300).tolist()
    [145, 10, 145]
    """
    sizes = np.asarray(sizes, dtype=np.int64)
    out, left = np.zeros(len(sizes), dtype=np.int64), n
    # from the smallest, so that what it lacks can still be handed on
    for done, group in enumerate(np.argsort(sizes, kind="stable")):
        out[group] = min(sizes[group], left // (len(sizes) - done))
        left -= out[group]
    return out


def balanced(groups: NDArray[Any], n: int, priority: NDArray[Any]) -> NDArray[np.int64]:
    """Return the positions of about `n` rows, as many from each group, by simple random choice within it.

    Parameters
    ----------
    groups : array of shape (rows,)
        Group of each row, from 0; negative: never chosen.
    n : int
        At most so many rows.
    priority : array of shape (rows,)
        See `priorities`: each group's lowest are chosen, so that a choice for fewer rows lies within that for more.

    Returns
    -------
    array of shape (at most n,)
        Rising.
    """
    groups = np.asarray(groups)
    if len(groups) != len(priority) or n < 0:
        raise InvalidInput(f"{len(groups)} rows need as many priorities, and at least 0 rows to be asked")
    present, place = np.unique(groups[groups >= 0], return_inverse=True)
    rows = np.flatnonzero(groups >= 0)
    order = np.lexsort((priority[rows], place))
    sizes = np.bincount(place, minlength=len(present))
    rank = np.empty(len(rows), dtype=np.int64)
    rank[order] = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(rows[rank < allocation(sizes, n)[place]])
