"""Which sets of units are looked at: drawn once, shared by all rows and all subjects that are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Floats = NDArray[np.float64]


def every(players: int) -> Masks:
    """Return all coalitions, shape (2**players, players): bit i of the position says whether player i is in."""
    out: Masks = (np.arange(1 << players)[:, None] >> np.arange(players)) & 1 == 1
    return out


def prefixes(order: NDArray[np.int64]) -> Masks:
    """Return the coalitions of the first 1, 2, ... players of an order, without the whole: (players - 1, players)."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    out: Masks = place[None] <= np.arange(len(order) - 1)[:, None]
    return out


def drawn(players: int, pairs: int, rng: np.random.Generator) -> tuple[Masks, Floats]:
    """Return one coalition of each pair, whose other one is its complement, and the pairs' weights.

    Sizes are spread evenly over 1 to players - 1 and weighted by the Shapley kernel over that, which errs less at equal
    cost than sizes drawn from the kernel itself (leverage scores; Musco and Witter 2024).

    Parameters
    ----------
    players : int
        At least 2.
    pairs : int
    rng : Generator

    Returns
    -------
    masks : array of shape (pairs, players), bool
    weights : array of shape (pairs,)
        Of mean 1 over the distribution of sizes.
    """
    sizes = np.arange(1, players)
    kernel = 1.0 / (sizes * (players - sizes))
    kernel /= kernel.sum()
    spread = ((np.arange(pairs) + rng.random(pairs)) / pairs * (players - 1)).astype(np.int64)
    size = np.minimum(spread, players - 2) + 1
    rank = rng.random((pairs, players)).argsort(axis=1).argsort(axis=1)
    return rank < size[:, None], kernel[size - 1] * (players - 1)
