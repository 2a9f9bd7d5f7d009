"""Attributions from gradients along the straight path from a baseline to the row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kdaudit.explain.attributions import Attributions
from kdaudit.units import Units

Gradients = Callable[[NDArray[np.float32], int], tuple[NDArray[np.floating], NDArray[np.floating]]]
"""``gradients(encoded (m, d), output) -> values (m,), gradients (m, d)`` of one subject's centred logit."""

LARGEST_CHUNK = 4_096
"""Encoded rows asked for gradients at once: memory does not grow with nodes or rows."""


def path_gradients(
    gradients: Gradients,
    encoded: NDArray[np.float32],
    baseline: NDArray[np.float32],
    *,
    output: NDArray[np.int64],
    units: Units,
    nodes: int = 16,
) -> Attributions:
    """Return integrated gradients, summed over each unit's columns.

    ``(x - b) * sum_k w_k gradient(b + a_k (x - b))`` with Gauss-Legendre nodes (Sundararajan et al. 2017).  The rule
    is worked off with `nodes` and with twice as many: the second gives the values, the difference their error.

    Parameters
    ----------
    gradients : callable
        See `Gradients`; must give the same bits to a row whatever its company.
    encoded : array of shape (n, d)
    baseline : array of shape (d,)
    output : array of shape (n,)
        Which output is explained in each row.
    units : Units
    nodes : int
        At least 1.  On smooth networks 12 suffice for 1e-7; with kinks the error falls as 1 / nodes.
    """
    n, d = encoded.shape
    fine, coarse = np.empty((n, d)), np.empty((n, d))
    reach = np.empty(n)
    for which in np.unique(output):
        rows = np.flatnonzero(output == which)
        step = max(1, LARGEST_CHUNK // (3 * nodes + 1))
        for start in range(0, len(rows), step):
            at = rows[start : start + step]
            coarse[at], fine[at], reach[at] = _chunk(gradients, encoded[at], baseline, int(which), nodes)
    values = units.gather(fine)
    return Attributions(
        units.names,
        values,
        np.abs(values - units.gather(coarse)),
        np.abs(values.sum(axis=1) - reach),
        reach,
        method=f"integrated gradients, Gauss-Legendre with {2 * nodes} nodes",
        baseline="mean of the background rows, encoded",
        scale="logit, centred over outputs",
    )


def _chunk(
    gradients: Gradients, rows: NDArray[np.float32], baseline: NDArray[np.float32], output: int, nodes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    m, d = rows.shape
    (few, few_weights), (many, many_weights) = _rule(nodes), _rule(2 * nodes)
    places = np.concatenate([few, many, [1.0]])
    step = rows.astype(np.float64) - baseline
    path = (baseline + places[None, :, None] * step[:, None, :]).reshape(-1, d).astype(np.float32)
    value, slope = gradients(np.concatenate([path, baseline[None].astype(np.float32)]), output)
    slopes = np.asarray(slope[:-1], dtype=np.float64).reshape(m, len(places), d)
    ends = np.asarray(value[:-1], dtype=np.float64).reshape(m, len(places))[:, -1]
    # sums over nodes in numpy, in a fixed order: the same bits on each run
    coarse = step * (few_weights[None, :, None] * slopes[:, :nodes]).sum(axis=1)
    fine = step * (many_weights[None, :, None] * slopes[:, nodes:-1]).sum(axis=1)
    return coarse, fine, ends - float(value[-1])


def _rule(nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places, weights = np.polynomial.legendre.leggauss(nodes)
    return (places + 1) / 2, weights / 2
