"""Rows with one field changed, and with it what commonly goes along: jobs and hours of people of the other sex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.sampling.columns import Positions
from kdaudit.sampling.neighbours import BLOCK, MOST, placed


def having(samples: Samples, field: str, value: str | float) -> Positions:
    """Return the positions of the rows that have a value, a level given by its name."""
    return np.flatnonzero(samples.columns[field] == samples.setting(field, value).columns[field])


def placed_by(samples: Samples, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return rows as points by some of their fields alone; see `kdaudit.sampling.neighbours.placed`."""
    fields = tuple(samples.domain[name] for name in names)
    return placed(Samples(Domain(fields), {n: samples.columns[n] for n in names}, samples.ids, samples.origin))


def near(points: NDArray[np.float64], rows: Positions, among: Positions, k: int) -> NDArray[np.bool_]:
    """Return which of `among` are the k nearest of each of `rows`, ties too, never a row itself; (rows, among)."""
    there = points[among]
    far = (there**2).sum(axis=1)[None, :] - 2.0 * points[rows] @ there.T
    # rounded, so that ties fall the same everywhere
    far = np.round(far, 9)
    far[rows[:, None] == among[None, :]] = np.inf
    k = min(k, max(len(among) - 1, 1))
    out: NDArray[np.bool_] = (far <= np.partition(far, k - 1, axis=1)[:, k - 1 : k]) & np.isfinite(far)
    return out


def with_companions(
    samples: Samples, field: str, value: str | float, moved: tuple[str, ...], rng: np.random.Generator, *, k: int = 16
) -> Samples:
    """Return the same rows (same ids) with a field set to `value`, and its companions as a like row has them.

    Rows that have the value keep their companions.  Others take them, all from one row, drawn evenly from the k rows
    with that value that are nearest by all other fields (conditional resampling; hot deck, Andridge and Little 2010).

    Parameters
    ----------
    samples : Samples
    field : str
    value : str or float
    moved : tuple of str
        The companions.
    rng : Generator
    k : int

    Raises
    ------
    InvalidInput
        If no row has the value, or a companion is the field itself.
    """
    if field in moved:
        raise InvalidInput(f"{field} is no companion of itself; leave it out of `companions`")
    donors, set_ = having(samples, field, value), samples.setting(field, value)
    if not len(donors):
        raise InvalidInput(f"no row has {field} {value}, so that nobody can lend {', '.join(moved)}")
    # drawn before rows are counted, so that each row's luck is its own
    luck = rng.random(len(samples))
    if len(donors) > MOST:
        donors = np.sort(rng.choice(donors, MOST, replace=False))
    free = tuple(name for name in samples.domain.names if name != field and name not in moved)
    points = placed_by(samples, free)
    others = np.flatnonzero(samples.columns[field] != set_.columns[field])
    lent = np.arange(len(samples))
    for start in range(0, len(others), BLOCK):
        rows = others[start : start + BLOCK]
        alike = near(points, rows, donors, k)
        wanted = np.floor(luck[rows] * alike.sum(axis=1))
        lent[rows] = donors[(np.cumsum(alike, axis=1) > wanted[:, None]).argmax(axis=1)]
    columns = {**set_.columns, **{name: samples.columns[name][lent] for name in moved}}
    return Samples(samples.domain, columns, samples.ids, samples.origin, samples.labels, samples.weights)


def nearest(
    points: NDArray[np.float64], rows: Positions, among: Positions, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the k nearest of `among` for each of `rows`, and how far the last of them lies.

    Parameters
    ----------
    points : array of shape (N, width)
    rows, among : array of int
        Positions; a row is no neighbour of itself, and of ties those come first that stand first in `among`.
    k : int

    Returns
    -------
    (array of shape (rows, at most k), array of shape (rows,))
    """
    among = among[:MOST]
    k = min(k, max(len(among) - 1, 0))
    out, last = np.empty((len(rows), k), dtype=np.int64), np.full(len(rows), np.inf)
    there = points[among]
    norms = (there**2).sum(axis=1)
    for start in range(0, len(rows) if k else 0, BLOCK):
        block = rows[start : start + BLOCK]
        far = norms[None, :] - 2.0 * points[block] @ there.T + (points[block] ** 2).sum(axis=1)[:, None]
        far = np.round(far, 9)
        far[block[:, None] == among[None, :]] = np.inf
        at = np.argsort(far, axis=1, kind="stable")[:, :k]
        out[start : start + BLOCK] = among[at]
        last[start : start + BLOCK] = np.sqrt(np.maximum(np.take_along_axis(far, at[:, -1:], axis=1)[:, 0], 0.0))
    return out, last
