"""How far rows lie from the boundary along the gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Gradients = Callable[[NDArray[np.float32], int], tuple[NDArray[np.floating], NDArray[np.floating]]]
"""``gradients(points (m, d), output) -> values (m,), gradients (m, d)``: centred logits of one network."""
OVERSHOOT = 0.02
"""By how much of itself each step goes beyond the boundary, so that it is crossed."""


def reaches(
    gradients: Gradients, encoded: NDArray[np.float32], outputs: int, *, rounds: int = 20
) -> NDArray[np.float64]:
    """Return the distance of each row to the nearest point that is decided otherwise, shape (n,).

    Each round goes to the nearest boundary of the network made linear there, until the decision turns; the overshoot
    is taken off again (DeepFool, Moosavi-Dezfooli et al. 2016).  Exact, in one round, for linear networks.

    Parameters
    ----------
    gradients : callable
        See `Gradients`.
    encoded : array of shape (n, d)
    outputs : int
        1 for a yes-or-no score, whose boundary is logit 0.
    rounds : int

    Returns
    -------
    array of shape (n,)
        NaN where the decision did not turn within `rounds` or a gradient is no number.
    """
    start = encoded.astype(np.float64)
    step = np.zeros_like(start)
    values, _ = _all(gradients, encoded, outputs)
    first = values.argmax(axis=1)
    open_, out = np.arange(len(start)), np.full(len(start), np.nan)
    for _ in range(rounds):
        if not len(open_):
            break
        at = start[open_] + (1 + OVERSHOOT) * step[open_]
        values, slopes = _all(gradients, at.astype(np.float32), outputs)
        turned = (values.argmax(axis=1) != first[open_]) & (step[open_] != 0).any(axis=1)
        done = open_[turned]
        out[done] = np.sqrt((step[done] ** 2).sum(axis=1))
        open_, values, slopes = open_[~turned], values[~turned], slopes[~turned]
        move, fine = _nearest(values, slopes, first[open_])
        step[open_] += move
        open_ = open_[fine]
    return out


def _all(
    gradients: Gradients, points: NDArray[np.float32], outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values (n, classes) and slopes (n, classes, d); a yes-or-no score becomes the two classes 0 and logit."""
    given = [gradients(points, output) for output in range(outputs)]
    values = np.stack([np.asarray(v, dtype=np.float64) for v, _ in given], axis=1)
    slopes = np.stack([np.asarray(s, dtype=np.float64) for _, s in given], axis=1)
    if outputs > 1:
        return values, slopes
    return np.concatenate([np.zeros_like(values), values], 1), np.concatenate([np.zeros_like(slopes), slopes], 1)


def _nearest(
    values: NDArray[np.float64], slopes: NDArray[np.float64], own: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the way to the nearest boundary of the linear model, and which rows have one."""
    rows = np.arange(len(values))
    gap = values - values[rows, own][:, None]
    slope = slopes - slopes[rows, own][:, None, :]
    steep = (slope**2).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        far = np.where((steep > 0) & np.isfinite(gap), np.abs(gap) / np.sqrt(steep), np.inf)
    far[rows, own] = np.inf
    best = far.argmin(axis=1)
    fine = np.isfinite(far[rows, best])
    chosen, length = slope[rows, best], steep[rows, best]
    with np.errstate(invalid="ignore", divide="ignore"):
        # a row that lies on the boundary still has to be carried over it
        wide = np.maximum(np.abs(gap[rows, best]), 1e-6)
        move = np.where(fine[:, None], wide[:, None] / length[:, None] * chosen, 0.0)
    return np.nan_to_num(move), fine
