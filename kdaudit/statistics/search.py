"""In which subgroup is a value highest, and could chance have made it so?

All conjunctions of up to two conditions are looked at; the best of many looks good by chance alone, so its p-value is
that of the best of as many when the values are exchanged between rows (Westfall and Young 1993, maximum of z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.statistics.rates import Floats

Matrix = NDArray[np.float32]
ROUNDING = 1e-6


@dataclass(frozen=True)
class Slice:
    """A subgroup of rows that a search found.

    Parameters
    ----------
    conditions : tuple of int
        Positions of its one or two conditions.
    n : int
    inside, outside : float
        Mean of the value among its rows and among all others.
    z : float
    p : float
        Share of exchanges by chance whose best subgroup is as good as this one, which counts as one of them; in (0, 1].
        Where there is nothing every rank among them is equally likely, so that of all searches at most the share `a`
        have a best subgroup with ``p <= a``, whatever the rates: with 199 exchanges 4.5 % have one below .05.
    """

    conditions: tuple[int, ...]
    n: int
    inside: float
    outside: float
    z: float
    p: float


@dataclass(frozen=True)
class Limits:
    """How far a search goes.

    Parameters
    ----------
    least : int
        Rows that a subgroup has at least, and leaves outside.
    depth : {1, 2}
        Conditions that are joined at most.
    most : int
        Subgroups to return; one that holds the same rows as a better one is passed over.
    draws : int
        Exchanges by chance.
    """

    least: int = 50
    depth: int = 2
    most: int = 3
    draws: int = 199


def search(
    masks: NDArray[np.bool_],
    fields: Sequence[int],
    values: Floats,
    rng: np.random.Generator,
    limits: Limits,
) -> tuple[tuple[Slice, ...], int]:
    """Return the subgroups with the highest mean, best first, and how many were looked at.

    Parameters
    ----------
    masks : array of shape (conditions, n)
        Which rows fulfil each condition.
    fields : sequence of int
        What each condition is about: two about one field are not joined.
    values : array of shape (n,)
        Rows with NaN are left out.
    rng : Generator
    limits : Limits
    """
    least, depth = limits.least, limits.depth
    if masks.ndim != 2 or masks.shape[1] != len(values) or len(fields) != len(masks) or depth not in (1, 2):
        raise InvalidInput("a search needs one mask and one field a condition, one value a row, and depth 1 or 2")
    rows = ~np.isnan(values)
    m, v = masks[:, rows].astype(np.float32), values[rows].astype(np.float32)
    count, allowed = _pairs(m, np.asarray(fields), least, depth)
    tried = int(allowed.sum())
    if not tried or np.ptp(v) == 0:
        return (), tried
    z = _scores(m, v, count, allowed)
    best = np.array([_scores(m, rng.permutation(v), count, allowed).max() for _ in range(limits.draws)])
    out: list[Slice] = []
    seen: list[NDArray[np.bool_]] = []
    for at in np.argsort(-z, axis=None, kind="stable"):
        if len(out) == limits.most or not np.isfinite(z.flat[at]):
            break
        pair = tuple(dict.fromkeys(int(i) for i in np.unravel_index(at, z.shape)))
        inside = np.asarray(masks[list(pair)][:, rows].all(axis=0))
        if any((inside == other).all() for other in seen):
            continue
        seen.append(inside)
        # scores that differ by rounding alone are equal
        p = (1 + int((best >= z.flat[at] - ROUNDING).sum())) / (1 + limits.draws)
        found = Slice(pair, int(inside.sum()), float(v[inside].mean()), float(v[~inside].mean()), float(z.flat[at]), p)
        out.append(found)
    return tuple(out), tried


def _pairs(m: Matrix, fields: NDArray[np.int64], least: int, depth: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return rows of each pair of conditions (the diagonal: of each condition), and which are looked at."""
    count = (m @ m.T).astype(np.float64)
    n = m.shape[1]
    allowed = (count >= least) & (count <= n - least)
    single = np.eye(len(m), dtype=bool)
    joined = np.triu(fields[:, None] != fields[None, :], 1) if depth == 2 else np.zeros_like(single)
    return count, allowed & (single | joined)


def _scores(m: Matrix, v: Matrix, count: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Return z of each subgroup's mean against all other rows; minus infinity where it is not looked at."""
    # rows without a value add nothing, and are most where what is looked for is rare
    some = np.flatnonzero(v)
    part = m if len(some) > len(v) / 2 else m[:, some]
    weight = v if part is m else v[some]
    inside = ((part * weight) @ part.T).astype(np.float64)
    n, total = len(v), float(v.sum(dtype=np.float64))
    spread = float(v.var(dtype=np.float64))
    k, s = count[allowed], inside[allowed]
    out = np.full(count.shape, -np.inf)
    out[allowed] = (s / k - (total - s) / (n - k)) / np.sqrt(spread * (1 / k + 1 / (n - k)))
    return out
