"""What happens to a decision when one or two fields move over a grid, all else kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.compare.lines import MADE, Decide, Floats, Labels, possible
from kdaudit.domain import Category, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples

NEVER = -1
"""Steps to a turn that does not come."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Values of one field.

    Parameters
    ----------
    field : str
    values : array of shape (k,)
        Numbers, or positions of levels, rising.
    labels : tuple of str
        The values as people read them.
    ordered : bool
        Whether one value can lie beyond another.
    """

    field: str
    values: Floats
    labels: tuple[str, ...]
    ordered: bool

    def __len__(self) -> int:
        return len(self.values)


def grid_of(samples: Samples, field: str, steps: int) -> Grid:
    """Return `steps` even values of a number between its 2 % and 98 % quantiles, or all levels of a category.

    Raises
    ------
    InvalidInput
        If the field is neither, or has no value in these rows.
    """
    match samples.domain[field]:
        case Category(levels=levels, ordered=ordered):
            return Grid(field, np.arange(len(levels), dtype=np.float64), levels, ordered)
        case Real(integer=whole):
            known = samples.columns[field]
            known = known[~np.isnan(known)]
            if not len(known):
                raise InvalidInput(f"{field} has no value in these rows; a grid needs some")
            low, high = (float(x) for x in np.quantile(known, (0.02, 0.98)))
            values = np.linspace(low, high, steps)
            values = np.unique(np.round(values) if whole else values)
            return Grid(field, values, tuple(f"{x:.4g}" for x in values), ordered=True)
        case other:
            raise InvalidInput(f"{field} is a {other.kind}; a grid needs a number or a category")


def placed(samples: Samples, grids: tuple[Grid, ...]) -> Samples:
    """Return every row at every point of the grids, the last grid running fastest: (n * points,) rows."""
    axes = np.meshgrid(*(grid.values for grid in grids), indexing="ij")
    points = axes[0].size
    at = np.repeat(np.arange(len(samples)), points)
    whole = samples.take(at)
    columns = dict(whole.columns)
    for grid, axis in zip(grids, axes, strict=True):
        values = np.tile(axis.reshape(-1), len(samples))
        columns[grid.field] = values.astype(columns[grid.field].dtype)
    return Samples(samples.domain, columns, whole.ids, MADE)


def decided(decide: Decide, samples: Samples, grids: tuple[Grid, ...]) -> Labels:
    """Return decisions over the grids, shape (n, points); -1 where not answered or against a constraint."""
    rows = placed(samples, grids)
    out = np.full(len(rows), -1, dtype=np.int64)
    inside = np.flatnonzero(possible(rows))
    if len(inside):
        out[inside] = decide(rows.take(inside))
    return out.reshape(len(samples), -1)


def first_turns(own: Labels, said: Labels, grid: Grid, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many steps above and below its own value a row's decision first turns.

    Parameters
    ----------
    own : array of shape (n,)
        Decisions about the rows as they are.
    said : array of shape (n, k)
        Decisions over the grid.
    grid : Grid
        With order.
    values : array of shape (n,)
        The rows' own values of the field.

    Returns
    -------
    array of shape (n, 2)
        Upwards, downwards; `NEVER` where it does not turn.
    """
    turned = (said != own[:, None]) & (said >= 0)
    above = grid.values[None, :] > values[:, None]
    below = grid.values[None, :] < values[:, None]
    up, down = turned & above, (turned & below)[:, ::-1]
    beyond = above.argmax(axis=1)
    under = below[:, ::-1].argmax(axis=1)
    return np.stack(
        [
            np.where(up.any(axis=1), up.argmax(axis=1) - beyond, NEVER),
            np.where(down.any(axis=1), down.argmax(axis=1) - under, NEVER),
        ],
        axis=1,
    )


def same_turns(teacher: tuple[Labels, Labels], other: tuple[Labels, Labels], grid: Grid, values: Floats) -> Floats:
    """Return whether the decision turns along a field at the same place, shape (n,).

    With order: 1 where the first turn upwards and the first turn downwards lie at most one step apart, else 0.
    Without: 1 where the same levels turn it.  NaN where the teacher's decision does not turn.

    Parameters
    ----------
    teacher, other : (array of shape (n,), array of shape (n, k))
        Own decision and decisions over the grid.
    grid : Grid
    values : array of shape (n,)
    """
    turned, theirs = ((said != own[:, None]) & (said >= 0) for own, said in (teacher, other))
    if grid.ordered:
        a, b = (first_turns(own, said, grid, values) for own, said in (teacher, other))
        alike = (((a == NEVER) == (b == NEVER)) & ((a == NEVER) | (np.abs(a - b) <= 1))).all(axis=1)
        moves = (a != NEVER).any(axis=1)
    else:
        alike, moves = (turned == theirs).all(axis=1), turned.any(axis=1)
    out: Floats = np.where(moves & (teacher[0] >= 0), alike.astype(np.float64), np.nan)
    return out


def kappa(a: Labels, b: Labels) -> float:
    """Return the agreement of two labellings beyond chance (Cohen 1960); NaN where both know one class only."""
    classes = np.unique(np.concatenate([a, b]))
    observed = float((a == b).mean())
    chance = float(sum((a == c).mean() * (b == c).mean() for c in classes))
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")
