"""Attributions of networks of ours, from rows to fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.errors import NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.coalitions import Masks
from kdaudit.explain.embeddings import NO_WORDS, NOTHING, path_words, word_gradients
from kdaudit.explain.games import TensorGame
from kdaudit.explain.modules import deeplift as captum_deeplift
from kdaudit.explain.passes import Passes, chunk_of
from kdaudit.explain.paths import Inputs, Shares, expected, integrated
from kdaudit.explain.shapley import Shapley, shapley
from kdaudit.explain.texts import WordGame, names_of, row_words, text_of
from kdaudit.networks.network import Network
from kdaudit.networks.products import steady
from kdaudit.samples import Samples

Floats = NDArray[np.float64]
Scale = Literal["logit", "score"]
SCALES = {"logit": "logit, centred over outputs", "score": "score"}
ROUNDING = 1e-9
"""Share of a row's largest value below which a value is none."""
MEAN = "mean of the background rows, encoded"


def passes_of(network: Network, scale: Scale = "logit") -> Passes:
    """Return how a network is evaluated: its logits, centred where there are several, or its scores.

    Parameters
    ----------
    network : Network
    scale : {"logit", "score"}
        Numbers (networks of scale "value") stay as they are.
    """

    def forward(encoded: torch.Tensor) -> torch.Tensor:
        given: torch.Tensor = network.module(encoded)
        given = given.reshape(len(encoded), len(network.outputs))
        if network.scale == "value":
            return given
        one = given.shape[1] == 1
        if scale == "score":
            return torch.sigmoid(given) if one else torch.softmax(given, dim=1)
        return given if one else given - given.mean(dim=1, keepdim=True)

    return Passes(forward, steady, network.name)


def inputs_of(network: Network, samples: Samples, output: NDArray[np.int64]) -> Inputs:
    """Return the encoded rows, and which unit each column belongs to."""
    units = network.encoding.units
    places = np.empty(network.encoding.width, dtype=np.int64)
    for position, columns in enumerate(units.columns):
        places[list(columns)] = position
    encoded = torch.from_numpy(network.encoding.encode(samples))
    return Inputs(encoded, torch.from_numpy(np.asarray(output, dtype=np.int64)), torch.from_numpy(places), len(units))


def baseline_of(network: Network, background: Samples) -> torch.Tensor:
    """Return the mean of the background rows in the network's own encoding: a point that all encodings share.

    Numbers of words have no mean: their baseline is no word at all.
    """
    if not network.encoding.continuous:
        return torch.zeros(network.encoding.width)
    mean = network.encoding.encode(background).astype(np.float64).mean(axis=0)
    return torch.from_numpy(mean.astype(np.float32))


def lent_of(network: Network, background: Samples) -> torch.Tensor:
    """Return the encoded rows that lend values to coalitions; of texts none, whose words are left out instead."""
    if not network.encoding.continuous:
        return torch.zeros(1, network.encoding.width)
    return torch.from_numpy(network.encoding.encode(background))


def baseline_words(network: Network) -> str:
    """Return the baseline in words."""
    return MEAN if network.encoding.continuous else NO_WORDS


def integrated_gradients(
    network: Network,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    nodes: int = 16,
    most: int | None = None,
    special: bool = False,
) -> Attributions:
    """Return what each field contributes to the network's centred logit, along the way from the mean row.

    Parameters
    ----------
    network : Network
    samples : Samples
        n rows to explain.
    background : Samples
        The baseline is the mean of these rows.
    output : array of shape (n,)
        Which output is explained in each row: of a yes-or-no score 0.
    nodes, most : int
        See `kdaudit.explain.paths.integrated`.
    special : bool
        Of texts: see `kdaudit.explain.embeddings.word_gradients`.
    """
    if not network.encoding.continuous:
        return word_gradients(network, samples, output=output, nodes=nodes, most=most or nodes, special=special)
    inputs, baseline = inputs_of(network, samples, output), baseline_of(network, background)
    found = integrated(passes_of(network), inputs, baseline, nodes=nodes, most=most)
    return _named(network, found, path_words(nodes, most or nodes), MEAN)


def gradient_shap(
    network: Network,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    draws: int,
    rng: np.random.Generator,
) -> Attributions:
    """Return expected gradients with standard errors; see `kdaudit.explain.paths.expected`."""
    _need_numbers(network, "gradient SHAP")
    lent = torch.from_numpy(network.encoding.encode(background))
    found = expected(passes_of(network), inputs_of(network, samples, output), lent, draws=draws, rng=rng)
    words = f"gradient SHAP, {draws} draws, stratified"
    return _named(network, found, words, f"{len(background):,} background rows")


def gradients(
    network: Network,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    times_input: bool,
) -> Attributions:
    """Return the gradient at the row, or that times the way from the mean row.

    Parameters
    ----------
    network, samples, background, output
        As in `integrated_gradients`.
    times_input : bool
        If not, a number's share is the slope for one standard deviation.  A category has no slope of its own: its share
        is that of moving from the mean of its levels to the row's level in either case.
    """
    _need_numbers(network, "the gradient at the row")
    passes, inputs, baseline = passes_of(network), inputs_of(network, samples, output), baseline_of(network, background)
    size = chunk_of(tuple(inputs.rows.shape[1:]))
    slopes = [
        passes.slopes(inputs.rows[at : at + size], inputs.output[at : at + size])[1]
        for at in range(0, len(inputs.rows), size)
    ]
    slope = torch.cat(slopes).double().numpy()
    step = (inputs.rows.double() - baseline.double()).numpy()
    if not times_input:
        numbers = [field.kind == "real" for field in network.encoding.domain.fields]
        for columns, number in zip(network.encoding.units.columns, numbers, strict=True):
            if number:
                step[:, columns[0]] = 1.0
    values = network.encoding.units.gather(slope * step)
    return _plain(network, values, "gradient x (input - mean)" if times_input else "gradient at the row", MEAN, 1)


