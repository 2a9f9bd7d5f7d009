"""What many questions cost: levels and p-values for a family of claims."""

from __future__ import annotations

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
