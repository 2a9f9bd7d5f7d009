"""Whether two attributions of one row agree in sign, rank and weight: what a rank correlation alone does not tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.measures.ranks import Likeness, Values, top_overlap

K = 3
"""Units that count as the main reasons."""


def kendall(a: Values, b: Values) -> Values:
    """Return Kendall's tau-b of each row of `a` with that of `b`: (n, units), (n, units) -> (n,).

    NaN where either row is constant.  (Kendall 1945.)
    """
    first, second = np.triu_indices(a.shape[1], 1)
    x, y = (np.sign(v[:, first] - v[:, second]) for v in (a, b))
    pairs = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Values = np.where(pairs > 0, (x * y).sum(axis=1) / pairs, np.nan)
    return out


def rank_agreement(a: Values, b: Values, *, k: int = K) -> Values:
    """Return the share of the `k` largest units that have the same rank in both, shape (n,); see `top_overlap`."""
    first, second = _tops(a, b, k)
    return _known(a, b, (first == second).mean(axis=1))


def sign_agreement(a: Values, b: Values, *, k: int = K) -> Values:
    """Return the share of the `k` largest units that both have with the same sign, shape (n,)."""
    first, second = _tops(a, b, k)
    alike = np.take_along_axis(np.sign(a) == np.sign(b), first, axis=1)
    both = (first[:, :, None] == second[:, None, :]).any(axis=2)
    return _known(a, b, (alike & both).mean(axis=1))


def signed_rank_agreement(a: Values, b: Values, *, k: int = K) -> Values:
    """Return the share of the `k` largest units that have the same rank and the same sign in both, shape (n,)."""
    first, second = _tops(a, b, k)
    alike = np.take_along_axis(np.sign(a) == np.sign(b), first, axis=1)
    return _known(a, b, (alike & (first == second)).mean(axis=1))


def weight_overlap(a: Values, b: Values) -> Values:
    """Return 1 minus the Jensen-Shannon divergence, in bits, of the rows' shares of importance, shape (n,).

    A unit's share is its absolute value over the sum of all; NaN where either row is zero.  (Lin 1991.)
    """
    p, q = (_shares(v) for v in (a, b))
    middle = (p + q) / 2
    out: Values = 1 - (_entropy(middle) - (_entropy(p) + _entropy(q)) / 2)
    return np.clip(out, 0.0, 1.0)


def _shares(values: Values) -> Values:
    size = np.abs(values)
    total = size.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Values = np.where(total > 0, size / total, np.nan)
    return out


def _entropy(shares: Values) -> Values:
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = np.where(shares == 0, 0.0, -shares * np.log2(shares))
    out: Values = terms.sum(axis=1)
    return out


def _tops(a: Values, b: Values, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    k = min(k, a.shape[1])
    first, second = (np.argsort(-np.abs(x), axis=1, kind="stable")[:, :k] for x in (a, b))
    return first, second


def _known(a: Values, b: Values, values: Values) -> Values:
    # where nothing contributes nothing ranks: the same rows are undecided as for the overlap
    out: Values = np.where(np.isnan(top_overlap(a, b, k=1)), np.nan, values)
    return out


FURTHER = (
    Likeness(
        "kendall",
        kendall,
        (-1.0, 1.0),
        "share of pairs of fields ordered alike minus that of pairs ordered the other way (tau-b), row by row",
        "Kendall 1945",
        "Order of reasons (pairs)",
    ),
    Likeness(
        "top3_rank_agreement",
        rank_agreement,
        (0.0, 1.0),
        "share of the three largest fields that stand at the same rank in both, row by row",
        "Krishna et al. 2022 (rank agreement)",
        "Same three main reasons in the same order",
    ),
    Likeness(
        "top3_sign_agreement",
        sign_agreement,
        (0.0, 1.0),
        "share of the three largest fields that both have with the same sign, row by row",
        "Krishna et al. 2022 (sign agreement)",
        "Same three main reasons, pulling the same way",
    ),
    Likeness(
        "top3_signed_rank_agreement",
        signed_rank_agreement,
        (0.0, 1.0),
        "share of the three largest fields at the same rank with the same sign, row by row",
        "Krishna et al. 2022 (signed rank agreement)",
        "Same three main reasons in order, pulling the same way",
    ),
    Likeness(
        "weight_overlap",
        weight_overlap,
        (0.0, 1.0),
        "1 minus the Jensen-Shannon divergence of the fields' shares of absolute weight, row by row; it flatters, "
        "since it does not see signs",
        "Lin 1991",
        "Same weight on the same fields",
    ),
)
"""Measures of likeness beside those of `kdaudit.measures.ranks`."""
