"""Attributions from gradients along paths: integrated gradients and gradient SHAP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.explain.passes import Passes, chunk_of, gathered

Floats = NDArray[np.float64]
TOLERANCE = 0.01
"""Largest gap, as a share of the sum of absolute values, at which a row's path is taken as done."""


@dataclass(frozen=True, eq=False)
class Shares:
    """What each unit contributes, as arrays.

    Parameters
    ----------
    values, error : array of shape (n, units)
    gap, reach : array of shape (n,)
    evaluations : int
        Forward and backward passes of the row that took most.
    dof : float
    gap_error : array of shape (n,)
        Standard error of the sum of the values; 0 for a rule without chance.
    """

    values: Floats
    error: Floats
    gap: Floats
    reach: Floats
    evaluations: int
    dof: float
    gap_error: Floats


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is explained.

    Parameters
    ----------
    rows : tensor of shape (n, *shape)
    output : tensor of int64, shape (n,)
        The output explained in each row.
    places : tensor of int64
        Unit of each place, see `kdaudit.explain.passes.gathered`.
    units : int
    """

    rows: torch.Tensor
    output: torch.Tensor
    places: torch.Tensor
    units: int


def integrated(
    passes: Passes,
    inputs: Inputs,
    baseline: torch.Tensor,
    *,
    nodes: int = 16,
    most: int | None = None,
    chunk: int | None = None,
) -> Shares:
    """Return integrated gradients (Sundararajan et al. 2017) by the rule of Clenshaw and Curtis (1960).

    Half of the nodes are those of the rule with half as many: the difference of the two is each value's error, for no
    further pass.  Rows whose gap is more than `TOLERANCE` of the sum of their absolute values are worked off again with
    twice as many nodes, up to `most`.

    Parameters
    ----------
    passes : Passes
    inputs : Inputs
    baseline : tensor of shape (*shape) or (n, *shape)
    nodes : int
        Even; nodes + 1 passes a row.
    most : int, optional
        Nodes up to which they are doubled; `nodes` if not given.
    chunk : int, optional
        Points that go through at once.

    Raises
    ------
    InvalidInput
        If `nodes` is odd or below 2.
    """
    if nodes < 2 or nodes % 2:
        raise InvalidInput(f"the path rule has an even number of nodes, at least 2; {nodes} were given")
    size = chunk or chunk_of(tuple(inputs.rows.shape[1:]))
    n = len(inputs.rows)
    values, error = np.zeros((n, inputs.units)), np.zeros((n, inputs.units))
    reach, gap = np.zeros(n), np.zeros(n)
    open_rows, used = torch.arange(n), nodes
    while len(open_rows):
        for at in _row_blocks(open_rows, size, used + 1):
            rows = inputs.rows[at]
            start = baseline[at] if baseline.ndim == rows.ndim else baseline.expand_as(rows)
            fine, coarse, reached = _path(passes, rows, start, inputs.output[at], (used, size))
            place = at.numpy()
            values[place] = gathered(fine, inputs.places, inputs.units).numpy()
            error[place] = np.abs(values[place] - gathered(coarse, inputs.places, inputs.units).numpy())
            reach[place] = reached.numpy()
        gap = np.abs(values.sum(axis=1) - reach)
        if 2 * used > (most or nodes):
            break
        done = gap <= TOLERANCE * np.abs(values).sum(axis=1)
        open_rows = open_rows[torch.from_numpy(~done[open_rows.numpy()])]
        used = 2 * used if len(open_rows) else used
    return Shares(values, error, gap, reach, used + 1, float("inf"), np.zeros(n))


def _row_blocks(rows: torch.Tensor, chunk: int, points: int) -> tuple[torch.Tensor, ...]:
    each = max(1, chunk // points)
    return tuple(rows[at : at + each] for at in range(0, len(rows), each))


def _path(
    passes: Passes, rows: torch.Tensor, start: torch.Tensor, output: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    nodes, chunk = size
    places, weights = rule(nodes)
    step = rows - start
    k = len(rows)
    total = torch.zeros(2, step.numel(), dtype=torch.float64)
    ends = torch.zeros(2, k, dtype=torch.float64)
    points = torch.from_numpy(places).to(rows.dtype)
    both = torch.from_numpy(weights).to(rows.dtype)
    each = max(1, chunk // k)
    for at in range(0, len(points), each):
        some = points[at : at + each]
        along = torch.addcmul(start[None], some.view(-1, *[1] * rows.ndim), step[None]).flatten(0, 1)
        value, slope = passes.slopes(along, output.repeat(len(some)))
        total += both[:, at : at + each] @ slope.reshape(len(some), -1)
        if at == 0:
            ends[0] = value[:k]
        if at + each >= len(points):
            ends[1] = value[-k:]
    fine, coarse = (total.view(2, *step.shape) * step).unbind()
    return fine, coarse, ends[1] - ends[0]


def rule(nodes: int) -> tuple[Floats, Floats]:
    """Return the nodes on [0, 1], rising, and the weights of the rule and of that with half the nodes: (2, nodes + 1).

    The second rule uses every other node of the first.
    """
    places = (1 - np.cos(np.pi * np.arange(nodes + 1) / nodes)) / 2
    weights = np.zeros((2, nodes + 1))
    weights[0] = _weights(nodes)
    weights[1, ::2] = _weights(nodes // 2)
    return places, weights


def _weights(n: int) -> Floats:
    """Return the weights of Clenshaw and Curtis with n + 1 nodes, summing to one."""
    if n == 1:
        return np.array([0.5, 0.5])
    j = np.arange(1, n // 2 + 1)
    factor = np.where(2 * j == n, 1.0, 2.0) / (4.0 * j**2 - 1.0)
    angles = 2 * np.pi * np.outer(np.arange(n + 1), j) / n
    inner = 1.0 - np.cos(angles) @ factor
    ends = np.where((np.arange(n + 1) % n) == 0, 1.0, 2.0)
    out: Floats = ends * inner / n / 2
    return out


def expected(
    passes: Passes,
    inputs: Inputs,
    background: torch.Tensor,
    *,
    draws: int = 64,
    rng: np.random.Generator,
    chunk: int | None = None,
    gaps: bool = True,
) -> Shares:
    """Return expected gradients, alias gradient SHAP (Erion et al. 2021), with standard errors over draws.

    Each draw is a background row and a place on the way from it; places are stratified.  All rows share the draws.
    What the values must sum to is known exactly, ``f(x)`` minus the mean of f over the rows drawn: `gap` is the
    distance, and is to be read beside `gap_error`.

    Parameters
    ----------
    passes : Passes
    inputs : Inputs
    background : tensor of shape (rows, *shape)
    draws : int
        At least 2: passes a row.
    rng : Generator
        In the same state for subjects that are compared.
    chunk : int, optional
    gaps : bool
        Whether what the values must sum to is worked out, by a pass more for each row and each background row drawn;
        else `gap` and `reach` are NaN.
    """
    if draws < 2:
        raise InvalidInput(f"gradient SHAP needs at least 2 draws for its error; {draws} was given")
    size = chunk or chunk_of(tuple(inputs.rows.shape[1:]))
    places = torch.from_numpy(rng.permutation((np.arange(draws) + rng.random(draws)) / draws)).to(inputs.rows.dtype)
    # every background row as often as any other, as far as the draws allow
    lent = np.concatenate([rng.permutation(len(background)) for _ in range(-(-draws // len(background)))])[:draws]
    n, units = len(inputs.rows), inputs.units
    mean, squares, sums = np.zeros((n, units)), np.zeros((n, units)), np.zeros(n)
    for at in _row_blocks(torch.arange(n), size, draws):
        found = _drawn(passes, inputs, at, (background[torch.from_numpy(lent)], places), size)
        mean[at.numpy()], squares[at.numpy()], sums[at.numpy()] = (part.numpy() for part in found)
    error = np.sqrt(np.maximum(squares, 0.0) / (draws - 1) / draws)
    reach = _reach(passes, inputs, background, lent, size) if gaps else np.full(n, np.nan)
    spread = np.sqrt(np.maximum(sums, 0.0) / (draws - 1) / draws)
    return Shares(mean, error, np.abs(mean.sum(axis=1) - reach), reach, draws, float(draws - 1), spread)


def _reach(passes: Passes, inputs: Inputs, background: torch.Tensor, lent: NDArray[np.int64], size: int) -> Floats:
    """Return each row's number minus the mean of those of the background rows drawn."""
    ends = _in_chunks(passes, inputs.rows, inputs.output, size)
    used, times = np.unique(lent, return_counts=True)
    level = (times / len(lent)) @ _all_outputs(passes, background[torch.from_numpy(used)], size)
    out: Floats = ends - level[inputs.output.numpy()]
    return out


