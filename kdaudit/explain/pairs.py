"""Which units work together: Shapley interactions of all pairs, as attributions whose units are pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.games import TensorGame
from kdaudit.explain.reasons import ROUNDING, SCALES, Scale, inputs_of, lent_of, passes_of
from kdaudit.explain.shapley import MOST_PLAYERS, Game, exact_interactions, fewest, interactions
from kdaudit.explain.tables import table_interactions
from kdaudit.networks.network import Network
from kdaudit.rules import Rules
from kdaudit.samples import Samples

Floats = NDArray[np.float64]
JOINED = " × "


def game_pairs(
    game: Game, names: tuple[str, ...], *, budget: int, draws: int, scale: str, rng: np.random.Generator
) -> Attributions:
    """Return the interactions of all pairs in a game, within a budget of coalitions a row.

    All coalitions are gone through where the budget holds them.

    Parameters
    ----------
    game : callable
        See `kdaudit.explain.shapley.Game`.
    names : tuple of str
        Of the units.
    budget : int
        Coalitions a row, at least `kdaudit.explain.shapley.fewest`.
    draws : int
        Background rows that each coalition is evaluated with.
    scale : str
        Of the answer, in words.
    rng : Generator

    Raises
    ------
    InvalidInput
        With one unit, or a budget that is too small.
    """
    units = len(names)
    if units < 2:
        raise InvalidInput("interactions need at least two units")
    if budget < fewest(units):
        raise InvalidInput(
            f"{budget} coalitions a row are too few for the interactions of {units} units; {fewest(units)} are needed"
        )
    if units <= MOST_PLAYERS and 2**units <= budget:
        values = exact_interactions(game, units)
        error, used, how = np.zeros_like(values), 2**units, f"exact: all {2**units:,} coalitions"
    else:
        each = budget // (4 * (units * (units - 1) // 2))
        values, error = interactions(game, units, draws=each, rng=rng)
        used, how = budget, f"{each:,} draws a pair"
    return _named(names, (values, error), how=how, draws=draws, scale=scale, used=used * draws)


def network_pairs(
    network: Network,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    budget: int,
    scale: Scale,
    rng: np.random.Generator,
) -> Attributions:
    """Return the interactions of all pairs of a network's units; parameters as of `sampled_shapley`.

    A budget below `kdaudit.explain.shapley.fewest` is raised to it.

    Raises
    ------
    NoSuchSignal
        If the network reads texts, whose words stand in pairs that no other text has.
    """
    if not network.encoding.continuous:
        raise NoSuchSignal(f"{network.name} reads words, of which pairs differ from text to text; take Shapley values")
    inputs, lent = inputs_of(network, samples, output), lent_of(network, background)
    game, names = TensorGame(passes_of(network, scale), inputs, lent), network.encoding.units.names
    enough = max(budget, fewest(len(names)))
    return game_pairs(game, names, budget=enough, draws=len(lent), scale=SCALES[scale], rng=rng)


def rule_pairs(rules: Rules, samples: Samples, background: Samples, *, output: NDArray[np.int64]) -> Attributions:
    """Return the interactions of all pairs of fields of a tree or rule list, exactly; see `table_interactions`."""
    values = table_interactions(rules, samples, background, output=output)
    nothing = (values, np.zeros_like(values))
    how = "exact from the rules' boxes"
    return _named(samples.domain.names, nothing, how=how, draws=len(background), scale="score", used=0)


def _named(
    names: tuple[str, ...], found: tuple[Floats, Floats], *, how: str, draws: int, scale: str, used: int
) -> Attributions:
    first, second = np.triu_indices(len(names), 1)
    values, error = (part[:, first, second] for part in found)
    # fields that do not work together would get a rank and a direction from rounding alone
    values = np.where(np.abs(values) <= ROUNDING * np.abs(values).max(initial=0.0), 0.0, values)
    nothing = np.full(len(values), np.nan)
    return Attributions(
        tuple(JOINED.join(pair) for pair in combinations(names, 2)),
        values,
        error,
        nothing,
        nothing,
        method=f"Shapley interactions of pairs, {how}",
        baseline=f"mean over {draws:,} background rows",
        scale=scale,
        evaluations=used,
    )
