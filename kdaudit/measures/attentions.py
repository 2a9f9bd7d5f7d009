"""How alike two models attend: maps of heads, matched heads, and what flows from the inputs to the output.

A map is of shape (heads, tokens, tokens): each row, of the token that asks, sums to one over the tokens that are asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from kdaudit.errors import InvalidInput

Floats = NDArray[np.float64]
Matching = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Heads of the one, and the head of the other that each is matched with."""
CAPACITY = 2**28
"""Whole numbers of flow that stand for one: flows are right to about a part in ten million."""


def jensen_shannon(p: Floats, q: Floats) -> Floats:
    """Return the divergence over the last axis in bits, in [0, 1] (Lin 1991)."""
    m = (p + q) / 2
    out: Floats = (_relative(p, m) + _relative(q, m)) / 2
    return np.clip(out, 0.0, 1.0)


def hellinger(p: Floats, q: Floats) -> Floats:
    """Return ``sqrt(1 - sum sqrt(p q))`` over the last axis, in [0, 1]."""
    out: Floats = np.sqrt(np.clip(1.0 - np.sqrt(p * q).sum(axis=-1), 0.0, 1.0))
    return out


def entropy(p: Floats) -> Floats:
    """Return the entropy over the last axis in bits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        out: Floats = -np.where(p > 0, p * np.log2(p), 0.0).sum(axis=-1)
    return out + 0.0


def _relative(p: Floats, m: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        out: Floats = np.where(p > 0, p * np.log2(p / m), 0.0).sum(axis=-1)
    return out


def cut(maps: Floats, tokens: NDArray[np.int64]) -> Floats:
    """Return a map among some tokens only, rows summing to one again: (heads, T, T) -> (heads, k, k).

    Padding is left out so, and special tokens where they are not to count: they take half of all attention.
    """
    part = maps[:, tokens][:, :, tokens]
    total = part.sum(axis=2, keepdims=True)
    # a token that looks at none of these looks at all alike
    out: Floats = np.where(total > 0, part / np.where(total > 0, total, 1.0), 1.0 / len(tokens))
    return out


def head_divergence(a: Floats, b: Floats, *, by: str = "jensen_shannon") -> Floats:
    """Return the divergence of each head of one text from each of another, mean over asking tokens: (h, h').

    Parameters
    ----------
    a, b : array of shape (h, k, k), (h', k, k)
    by : {"jensen_shannon", "hellinger"}
    """
    if a.shape[1:] != b.shape[1:]:
        raise InvalidInput(f"maps of {a.shape[1:]} and {b.shape[1:]} tokens; align the tokens first")
    function = hellinger if by == "hellinger" else jensen_shannon
    return np.stack([function(a[i][None], b).mean(axis=1) for i in range(len(a))])


def matched(divergence: Floats) -> Matching:
    """Return the assignment of heads with the smallest sum of divergences; the fewer heads are all matched.

    Match on some texts and score on others: on the same texts the best of many pairs looks better than it is.
    (Kuhn 1955, on the mean over texts.)
    """
    rows, columns = linear_sum_assignment(divergence)
    return rows.astype(np.int64), columns.astype(np.int64)


def rollout(layers: Sequence[Floats]) -> Floats:
    """Return how much of each input reaches each token of the last layer, shape (k, k), rows summing to one.

    ``R_l = (A_l + I) / 2 R_{l-1}``, A the mean over heads (Abnar and Zuidema 2020).

    Parameters
    ----------
    layers : sequence of array of shape (heads, k, k)
        From the input upwards.
    """
    out = np.eye(layers[0].shape[-1])
    for maps in layers:
        out = _mixed(maps) @ out
    return out


def flow(layers: Sequence[Floats], token: int | None = None) -> Floats:
    """Return the greatest flow from the last layer to each input, as shares of their sum, shape (k,).

    Capacities are the matrices of `rollout`; one problem of maximum flow an input (Abnar and Zuidema 2020).

    Parameters
    ----------
    layers : sequence of array of shape (heads, k, k)
    token : int, optional
        Position of the token that the output is read from; None: all of them count alike.
    """
    k, depth = layers[0].shape[-1], len(layers)
    source = k * (depth + 1) if token is None else depth * k + token
    capacity = np.zeros((k * (depth + 1) + 1, k * (depth + 1) + 1), dtype=np.int32)
    if token is None:
        capacity[source, depth * k : source] = CAPACITY // k
    for level, maps in enumerate(layers, 1):
        above, below = slice(level * k, (level + 1) * k), slice((level - 1) * k, level * k)
        capacity[above, below] = np.round(_mixed(maps) * CAPACITY).astype(np.int32)
    graph = csr_array(capacity)
    flows = np.array([maximum_flow(graph, source, i).flow_value for i in range(k)], dtype=np.float64)
    out: Floats = flows / flows.sum()
    return out


def _mixed(maps: Floats) -> Floats:
    mixed = (maps.mean(axis=0) + np.eye(maps.shape[-1])) / 2
    out: Floats = mixed / mixed.sum(axis=1, keepdims=True)
    return out


def top_tokens(weights: Floats, k: int) -> NDArray[np.int64]:
    """Return the `k` tokens with the largest weight, the largest first; ties by their order."""
    out: NDArray[np.int64] = np.argsort(-weights, kind="stable")[:k]
    return out
