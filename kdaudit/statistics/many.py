"""What many questions cost: levels and p-values for a family of claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdaudit.errors import InvalidInput


def bonferroni(level: float, claims: int) -> float:
    """Return the level of each interval such that all of them hold together with probability `level`.

    Examples
    --------
    >>> round(bonferroni(0.95, 5), 4)
    0.99
    """
    if claims < 1:
        raise InvalidInput(f"a family has at least one claim, not {claims}")
    return 1 - (1 - level) / claims


Family = Literal["holm", "bonferroni", "fixed-sequence"]


def stepped(names: Sequence[str], level: float, decides: Callable[[str, float], bool]) -> dict[str, float]:
    """Return the level of each claim's interval, so that with probability `level` no claim is decided wrongly.

    All start at Bonferroni's level; those that are decided leave, and the rest share what there is, until nothing more
    is decided (Holm 1979).  The interval at the level returned is the one that decides a claim; together the intervals
    cover less often than `level`, since those told last are narrower.

    Parameters
    ----------
    names : sequence of str
    level : float
    decides : callable
        ``decides(name, level)``: whether the claim's interval at that level decides it.

    Notes
    -----
    A claim is open both ways, and one of both answers is wrong.  One whose value lies far from its margin is decided
    rightly and takes nothing from the others; of those near their margins few are decided, wrongly or rightly, and the
    wrong ones share at most half of ``1 - level`` at Bonferroni's levels; `tests/statistics/test_many.py` simulates it.
    """
    out: dict[str, float] = {}
    left = list(names)
    while left:
        now = bonferroni(level, len(left))
        done = [name for name in left if decides(name, now)]
        out |= dict.fromkeys(done or left, now)
        if not done:
            break
        left = [name for name in left if name not in done]
    return out


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values adjusted for the family: a claim is rejected where its own is at most alpha (Holm 1979).

    Parameters
    ----------
    p : array of shape (claims,)
        In [0, 1].  NaN, a claim that could not be tested, still counts as one of the family.

    Returns
    -------
    array of shape (claims,)
        In [0, 1]; NaN where `p` is.
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(np.where(np.isnan(p), np.inf, p), kind="stable")
    steps = np.arange(len(p), 0, -1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.maximum.accumulate(p[order] * steps), 1.0)
    return out
