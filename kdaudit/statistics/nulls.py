"""What chance alone would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.rates import Floats

BLOCK = 2**21
"""Values permuted at once, so that memory stays small."""
FEW = 8
"""Distinct values up to which their counts are drawn instead of rows."""


@dataclass(frozen=True)
class Null:
    """A gap with its groups exchanged by chance.

    Parameters
    ----------
    interval : Interval
        Mean and central range of the gaps by chance.
    p : float
        Share of them that lie as far from 0 as the gap itself, which counts as one; in (0, 1].
    """

    interval: Interval
    p: float


def permuted_gap(
    values: ArrayLike,
    first: ArrayLike,
    rng: np.random.Generator,
    *,
    draws: int = 999,
    level: float = 0.95,
    weights: ArrayLike | None = None,
) -> Null:
    """Return the gap of two groups when rows are exchanged between them by chance (Fisher 1935).

    Parameters
    ----------
    values : array of shape (n,)
        NaN values are left out.
    first : array of shape (n,), bool
        Which rows belong to the first group; the others are the second.
    rng : Generator
    draws : int
    level : float
        Of the central range.
    weights : array of shape (n,), optional
        Of rows that were chosen with unequal chances: the gap is that of weighted means.
    """
    y, a = np.asarray(values, dtype=np.float64), np.asarray(first, dtype=bool)
    if y.shape != a.shape or draws < 1:
        raise InvalidInput(f"{len(y)} values need as many marks of group, and at least one draw")
    w = None if weights is None else np.asarray(weights, dtype=np.float64)[~np.isnan(y)]
    a, y = a[~np.isnan(y)], y[~np.isnan(y)]
    size, n = int(a.sum()), len(y)
    if size in (0, n):
        return Null(unknown("one of the groups has no rows", n, level), 1.0)
    if w is None or np.ptp(w) <= 1e-12 * w.max():
        gap = float(y[a].mean() - y[~a].mean())
        sums = _sums(y, size, draws, rng)
        gaps = sums / size - (y.sum() - sums) / (n - size)
    else:
        gap = float(np.average(y[a], weights=w[a]) - np.average(y[~a], weights=w[~a]))
        gaps = _weighted_gaps(y, w, size, draws, rng)
    low, high = np.quantile(gaps, ((1 - level) / 2, (1 + level) / 2))
    # gaps that differ by rounding alone are equal
    beyond = int((np.abs(gaps) >= abs(gap) - 1e-12 * max(1.0, float(np.abs(y).max()))).sum())
    interval = Interval(float(gaps.mean()), float(low), float(high), n, level, f"{draws} permutations")
    return Null(interval, (1 + beyond) / (1 + draws))


def _weighted_gaps(y: Floats, w: Floats, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return gaps of weighted means, each row keeping its weight, shape (draws,)."""
    out = np.empty(draws)
    both, total, whole = np.stack([w * y, w]), float((w * y).sum()), float(w.sum())
    for draw in range(draws):
        top, bottom = both[:, rng.permutation(len(y))[:size]].sum(axis=1)
        out[draw] = top / bottom - (total - top) / (whole - bottom)
    return out


def _sums(y: Floats, size: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return sums over `size` rows drawn by chance, shape (draws,)."""
    levels, counts = np.unique(y, return_counts=True)
    if len(levels) <= FEW:
        # permuting rows of few values is drawing their counts: the same law, without touching a row
        drawn: Floats = rng.multivariate_hypergeometric(counts, size, draws) @ levels
        return drawn
    block = max(1, BLOCK // len(y))
    steps = [min(block, draws - start) for start in range(0, draws, block)]
    return np.concatenate([rng.permuted(np.tile(y, (step, 1)), axis=1)[:, :size].sum(axis=1) for step in steps])
