"""Disjoint parts of samples, split by the content of rows, so that copies never lie on both sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kdaudit.digest import of_rows
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples


def split(samples: Samples, sizes: Mapping[str, int | float], *, seed: int, name: str = "parts") -> dict[str, Samples]:
    """Draw disjoint parts; rows that no part takes stay out.

    Rows of the same content (`Samples.keys`) go together.  Groups are ordered by a digest of content, seed and name,
    so that membership depends neither on the order of rows nor on a generator's version.  Each part in turn takes
    groups in that order, passing over those too large for the room left: it never holds more rows than asked, exactly
    as many where rows are unique, and falls short by less than the smallest group left over.  A part added at the end
    changes none before it.

    Parameters
    ----------
    samples : Samples
    sizes : mapping of str to int or float
        Part -> rows (int), or share of all rows in (0, 1] (float), rounded down.
    seed : int
    name : str
        Of the split: another name is another draw.

    Returns
    -------
    dict of str to Samples
        In the order of `sizes`; rows in the order of `samples`; `origin.part` names the part.

    Raises
    ------
    InvalidInput
        If a size is not positive, the parts need more rows than there are, or copies leave a part empty.
    """
    counts = _counts(sizes, len(samples))
    order, starts = _groups(samples.keys(), f"{name}/{seed}")
    lengths = np.diff(starts)
    free = np.ones(len(lengths), dtype=bool)
    parts = {}
    for part, count in counts.items():
        taken = _fill(lengths, free, count)
        if not len(taken):
            raise InvalidInput(
                f"part {part!r} of {count} rows stays empty: the rows left are copies of one another in groups of at "
                f"least {lengths[free].min(initial=len(samples))}; ask for larger parts, or leave copies out"
            )
        free[taken] = False
        rows = np.concatenate([order[starts[group] : starts[group + 1]] for group in taken])
        parts[part] = samples.take(np.sort(rows), part=part)
    return parts


def _counts(sizes: Mapping[str, int | float], n: int) -> dict[str, int]:
    counts = {}
    for part, size in sizes.items():
        share = isinstance(size, float)
        if isinstance(size, bool) or not size > 0 or (share and size > 1):
            raise InvalidInput(f"part {part!r} has size {size}; a number of rows, or a share above 0 and at most 1")
        # a share such as .3 of 10 is 3 rows, though .3 * 10 may lie just below
        counts[part] = int(np.floor(size * n + 1e-9)) if share else int(size)
        if not counts[part]:
            raise InvalidInput(f"part {part!r} is a share of {size} of {n} rows, which is no row")
    if sum(counts.values()) > n:
        asked = ", ".join(f"{part} {count}" for part, count in counts.items())
        raise InvalidInput(
            f"the parts need {sum(counts.values())} rows ({asked}) and there are {n}; ask for smaller parts"
        )
    return counts


def _groups(keys: NDArray[np.bytes_], salt: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows sorted by group, groups by digest, and where each group begins (with the end)."""
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(of_rows(salt, [keys[first].view("V16")]), kind="stable")] = np.arange(len(first))
    ranked = rank[group]
    order: NDArray[np.int64] = np.argsort(ranked, kind="stable")
    return order, np.concatenate([[0], np.cumsum(np.bincount(ranked, minlength=len(first)))])


def _fill(lengths: NDArray[np.int64], free: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Return the free groups that fill `count` rows: the first that fit, in order."""
    groups = np.flatnonzero(free)
    fits = int(np.searchsorted(np.cumsum(lengths[groups]), count, side="right"))
    taken, left = list(groups[:fits]), count - int(lengths[groups[:fits]].sum())
    for group in groups[fits:]:
        if not left:
            break
        if lengths[group] <= left:
            taken.append(group)
            left -= int(lengths[group])
    return np.array(taken, dtype=np.int64)
