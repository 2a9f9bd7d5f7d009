"""Shapley values of any game, each with its error: exact, by paired regression, or by antithetic permutations.

A game says what each coalition is worth in each row; the coalitions are the same for all rows, so that one
factorisation serves them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.explain.coalitions import Masks, drawn, every, prefixes
from kdaudit.statistics.rates import critical

Floats = NDArray[np.float64]
Game = Callable[[Masks], Floats]
"""``game(masks (k, players)) -> (k, n)``: the worth of each coalition in each row."""
ENOUGH = 16
"""Pairs of permutations from which their standard error covers; with 8 pairs it does in 91 to 97 of 100 cases."""
MOST_PLAYERS = 16
"""Players up to which all coalitions may be gone through."""
BLOCK = 4_096
"""Coalitions asked for at once."""


@dataclass(frozen=True, eq=False)
class Shapley:
    """Shapley values of n rows.

    Parameters
    ----------
    values, error : array of shape (n, players)
        ``error`` is a standard error; 0 where exact, NaN where one pair of permutations gives none.
    reach : array of shape (n,)
        Worth of all minus worth of none, to which the values sum.
    dof : float
        Degrees of freedom of the error.
    evaluations : int
        Coalitions looked at.
    method : str
    """

    values: Floats
    error: Floats
    reach: Floats
    dof: float
    evaluations: int
    method: str

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the ends of Student intervals, shape (n, players) each."""
        half = critical(level, self.dof) * self.error
        return self.values - half, self.values + half


def plan_of(players: int, budget: int) -> tuple[Literal["exact", "kernel", "permutations"], int]:
    """Return what a budget of evaluations a row is best spent on, and how many pairs that is.

    All coalitions where the budget holds them; else the regression where it has at least two pairs a player, below
    which it is worse than nothing; else permutations.

    Raises
    ------
    InvalidInput
        If the budget does not hold one pair of permutations.
    """
    if players < 1:
        raise InvalidInput("Shapley values need at least one unit")
    if players <= MOST_PLAYERS and 2**players <= budget:
        return "exact", 0
    pairs = (budget - 2) // 2
    if pairs >= 2 * players:
        return "kernel", pairs
    orders = (budget - 2) // (2 * (players - 1))
    if orders < 1:
        raise InvalidInput(
            f"{budget} evaluations a row are too few for Shapley values of {players} units; "
            f"at least {2 * players} are needed, and {4 * players + 2} for errors that cover"
        )
    return "permutations", orders


def shapley(game: Game, players: int, *, budget: int, rng: np.random.Generator) -> Shapley:
    """Return Shapley values within a budget; see `plan_of`.

    Parameters
    ----------
    game : callable
        See `Game`.
    players : int
    budget : int
        Evaluations a row.
    rng : Generator
        In the same state for subjects that are compared.
    """
    method, pairs = plan_of(players, budget)
    match method:
        case "exact":
            return exact(game, players)
        case "kernel":
            return kernel(game, players, pairs, rng)
        case _:
            return permutations(game, players, pairs, rng)


def exact(game: Game, players: int) -> Shapley:
    """Return the values from all 2**players coalitions (Shapley 1953)."""
    if players > MOST_PLAYERS:
        raise InvalidInput(
            f"{players} units have {2**players:,} coalitions; at most {MOST_PLAYERS} units are gone through"
        )
    masks = every(players)
    worth = _asked(game, masks)
    size = masks.sum(axis=1)
    counts = [math.factorial(s) * math.factorial(players - s - 1) / math.factorial(players) for s in range(players)]
    table = np.array([*counts, 0.0])
    # a coalition with the player counts by its size without him, one without by its size and a minus sign
    weight = np.where(masks, table[size - 1][:, None], -table[size][:, None])
    values: Floats = worth.T @ weight
    method = f"exact: all {len(masks):,} coalitions"
    return Shapley(values, np.zeros_like(values), worth[-1] - worth[0], math.inf, len(masks), method)


def kernel(game: Game, players: int, pairs: int, rng: np.random.Generator) -> Shapley:
    """Return the values by weighted least squares over pairs of complements.

    (Lundberg and Lee 2017; Covert and Lee 2021.)  Complements cancel all even interactions: the half-difference of a
    pair is regressed on its marks minus one half, under the constraint that the values sum to what they must.
    The errors are HC3 sandwiches (MacKinnon and White 1985) with the pair as the unit.

    Raises
    ------
    InvalidInput
        With fewer than two pairs a player: permutations are better there.
    """
    if players < 2:
        return exact(game, players)
    if pairs < 2 * players:
        raise InvalidInput(
            f"{pairs} pairs of coalitions for {players} units; the regression needs {2 * players}, take permutations"
        )
    masks, weight = drawn(players, pairs, rng)
    ends = game(np.array([[False] * players, [True] * players]))
    odd = (_asked(game, masks) - _asked(game, ~masks)) / 2
    reach = ends[1] - ends[0]
    marks = masks - 0.5
    plane = _plane(players)
    design = marks @ plane
    inverse = np.linalg.inv((design * weight[:, None]).T @ design)
    bread = plane @ inverse @ plane.T
    left = odd - np.outer(marks.sum(axis=1) / players, reach)
    solve = bread @ (marks * weight[:, None]).T
    values = (solve @ left).T + reach[:, None] / players
    leverage = weight * np.einsum("ij,jk,ik->i", marks, bread, marks)
    rest = (odd - marks @ values.T) / np.maximum(1.0 - leverage, 0.05)[:, None]
    error = np.sqrt(((solve**2) @ rest**2).T)
    return Shapley(
        values,
        error,
        reach,
        float(max(pairs - players + 1, 1)),
        2 * pairs + 2,
        f"kernel regression over {pairs:,} pairs of coalitions, HC3 errors",
    )


