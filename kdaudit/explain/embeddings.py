"""Attributions of networks that look words up: along the way from no word to the word, in the space of its vectors.

Numbers of words have no gradient.  What the network's first table of vectors gives is moved instead, from the vector of
padding to that of the word; which places hold words stays as it is.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.errors import NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.passes import Passes
from kdaudit.explain.paths import Inputs, integrated
from kdaudit.explain.texts import blank_of, most_words, names_of, read_to, row_words, summed, words_of
from kdaudit.networks.network import Network
from kdaudit.networks.products import steady
from kdaudit.samples import Samples

NO_WORDS = "no words, as many places of padding"
NOTHING = "no words and no special pieces, as many places of padding"


def table_of(network: Network) -> nn.Embedding:
    """Return the table of vectors that words are looked up in: the first of the module.

    Raises
    ------
    NoSuchSignal
        If the network has none.
    """
    for part in network.module.modules():
        if isinstance(part, nn.Embedding) and part.num_embeddings >= getattr(network.encoding, "vocabulary", 0):
            return part
    raise NoSuchSignal(f"{network.name} has no table of word vectors, whose gradient could be taken")


def embedded(
    network: Network, samples: Samples, output: NDArray[np.int64], *, special: bool = False
) -> tuple[Passes, Inputs, torch.Tensor]:
    """Return how the network is evaluated from vectors, the rows' vectors, and those of the baseline.

    Parameters
    ----------
    network : Network
        Over tokens.
    samples : Samples
        n rows.
    output : array of shape (n,)
    special : bool
        Whether special pieces are moved too.

    Returns
    -------
    passes : Passes
    inputs : Inputs
        Rows of shape (n, length, width + 1): behind each vector stands the word's number, which is the same in the
        baseline and so has no share; from it the network knows which places hold words.
    baseline : tensor of shape (n, length, width + 1)
        The vector of padding at all places, but for special pieces, which stay unless they are moved too.
    """
    table = table_of(network)
    encoded = network.encoding.encode(samples)
    length = read_to(network.encoding, encoded)
    numbers = torch.from_numpy(encoded[:, :length])
    with torch.no_grad():
        vectors = table(numbers.long())
        nothing = table(torch.from_numpy(blank_of(network.encoding, samples, special=special)[:, :length]).long())
    rows, start = (torch.cat([part, numbers[..., None]], dim=2) for part in (vectors, nothing))
    places = torch.arange(numbers.shape[1])[:, None]
    inputs = Inputs(rows, torch.from_numpy(np.asarray(output, dtype=np.int64)), places, numbers.shape[1])

    def forward(points: torch.Tensor) -> torch.Tensor:
        moved, number = points[..., :-1], points[..., -1].detach().round()

        def replaced(_module: nn.Module, _given: object, found: torch.Tensor) -> torch.Tensor:
            if found.shape != moved.shape:
                raise NoSuchSignal(
                    f"{network.name} looks up more than the text, such as completions of several pieces, along which "
                    "there is no path; take ablation or Shapley values"
                )
            return moved

        handle = table.register_forward_hook(replaced)
        try:
            given: torch.Tensor = network.module(number)
        finally:
            handle.remove()
        given = given.reshape(len(points), len(network.outputs))
        return given if given.shape[1] == 1 or network.scale == "value" else given - given.mean(dim=1, keepdim=True)

    return Passes(forward, steady, network.name), inputs, start


def word_gradients(
    network: Network, samples: Samples, *, output: NDArray[np.int64], nodes: int, most: int, special: bool = False
) -> Attributions:
    """Return integrated gradients of the words of texts, from no words to the text.

    Texts of one length go through together, without padding behind them: to fill all up to the longest would cost up to
    twice as much.  What the pieces of a word get is added up, and so are their errors.

    Parameters
    ----------
    network : Network
        Over words or pieces of words.
    samples : Samples
        n rows.
    output : array of shape (n,)
    nodes, most : int
        See `kdaudit.explain.paths.integrated`.
    special : bool
        Whether special pieces are a unit in front of the words; else they stay where they are and have no share.
    """
    places = words_of(network.encoding, samples, special=special)
    words = most_words(network.encoding, samples, special=special)
    assert places is not None
    n, encoded = len(samples), network.encoding.encode(samples)
    lengths = np.array([read_to(network.encoding, encoded[row : row + 1]) for row in range(n)], dtype=np.int64)
    values, error = np.zeros((n, words)), np.zeros((n, words))
    gap, reach, evaluations = np.zeros(n), np.zeros(n), 0
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        found = integrated(
            *embedded(network, samples.take(rows), output[rows], special=special), nodes=nodes, most=most
        )
        there = places[rows, : found.values.shape[1]]
        values[rows], error[rows] = summed(found.values, there, words), summed(found.error, there, words)
        gap[rows], reach[rows] = found.gap, found.reach
        evaluations = max(evaluations, found.evaluations)
    return Attributions(
        names_of(words, special=special),
        values,
        error,
        gap,
        reach,
        method=path_words(nodes, most),
        baseline=NOTHING if special else NO_WORDS,
        scale="logit, centred over outputs",
        evaluations=evaluations,
        words=row_words(network.encoding, samples, special=special),
    )


def path_words(nodes: int, most: int) -> str:
    """Return the path rule in words."""
    more = f", doubled up to {most} where the gap asks for it" if most > nodes else ""
    return f"integrated gradients, Clenshaw-Curtis with {nodes} nodes{more}"
