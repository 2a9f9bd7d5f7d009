"""Which exchange of a word promises to turn a decision?  An estimate of first order, by the gradient of its vector.

Ebrahimi, Rao, Lowd and Dou 2018 (HotFlip): exchanging a word moves the margin by about the margin's gradient times the
difference of the two words' vectors.  The estimate holds near the word alone, so that whoever uses it verifies the best
few by a pass of the network.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.encoders import Encoder, Reading
from kdaudit.errors import NoSuchSignal
from kdaudit.explain.embeddings import embedded, table_of
from kdaudit.explain.texts import text_of, words_of
from kdaudit.networks.network import Network
from kdaudit.pieces import Pieces
from kdaudit.samples import Origin, Samples
from kdaudit.tokens import spans

Positions = NDArray[np.int64]
_WORD = re.compile(r"\S+")


def looks_up(network: Network) -> bool:
    """Return whether a network looks the words of a text up in a table of vectors."""
    try:
        table_of(network)
    except NoSuchSignal:
        return False
    return words_of(network.encoding, _written(network.encoding, ("word",))) is not None


def promising(
    network: Network, samples: Samples, own: Positions, words: Sequence[str], count: int, first: Samples | None = None
) -> tuple[Positions, Positions]:
    """Return the exchanges that promise most, of each row.

    Of a word in several pieces all are exchanged together, for the mean of the other word's pieces.

    Parameters
    ----------
    network : Network
        Over words or pieces of words.
    samples : Samples
        n rows, whose words are what spaces part.
    own : array of shape (n,)
        Their decisions: exchanges lower the margin of each over the next.
    words : sequence of str
        What words may be exchanged for.
    count : int
        Exchanges of each row.
    first : Samples, optional
        The rows before words were exchanged: those that differ stay.

    Returns
    -------
    places, chosen : array of shape (n, count), int64
        Which word of the row, and for which of `words`; -1 where there is none.
    """
    slope, vectors = _slopes(network, samples, own)
    candidates = _vectors(network, words)
    places, chosen = (np.full((len(samples), count), -1, dtype=np.int64) for _ in range(2))
    texts, before = (_texts(network.encoding, part) for part in (samples, first or samples))
    columns = _columns(network.encoding, texts)
    number = {word: at for at, word in enumerate(words)}
    for row, text in enumerate(texts):
        here = (text or "").split()
        gains = np.full((len(here), len(words)), -np.inf, dtype=np.float32)
        for place in range(len(here)):
            at = np.flatnonzero(columns[row] == place)
            at = at[at < slope.shape[1]]
            if len(at) and here[place] == (before[row] or "").split()[place]:
                steep = slope[row, at]
                # the margin is to fall
                gains[place] = (steep * vectors[row, at]).sum() - candidates @ steep.sum(axis=0)
                gains[place, number.get(here[place], [])] = -np.inf
        best = np.argsort(-gains.ravel(), kind="stable")[:count]
        best = best[np.isfinite(gains.ravel()[best])]
        places[row, : len(best)], chosen[row, : len(best)] = np.divmod(best, max(len(words), 1))
    return places, chosen


def _slopes(network: Network, samples: Samples, own: Positions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how the margin of each row's decision rises with its vectors, and the vectors: (n, length, width) each."""
    if len(network.outputs) == 1:
        pairs = [(np.where(own > 0, 1.0, -1.0), np.zeros(len(own), dtype=np.int64))]
    else:
        logits = network.raw(network.encoding.encode(samples))
        logits[np.arange(len(own)), own] = -np.inf
        pairs = [(np.ones(len(own)), own), (-np.ones(len(own)), logits.argmax(axis=1))]
    total, rows = None, None
    for sign, output in pairs:
        passes, inputs, _ = embedded(network, samples, output)
        slopes = [
            passes.slopes(inputs.rows[at : at + ROWS], inputs.output[at : at + ROWS])[1]
            for at in range(0, len(samples), ROWS)
        ]
        found = torch.cat(slopes)[..., :-1].numpy() * sign[:, None, None].astype(np.float32)
        total = found if total is None else total + found
        rows = inputs.rows[..., :-1].numpy()
    assert total is not None and rows is not None
    return total, rows


ROWS = 64
"""Rows whose gradients are taken together."""


def _vectors(network: Network, words: Sequence[str]) -> NDArray[np.float32]:
    """Return the mean vector of each word's pieces, shape (words, width)."""
    written = _written(network.encoding, words)
    places = words_of(network.encoding, written)
    assert places is not None
    encoded = _inner(network.encoding).encode(written)
    with torch.no_grad():
        there = torch.from_numpy(places >= 0)
        length = int(there.any(dim=0).nonzero().max()) + 1 if bool(there.any()) else 1
        there = there[:, :length]
        found = table_of(network)(torch.from_numpy(encoded[:, :length]).long()) * there[..., None]
        out: NDArray[np.float32] = (found.sum(dim=1) / there.sum(dim=1).clamp(min=1)[:, None]).numpy()
    return out


def _inner(encoder: Encoder) -> Encoder:
    return encoder.inner if isinstance(encoder, Reading) else encoder


def _written(encoder: Encoder, words: Sequence[str]) -> Samples:
    domain = _inner(encoder).domain
    column = np.array(words, dtype=object)
    return Samples(domain, {domain.names[0]: column}, np.arange(len(words)), Origin("words"))


def _texts(encoder: Encoder, samples: Samples) -> list[str | None]:
    found = text_of(encoder, samples)
    assert found is not None
    return list(found[1].columns[found[0].domain.names[0]])


def _columns(encoder: Encoder, texts: Sequence[str | None]) -> Positions:
    """Return of each column which word between spaces it belongs to; -1 for none."""
    inner = _inner(encoder)
    out = np.full((len(texts), inner.width), -1, dtype=np.int64)
    for row, text in enumerate(texts):
        starts = [match.start() for match in _WORD.finditer(text or "")]
        found = inner.spans(text) if isinstance(inner, Pieces) else spans(text)
        for column, (low, high) in enumerate(found[: inner.width]):
            if high > low:
                out[row, column] = int(np.searchsorted(starts, low, side="right")) - 1
    return out