def deeplift(network: Network, samples: Samples, background: Samples, *, output: NDArray[np.int64]) -> Attributions:
    """Return DeepLift's shares with their gap; see `kdaudit.explain.modules.deeplift`."""
    _need_numbers(network, "DeepLift")
    inputs, baseline = inputs_of(network, samples, output), baseline_of(network, background)
    values, gap = captum_deeplift(network.module, inputs.rows, baseline, inputs.output, name=network.name)
    gathered = network.encoding.units.gather(values)
    found = _plain(network, gathered, "DeepLift, rescale rule", MEAN, 2)
    return Attributions(
        found.names,
        found.values,
        found.error,
        gap,
        gathered.sum(axis=1),
        found.method,
        found.baseline,
        found.scale,
        evaluations=2,
    )


def ablation(
    network: Network, samples: Samples, background: Samples, *, output: NDArray[np.int64], special: bool = False
) -> Attributions:
    """Return how much the centred logit falls with each unit put to its baseline, one at a time."""
    baseline = baseline_of(network, background)[None]
    game, names = _game(network, samples, baseline, output, "logit", special=special)
    units = len(names)
    masks = np.concatenate([np.ones((1, units), dtype=bool), ~np.eye(units, dtype=bool)])
    worth = game(masks)
    start = NOTHING if special and not network.encoding.continuous else baseline_words(network)
    found = _plain(network, (worth[:1] - worth[1:]).T, "ablation, one unit at a time", start, units + 1)
    return replace(found, names=names, words=row_words(network.encoding, samples, special=special))


def sampled_shapley(
    network: Network,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    budget: int,
    scale: Scale,
    rng: np.random.Generator,
) -> Attributions:
    """Return Shapley values over fields, the other fields taken from the background rows.

    Parameters
    ----------
    network, samples, output
        As in `integrated_gradients`.
    background : Samples
        All of its rows are used.
    budget : int
        Coalitions a row; each is evaluated with every background row.
    scale : {"logit", "score"}
        In what the answer is read; other subjects than networks have scores only.
    rng : Generator
    """
    lent = lent_of(network, background)
    game, names = _game(network, samples, lent, output, scale)
    found = shapley(game, len(names), budget=budget, rng=rng)
    told = from_shapley(found, names, len(lent), SCALES[scale])
    return replace(told, words=row_words(network.encoding, samples))


def from_shapley(found: Shapley, names: tuple[str, ...], draws: int, scale: str) -> Attributions:
    """Return Shapley values as attributions of named units."""
    largest = np.abs(found.values).max(axis=1, keepdims=True, initial=0.0)
    # what differs from nothing by rounding alone would have a rank of its own
    values = np.where(np.abs(found.values) <= ROUNDING * largest, 0.0, found.values)
    return Attributions(
        names,
        values,
        found.error,
        np.abs(found.values.sum(axis=1) - found.reach),
        found.reach,
        method=f"Shapley values, {found.method}",
        baseline=f"mean over {draws:,} background rows",
        scale=scale,
        dof=found.dof,
        evaluations=found.evaluations * draws,
    )


def game_of(
    network: Network, samples: Samples, background: Samples, output: NDArray[np.int64], *, special: bool = False
) -> Callable[[Masks], Floats]:
    """Return the worth, in scores, of coalitions of each row's own: (k, n, units) -> (k, n)."""
    return _game(network, samples, lent_of(network, background), output, "score", special=special)[0].own


def _game(
    network: Network,
    samples: Samples,
    lent: torch.Tensor,
    output: NDArray[np.int64],
    scale: Scale,
    *,
    special: bool = False,
) -> tuple[TensorGame | WordGame, tuple[str, ...]]:
    """Return the game of a network's units, and their names: of a text its words, else the encoding's."""
    if text_of(network.encoding, samples) is not None:
        game = WordGame(passes_of(network, scale), network.encoding, samples, output, special=special)
        return game, names_of(game.units, special=special)
    inputs = inputs_of(network, samples, output)
    return TensorGame(passes_of(network, scale), inputs, lent), network.encoding.units.names


def _need_numbers(network: Network, what: str) -> None:
    if not network.encoding.continuous:
        raise NoSuchSignal(
            f"{network.name} reads numbers of words, of which {what} knows nothing; take integrated gradients, "
            "ablation or Shapley values"
        )


def _named(network: Network, found: Shares, method: str, baseline: str) -> Attributions:
    return Attributions(
        network.encoding.units.names,
        found.values,
        found.error,
        found.gap,
        found.reach,
        method=method,
        baseline=baseline,
        scale=SCALES["logit"],
        dof=found.dof,
        evaluations=found.evaluations,
    )


def _plain(network: Network, values: Floats, method: str, baseline: str, evaluations: int) -> Attributions:
    nothing = np.full(len(values), np.nan)
    return Attributions(
        network.encoding.units.names,
        values,
        np.zeros_like(values),
        nothing,
        nothing,
        method=method,
        baseline=baseline,
        scale=SCALES["logit"],
        evaluations=evaluations,
    )
