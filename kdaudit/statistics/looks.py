"""How sure is a value that is looked at while the answers come in?

Looking often and stopping when it pleases makes a usual interval wrong in up to half of all runs.  Looks that are
planned cost few per cent of width (O'Brien and Fleming 1979); looks at any time cost about half as much again (betting,
Waudby-Smith and Ramdas 2024).
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.active import Design
from kdaudit.statistics.rates import Floats, Span, critical

Plan = Literal["obrien_fleming", "pocock"]
HORIZONS = (100, 300, 1_000, 3_000, 10_000)
"""Numbers of rows that bets are made for; their mixture is near the best bet at each of them."""
BOLDEST = 0.5
"""Share of the capital that one bet may lose at most."""
POINTS = 81
START = 20
"""Rows before which no slope is learnt."""


@cache
def bounds(looks: int, *, level: float = 0.95, plan: Plan = "obrien_fleming") -> tuple[float, ...]:
    """Return the critical value of each of several equally spaced looks, so that all of them hold together.

    Parameters
    ----------
    looks : int
        Looks in all, at least 1.
    level : float
    plan : {"obrien_fleming", "pocock"}
        O'Brien and Fleming (1979) hardly spend before the last look; Pocock (1977) spends evenly.

    Examples
    --------
    >>> [round(z, 2) for z in bounds(5)]
    [4.56, 3.23, 2.63, 2.28, 2.04]
    """
    if looks < 1:
        raise InvalidInput(f"there is at least one look, not {looks}")
    low, high = critical(level), critical(level) + 3.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _crossed(middle, looks, plan) > 1 - level else (low, middle)
    return tuple(high * _shape(k, looks, plan) for k in range(1, looks + 1))


def _shape(k: int, looks: int, plan: Plan) -> float:
    return math.sqrt(looks / k) if plan == "obrien_fleming" else 1.0


def _crossed(constant: float, looks: int, plan: Plan) -> float:
    """Return the probability that a random walk leaves the bounds (Armitage, McPherson and Rowe 1969)."""
    kept = 1.0
    nodes: Floats = np.zeros(1)
    weights: Floats = np.ones(1)
    for k in range(1, looks + 1):
        end = constant * _shape(k, looks, plan) * math.sqrt(k)
        stay = float((weights * (ndtr(end - nodes) - ndtr(-end - nodes))).sum())
        kept = stay
        x, w = _nodes()
        fresh = end * x
        density = np.exp(-0.5 * (fresh[:, None] - nodes[None, :]) ** 2) @ weights / math.sqrt(2 * math.pi)
        nodes, weights = fresh, density * w * end
    return 1.0 - kept


@cache
def _nodes() -> tuple[Floats, Floats]:
    x, w = np.polynomial.legendre.leggauss(POINTS)
    return x, w


def repeated(
    value: float, error: float, n: int, look: int, looks: int, *, level: float = 0.95, plan: Plan = "obrien_fleming"
) -> Interval:
    """Return the interval at one of several planned looks (repeated intervals, Jennison and Turnbull 1989).

    Parameters
    ----------
    value, error : float
        Estimate from the rows so far, and its standard error.
    n : int
        Rows so far.
    look, looks : int
        Which look it is, from 1, and of how many; rows are spread evenly over them.
    level, plan
        As in `bounds`.
    """
    if not 1 <= look <= looks:
        raise InvalidInput(f"look {look} of {looks} was not planned")
    half = bounds(looks, level=level, plan=plan)[look - 1] * error
    return Interval(value, value - half, value + half, n, level, f"look {look} of {looks}, {plan.replace('_', ' ')}")


def level_at(look: int, looks: int, level: float, plan: Plan = "obrien_fleming") -> float:
    """Return the level of an interval at one of several planned looks, so that those of all looks hold together.

    Any interval can be made at it, exact ones too; at the last of five looks one of 95 % is made at 95.9 %.
    """
    if not 1 <= look <= looks:
        raise InvalidInput(f"look {look} of {looks} was not planned")
    return level if looks == 1 else float(2 * ndtr(bounds(looks, level=level, plan=plan)[look - 1]) - 1)


def stages(groups: NDArray[np.int64], design: Design, looks: int, priority: NDArray[np.uint64]) -> tuple[Design, ...]:
    """Return the rows that are asked by each look, every stage inside the next, the last being the design itself.

    Within a group each stage is a simple random choice of the rows chosen, so that a row's chance is that of the design
    times the share of the group's rows that the stage asks.

    Parameters
    ----------
    groups : array of shape (N,)
    design : Design
    looks : int
    priority : array of shape (N,), dtype uint64
        The rows' random numbers; they are mixed, since those of rows chosen are not even any more.
    """
    place, order = groups[design.chosen], _mixed(priority[design.chosen])
    out = []
    for look in range(1, looks):
        kept, chance = np.zeros(len(place), dtype=bool), design.chance.copy()
        for group in np.unique(place):
            at = np.flatnonzero(place == group)
            count = max(1, round(len(at) * look / looks))
            kept[at[np.argsort(order[at], kind="stable")[:count]]] = True
            chance[groups == group] *= count / len(at)
        out.append(Design(design.chosen[kept], chance))
    return (*out, design)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return random numbers that tell nothing of the given ones (the finaliser of SplitMix64, Steele et al. 2014)."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    out: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return out


def log_capital(values: Floats, means: Floats, *, level: float = 0.95, pool: int | None = None) -> Floats:
    """Return the logarithm of the capital of bets against each candidate mean, after each row.

    Were a candidate the truth, its capital would exceed ``1 / (1 - level)`` at any time with probability ``1 - level``
    at most.

    Parameters
    ----------
    values : array of shape (n,)
        In [0, 1], in the order in which rows were drawn by chance.
    means : array of shape (G,)
        Candidates in (0, 1).
    level : float
    pool : int, optional
        Rows from which these are drawn without replacement.

    Returns
    -------
    array of shape (n, G)
        Infinite where a candidate is impossible.
    """
    n = len(values)
    t = np.arange(1, n + 1)
    total = np.cumsum(values)
    middle = (0.5 + total) / (t + 1)
    spread = (0.25 + np.cumsum((values - middle) ** 2)) / (t + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    left = np.broadcast_to(means, (n, len(means)))
    impossible = np.zeros((n, len(means)), dtype=bool)
    if pool is not None:
        past = np.concatenate([[0.0], total[:-1]])
        left = (pool * means[None, :] - past[:, None]) / (pool - t + 1)[:, None]
        impossible = (left < 0) | (left > 1)
        left = np.clip(left, 1e-9, 1 - 1e-9)
    away = values[:, None] - left
    mixed = np.full((n, len(means)), -np.inf)
    for horizon in HORIZONS:
        bet = np.sqrt(2 * math.log(2 / (1 - level)) / (before * horizon))[:, None]
        for stake in (np.minimum(bet, BOLDEST / left), -np.minimum(bet, BOLDEST / (1 - left))):
            mixed = np.logaddexp(mixed, np.cumsum(np.log1p(stake * away), axis=0))
    mixed -= math.log(2 * len(HORIZONS))
    out: Floats = np.where(np.maximum.accumulate(impossible, axis=0), np.inf, mixed)
    return out


def betting(
    values: ArrayLike, *, level: float = 0.95, pool: int | None = None, span: Span = (0.0, 1.0), points: int = 1_001
) -> tuple[Floats, Floats]:
    """Return an interval of the mean after each row, all of which hold together (hedged capital).

    Parameters
    ----------
    values : array of shape (n,)
        In the order in which rows were drawn by chance.
    level : float
    pool : int, optional
        Rows from which these are drawn without replacement.
    span : (float, float)
        Smallest and largest value of a row.
    points : int
        Candidates between the ends.

    Returns
    -------
    (array of shape (n,), array of shape (n,))
        Lower and upper ends, each as wide as one step of the candidates more than need be.
    """
    low, high = span
    x = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    if np.isnan(x).any() or (x < 0).any() or (x > 1).any():
        raise InvalidInput(f"betting needs values from {low:g} to {high:g} in every row")
    grid = np.linspace(0, 1, points + 2)[1:-1]
    out = log_capital(x, grid, level=level, pool=pool) >= math.log(1 / (1 - level))
    alive = ~np.maximum.accumulate(out, axis=0)
    any_, step = alive.any(axis=1), float(grid[1] - grid[0])
    first, last = alive.argmax(axis=1), len(grid) - 1 - alive[:, ::-1].argmax(axis=1)
    bottom = np.where(any_, np.maximum(grid[first] - step, 0.0), np.nan)
    top = np.where(any_, np.minimum(grid[last] + step, 1.0), np.nan)
    return low + (high - low) * bottom, low + (high - low) * top


def paired_stream(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], means: tuple[float, float]
) -> tuple[Floats, Span]:
    """Return the stream of a gap with a proxy's help, to bet on: one row of each group at a time.

    Parameters
    ----------
    first, second : (array of shape (n,), array of shape (n,))
        Teacher's and proxy's values, in [0, 1], of rows drawn by chance from either group.
    means : (float, float)
        The proxy's means over the pools of both groups.

    Returns
    -------
    (array of shape (n,), (float, float))
        Values whose mean is the gap, and their span; the slope of each row was learnt on earlier rows alone.
    """
    gap = first[0] - second[0]
    help_ = (first[1] - means[0]) - (second[1] - means[1])
    shared, square = np.cumsum(gap * help_), np.cumsum(help_**2)
    slope = np.zeros(len(gap))
    if len(gap) > START:
        slope[START:] = np.clip(shared[START - 1 : -1] / np.maximum(square[START - 1 : -1], 1e-9), 0.0, 1.0)
    return np.clip(gap - slope * help_, -2.0, 2.0), (-2.0, 2.0)


def bet_on(
    first: tuple[Floats, Floats],
    second: tuple[Floats, Floats] | None,
    means: tuple[float, float],
    *,
    level: float = 0.95,
    span: Span = (0.0, 1.0),
) -> Interval:
    """Return the interval of a mean, or of a gap of two, after the last of its rows; it held after every row before.

    Parameters
    ----------
    first, second : (array of shape (n,), array of shape (n,))
        Teacher's and proxy's values of rows drawn by chance, with replacement, from a group, and from the other.
    means : (float, float)
        The proxy's means over the pools of both.
    level : float
    span : (float, float)
        Smallest and largest value of a row.
    """
    low, high = span
    wide = high - low

    def unit(x: Floats | float) -> Floats:
        return np.clip((np.asarray(x, dtype=np.float64) - low) / wide, 0.0, 1.0)

    n = len(first[0])
    if n == 0:
        return unknown("no rows", 0, level)
    nothing = np.zeros(n)
    one = (unit(first[0]), unit(first[1]))
    other = (nothing, nothing) if second is None else (unit(second[0]), unit(second[1]))
    centre = (float(unit(means[0])), 0.0 if second is None else float(unit(means[1])))
    stream, (least, most) = paired_stream(one, other, centre)
    bottom, top = _last((stream - least) / (most - least), level)
    shift, scale = low if second is None else 0.0, wide * (most - least)
    value = shift + wide * float(stream.mean())
    a, b = (shift + wide * least + scale * end for end in (bottom, top))
    count = n if second is None else 2 * n
    if not math.isfinite(a + b):
        return unknown("no value is left that the bets have not ruled out", count, level)
    return Interval(min(max(value, a), b), a, b, count, level, "betting, at any time")


def _last(x: Floats, level: float, points: int = 61) -> tuple[float, float]:
    """Return the ends after the last row, by a coarse grid and a fine one around either end; NaN where none is left."""

    def alive(grid: Floats) -> NDArray[np.bool_]:
        out: NDArray[np.bool_] = log_capital(x, grid, level=level).max(axis=0) < math.log(1 / (1 - level))
        return out

    grid = np.linspace(0, 1, points + 2)[1:-1]
    near = float(np.clip(x.mean(), 1e-6, 1 - 1e-6))
    grid = np.sort(np.append(grid, near))
    kept = np.flatnonzero(alive(grid))
    if not len(kept):
        return math.nan, math.nan
    below, above = (0.0, grid[0]), (grid[-1], 1.0)
    if kept[0] > 0:
        below = (grid[kept[0] - 1], grid[kept[0]])
    if kept[-1] < len(grid) - 1:
        above = (grid[kept[-1]], grid[kept[-1] + 1])
    left, right = (np.linspace(a, b, points)[1:-1] for a, b in (below, above))
    low, high = left[alive(left)], right[alive(right)]
    # the candidate beyond the last that is alive
    step = (left[1] - left[0], right[1] - right[0])
    return (
        float(max(low[0] - step[0], 0.0) if len(low) else below[1]),
        float(min(high[-1] + step[1], 1.0) if len(high) else above[0]),
    )