def _drawn(
    passes: Passes, inputs: Inputs, at: torch.Tensor, drawn: tuple[torch.Tensor, torch.Tensor], size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return mean, sum of squared deviations, and that of the sums over units, in one sweep (Chan et al. 1979)."""
    lent, places = drawn
    rows, k, units = inputs.rows[at], len(at), inputs.units
    count, mean = 0, torch.zeros(k, units, dtype=torch.float64)
    squares, sums = torch.zeros_like(mean), torch.zeros(k, dtype=torch.float64)
    each = max(1, size // k)
    for first in range(0, len(places), each):
        start, share = lent[first : first + each], places[first : first + each]
        step = rows[None] - start[:, None]
        along = torch.addcmul(start[:, None], share.view(-1, *[1] * rows.ndim), step).flatten(0, 1)
        _, slope = passes.slopes(along, inputs.output[at].repeat(len(share)))
        parts = gathered(slope.mul_(step.flatten(0, 1)), inputs.places, units).view(len(share), k, units)
        new = parts.mean(dim=0)
        inside, inner = parts - new, parts.sum(dim=2)
        away, more = new.double() - mean, len(share)
        squares += (inside * inside).sum(dim=0) + away**2 * (count * more / (count + more))
        sums += ((inner - inner.mean(dim=0)) ** 2).sum(dim=0) + away.sum(dim=1) ** 2 * (count * more / (count + more))
        mean += away * (more / (count + more))
        count += more
    return mean, squares, sums


def _in_chunks(passes: Passes, rows: torch.Tensor, output: torch.Tensor, size: int) -> Floats:
    parts = [passes.values(rows[at : at + size], output[at : at + size]) for at in range(0, len(rows), size)]
    out: Floats = torch.cat(parts).double().numpy()
    return out


def _all_outputs(passes: Passes, rows: torch.Tensor, size: int) -> Floats:
    with torch.no_grad(), passes.context():
        parts = [passes.forward(rows[at : at + size]) for at in range(0, len(rows), size)]
    out: Floats = torch.cat(parts).double().numpy()
    return out
