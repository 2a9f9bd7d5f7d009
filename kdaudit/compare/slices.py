"""The group of rows in which a proxy differs most from the teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.measures.strata import grouped
from kdaudit.samples import Samples

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Slice:
    """A group of rows that was searched for.

    Parameters
    ----------
    text : str
        Such as ``"schooling = bachelor and age 30 to 44"``.
    rows : array of shape (n,)
        Which rows lie in it.
    tried : int
        Slices among which it was the worst.
    found : float
        Mean of the values on the rows that found it: too low, since it was the worst of many.
    found_n : int
        Number of those rows.
    """

    text: str
    rows: Mask
    tried: int
    found: float
    found_n: int


def halves(samples: Samples) -> Mask:
    """Return which rows belong to the searching half, by the digest of their content: copies stay together."""
    keys = samples.keys()
    last = np.frombuffer(np.ascontiguousarray(keys).tobytes(), dtype=np.uint8).reshape(len(keys), -1)[:, -1]
    out: Mask = last % 2 == 0
    return out


def worst_slice(samples: Samples, values: NDArray[np.float64], *, search: Mask, minimum: int) -> Slice | None:
    """Return the slice of one or two fields in which 0/1 `values` lie furthest below their mean.

    Parameters
    ----------
    samples : Samples
    values : array of shape (n,)
        0, 1, or NaN where there is none.
    search : array of shape (n,)
        Rows to search on; report on the others, since the worst of many slices looks worse than it is
        (480 slices without any true one show 5 points).
    minimum : int
        Rows that a slice must have, both among those searched and among the others.

    Returns
    -------
    Slice or None
        The largest ``(mean - slice mean) sqrt(n)``, a rank by surprise, not by the mean alone: that would choose the
        smallest slices.  None if no slice is large enough.
    """
    names, fields, members = _atoms(samples)
    usable = ~np.isnan(values)
    inside, outside = members[search & usable].astype(np.float64), members[~search & usable].astype(np.float64)
    if not names or not len(inside):
        return None
    found = values[search & usable]
    # sums of zeros and ones are whole numbers, so that no order of summation changes a bit
    count, elsewhere = inside.T @ inside, outside.T @ outside
    total = (inside * found[:, None]).T @ inside
    allowed = np.triu(fields[:, None] != fields[None, :]) | np.eye(len(names), dtype=bool)
    allowed &= (count >= minimum) & (elsewhere >= minimum)
    if not allowed.any():
        return None
    safe = np.maximum(count, 1)
    surprise = np.where(allowed, (found.mean() - total / safe) * np.sqrt(safe), -np.inf)
    a, b = (int(i) for i in np.unravel_index(int(surprise.argmax()), surprise.shape))
    text = names[a] if a == b else f"{names[a]} and {names[b]}"
    return Slice(
        text, members[:, a] & members[:, b], int(allowed.sum()), float(total[a, b] / count[a, b]), int(count[a, b])
    )


def _atoms(samples: Samples) -> tuple[list[str], NDArray[np.int64], Mask]:
    names: list[str] = []
    fields: list[int] = []
    members: list[Mask] = []
    for position, field in enumerate(samples.domain.names):
        strata = grouped(samples, field)
        if strata is None:
            continue
        for place, level in enumerate(strata.levels):
            names.append(strata.group(level))
            fields.append(position)
            members.append(strata.place == place)
    table = np.stack(members, axis=1) if members else np.zeros((len(samples), 0), dtype=bool)
    return names, np.array(fields, dtype=np.int64), table
