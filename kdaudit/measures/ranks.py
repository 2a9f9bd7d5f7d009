"""Whether two attributions of one row give the same reasons in the same order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Values = NDArray[np.float64]


def spearman(a: Values, b: Values) -> Values:
    """Return the rank correlation of each row of `a` with that of `b`: (n, units), (n, units) -> (n,).

    Signed values are ranked, ties by their mean rank; NaN where either row is constant.  (Spearman 1904.  Ranks of
    absolute values are not used: an untrained network scores .75 on them.)
    """
    return _cosine_of(_centred(rankdata(a, axis=1)), _centred(rankdata(b, axis=1)))


def cosine(a: Values, b: Values) -> Values:
    """Return the cosine of each row of `a` with that of `b`, shape (n,); NaN where either row is zero."""
    return _cosine_of(a, b)


def top_overlap(a: Values, b: Values, *, k: int = 3) -> Values:
    """Return which share of the `k` units with the largest absolute value both rows have, shape (n,).

    Ties are broken by the order of the units, on both sides alike; NaN where either row is zero.  With fewer than `k`
    units all are taken.  (Feature agreement of Krishna et al. 2022; by chance k / units.)
    """
    k = min(k, a.shape[1])
    first, second = (np.argsort(-np.abs(x), axis=1, kind="stable")[:, :k] for x in (a, b))
    shared = (first[:, :, None] == second[:, None, :]).any(axis=2).sum(axis=1) / k
    empty = (a == 0).all(axis=1) | (b == 0).all(axis=1)
    out: Values = np.where(empty, np.nan, shared)
    return out


def among(function: Callable[[Values, Values], Values], counts: NDArray[np.int64] | None) -> Callable[..., Values]:
    """Return how alike the teacher's shares and another's are, among the first units of each row, as many as it has.

    Words that a text lacks are none.  To whom nothing counts in a row in which something counts for the teacher has no
    reason in common with it: 0.  Rules that test few words often say so, and to leave such rows out would flatter them.

    Parameters
    ----------
    function : callable
        ``function(a, b)``: (n, units), (n, units) -> (n,).
    counts : array of shape (n,), or None
        None: every row has all units.
    """

    def heard(a: Values, b: Values) -> Values:
        out = function(a, b)
        silent = np.flatnonzero(np.isnan(out) & (b == 0).all(axis=1))
        if len(silent):
            out = out.copy()
            out[silent] = np.where(np.isnan(function(a[silent], a[silent])), np.nan, 0.0)
        return out

    def measured(a: Values, b: Values) -> Values:
        if counts is None:
            return heard(a, b)
        out = np.full(len(a), np.nan)
        for count in np.unique(counts[counts > 0]):
            rows = np.flatnonzero(counts == count)
            out[rows] = heard(a[rows, :count], b[rows, :count])
        return out

    return measured


def _centred(ranks: Values) -> Values:
    out: Values = ranks - ranks.mean(axis=1, keepdims=True)
    return out


def _cosine_of(a: Values, b: Values) -> Values:
    length = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Values = np.where(length > 0, (a * b).sum(axis=1) / length, np.nan)
    return np.clip(out, -1.0, 1.0)


@dataclass(frozen=True)
class Likeness:
    """A measure of two attributions.

    Parameters
    ----------
    name : str
        The field's standard term.
    function : callable
        ``function(a, b)``: (n, units), (n, units) -> (n,).
    span : (float, float)
    definition, source, title : str
        As of `kdaudit.measure.Measure`.
    """

    name: str
    function: Callable[[Values, Values], Values]
    span: tuple[float, float]
    definition: str
    source: str
    title: str


LIKENESS = (
    Likeness(
        "spearman",
        spearman,
        (-1.0, 1.0),
        "rank correlation of the signed shares of fields or words, row by row; 0 where the proxy's are all 0",
        "Spearman 1904",
        "Order of reasons (rank correlation)",
    ),
    Likeness(
        "cosine",
        cosine,
        (-1.0, 1.0),
        "cosine of the signed shares of fields or words, row by row; 0 where the proxy's are all 0",
        "cosine similarity",
        "Direction of reasons (cosine)",
    ),
    Likeness(
        "top3_overlap",
        top_overlap,
        (0.0, 1.0),
        "share of the three largest fields or words that both have, row by row; 0 where the proxy's are all 0",
        "Krishna et al. 2022 (feature agreement)",
        "Same three main reasons",
    ),
)