def _plane(players: int) -> Floats:
    """Return an orthonormal basis of the vectors that sum to zero (Helmert), shape (players, players - 1)."""
    out = np.zeros((players, players - 1))
    for k in range(1, players):
        out[:k, k - 1], out[k, k - 1] = 1.0, -float(k)
        out[:, k - 1] /= math.sqrt(k * (k + 1))
    return out


def permutations(game: Game, players: int, pairs: int, rng: np.random.Generator) -> Shapley:
    """Return the values by orders and their reverses (Castro et al. 2009; Mitchell et al. 2022).

    The unit of the error is the pair, since an order and its reverse depend on each other.
    """
    if players < 2:
        return exact(game, players)
    ends = game(np.array([[False] * players, [True] * players]))
    reach = ends[1] - ends[0]
    mean, squares = np.zeros((players, len(reach))), np.zeros((players, len(reach)))
    for done in range(1, pairs + 1):
        order = rng.permutation(players)
        both = np.zeros_like(mean)
        worth = game(np.concatenate([prefixes(order), prefixes(order[::-1])]))
        for way, part in ((order, worth[: players - 1]), (order[::-1], worth[players - 1 :])):
            both[way] += np.diff(np.concatenate([ends[:1], part, ends[1:]]), axis=0) / 2
        away = both - mean
        mean += away / done
        squares += away * (both - mean)
    error = np.sqrt(squares / (pairs - 1) / pairs) if pairs > 1 else np.full_like(mean, np.nan)
    rough = "" if pairs >= ENOUGH else f"; fewer than {ENOUGH}, so the errors are rough"
    return Shapley(
        mean.T,
        error.T,
        reach,
        float(max(pairs - 1, 1)),
        2 * pairs * (players - 1) + 2,
        f"{pairs:,} pairs of an order and its reverse{rough}",
    )


def interactions(
    game: Game, players: int, *, draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Shapley interaction indices of all pairs with standard errors: (n, players, players) each.

    The mean of ``v(S+i+j) - v(S+i) - v(S+j) + v(S)`` over coalitions S of the others, their sizes evenly spread
    (Grabisch and Roubens 1999).

    Parameters
    ----------
    game : callable
    players : int
        At least 2.
    draws : int
        Coalitions a pair, at least 2: four evaluations each.
    rng : Generator
    """
    if players < 2 or draws < 2:
        raise InvalidInput(f"interactions need at least 2 units and 2 draws; got {players} and {draws}")
    found: dict[tuple[int, int], tuple[Floats, Floats]] = {}
    for i, j in combinations(range(players), 2):
        others = np.array([k for k in range(players) if k not in (i, j)], dtype=np.int64)
        size = np.minimum(((np.arange(draws) + rng.random(draws)) / draws * (len(others) + 1)).astype(int), len(others))
        masks = np.zeros((draws, players), dtype=bool)
        rank = rng.random((draws, len(others))).argsort(axis=1).argsort(axis=1)
        masks[:, others] = rank < size[:, None]
        worth = _asked(game, np.concatenate([_with(masks, *more) for more in ((i, j), (i,), (j,), ())]))
        both, first, second, none = worth.reshape(4, draws, -1)
        values = both - first - second + none
        found[i, j] = values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(draws)
    n = len(next(iter(found.values()))[0])
    out, error = np.zeros((n, players, players)), np.zeros((n, players, players))
    for (i, j), (value, wrong) in found.items():
        out[:, i, j] = out[:, j, i] = value
        error[:, i, j] = error[:, j, i] = wrong
    return out, error


def fewest(units: int) -> int:
    """Return the coalitions a row that interactions of all pairs take at least: `ENOUGH` / 2 draws a pair, or all."""
    sampled = 4 * (ENOUGH // 2) * (units * (units - 1) // 2)
    return min(2**units, sampled) if units <= MOST_PLAYERS else sampled


def exact_interactions(game: Game, players: int) -> Floats:
    """Return the Shapley interaction indices of all pairs from all 2**players coalitions: (n, players, players).

    (Grabisch and Roubens 1999.)

    Raises
    ------
    InvalidInput
        With fewer than 2 or more than `MOST_PLAYERS` players.
    """
    if not 2 <= players <= MOST_PLAYERS:
        raise InvalidInput(f"{players} units; exact interactions are of 2 to {MOST_PLAYERS}")
    masks = every(players)
    worth = _asked(game, masks)
    size = masks.sum(axis=1)
    most = players - 1
    counts = np.array([math.factorial(s) * math.factorial(most - 1 - s) / math.factorial(most) for s in range(most)])
    out = np.zeros((worth.shape[1], players, players))
    for i, j in combinations(range(players), 2):
        without = np.flatnonzero(~masks[:, i] & ~masks[:, j])
        one, other = 1 << i, 1 << j
        change = worth[without + one + other] - worth[without + one] - worth[without + other] + worth[without]
        out[:, i, j] = out[:, j, i] = counts[size[without]] @ change
    return out


def _with(masks: Masks, *players: int) -> Masks:
    out = masks.copy()
    out[:, list(players)] = True
    return out


def _asked(game: Game, masks: Masks) -> Floats:
    return np.concatenate([game(masks[at : at + BLOCK]) for at in range(0, len(masks), BLOCK)])
