"""Attention of all seats on the same texts, token by token, and how alike it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.voices import beside_seats, measure_of
from kdaudit.measures.alike import FLOW, HEADS, HEADS_HELLINGER, ROLLOUT, TOP_TOKENS
from kdaudit.measures.attentions import cut, entropy, flow, head_divergence, matched, rollout, top_tokens
from kdaudit.measures.borders import Border
from kdaudit.measures.ranks import spearman
from kdaudit.statistics.beside import Beside

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Text = Sequence[Floats]
"""One text: a map of shape (heads, k, k) a layer, from the input upwards."""
TOP = 3


@dataclass(frozen=True, eq=False)
class Heed:
    """One seat's attention.

    Parameters
    ----------
    texts : tuple of Text
        One a row, cut to the tokens that every seat read.
    """

    texts: tuple[Text, ...]

    def heads(self, row: int) -> Floats:
        """Return the maps of all heads of all layers, shape (heads, k, k)."""
        return np.concatenate(list(self.texts[row]), axis=0)

    def reading(self, row: int, pooled: str) -> Floats:
        """Return how much of each token reaches the output by rollout, shape (k,)."""
        reached = rollout(self.texts[row])
        out: Floats = reached[0] if pooled == "first" else reached.mean(axis=0)
        return out

    def entropy(self, row: int) -> float:
        """Return the mean entropy of the maps, in bits."""
        return float(np.mean([entropy(maps).mean() for maps in self.texts[row]]))


Seats = Mapping[str, Heed | Empty]


def heeds(maps: Mapping[str, list[Floats] | Empty]) -> tuple[dict[str, Heed | Empty], NDArray[np.int64]]:
    """Return the attention of all seats among the tokens that all of them read, and how many those are, shape (n,).

    Parameters
    ----------
    maps : mapping
        Seat -> a layer each, arrays of shape (n, heads, T, T); padded tokens are 0 throughout.
    """
    known = {name: layers for name, layers in maps.items() if not isinstance(layers, Empty)}
    counts = [(layers[0].sum(axis=(1, 3)) > 0).sum(axis=1) for layers in known.values()]
    read = np.min(counts, axis=0) if counts else np.zeros(0, dtype=np.int64)
    out: dict[str, Heed | Empty] = {}
    for name, layers in maps.items():
        if isinstance(layers, Empty):
            out[name] = layers
            continue
        texts = [tuple(cut(layer[row], np.arange(k)) for layer in layers) if k else () for row, k in enumerate(read)]
        out[name] = Heed(tuple(texts))
    return out, read.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Halves:
    """Rows on which heads are matched, and rows on which they are scored."""

    match: Rows
    score: Rows


def likeness_of_heads(a: Heed, b: Heed, halves: Halves, by: str) -> Floats:
    """Return 1 minus the divergence of matched heads, one value a row of the scoring half."""
    mean = np.mean([head_divergence(a.heads(row), b.heads(row), by=by) for row in halves.match], axis=0)
    return _scored_heads(a, b, halves.score, halves.score, matched(mean), by)


def unmatched(a: Heed, b: Heed, halves: Halves, rng: np.random.Generator) -> Floats:
    """Return the same with heads paired by chance: the first null."""
    pairs = (np.arange(len(a.heads(0))), rng.integers(0, len(b.heads(0)), len(a.heads(0))))
    return _scored_heads(a, b, halves.score, halves.score, pairs, "jensen_shannon")


def exchanged_texts(a: Heed, b: Heed, halves: Halves, read: Rows) -> Floats:
    """Return the same with the other's texts exchanged among those of one length: the null that counts.

    Position alone makes heads alike.  Texts that are the only ones of their length are left out.
    """
    mean = np.mean([head_divergence(a.heads(row), b.heads(row)) for row in halves.match], axis=0)
    ours, theirs = [], []
    for length in np.unique(read[halves.score]):
        rows = halves.score[read[halves.score] == length]
        if len(rows) > 1:
            ours += rows.tolist()
            theirs += np.roll(rows, 1).tolist()
    return _scored_heads(a, b, np.array(ours, dtype=np.int64), np.array(theirs, dtype=np.int64), matched(mean), "")


def _scored_heads(
    a: Heed, b: Heed, ours: Rows, theirs: Rows, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], by: str
) -> Floats:
    rows, columns = pairs
    name = by or "jensen_shannon"
    out = [
        1.0 - head_divergence(a.heads(i), b.heads(j), by=name)[rows, columns].mean()
        for i, j in zip(ours, theirs, strict=True)
    ]
    return np.array(out, dtype=np.float64)


def likeness_of_reading(a: Heed, b: Heed, rows: Rows, pooled: str) -> Floats:
    """Return the rank correlation over tokens of what reaches the output, shape (rows,)."""
    return np.array(
        [spearman(a.reading(row, pooled)[None], b.reading(row, pooled)[None])[0] for row in rows], dtype=np.float64
    )


def likeness_of_flow(a: Heed, b: Heed, rows: Rows, pooled: str) -> Floats:
    """Return the same by the greatest flow."""
    token = 0 if pooled == "first" else None
    return np.array(
        [spearman(flow(a.texts[row], token)[None], flow(b.texts[row], token)[None])[0] for row in rows],
        dtype=np.float64,
    )


def same_top_tokens(a: Heed, b: Heed, rows: Rows, pooled: str) -> Floats:
    """Return the share of the tokens read most that both have, shape (rows,)."""
    out = []
    for row in rows:
        k = min(TOP, len(a.reading(row, pooled)))
        first, second = (set(top_tokens(side.reading(row, pooled), k).tolist()) for side in (a, b))
        out.append(len(first & second) / k)
    return np.array(out, dtype=np.float64)


def attention_beside(cast: Cast, seats: Seats, halves: Halves, *, pooled: str, flows: int, asked: int) -> list[Beside]:
    """Return how alike everybody attends to the teacher, the claim's measure first.

    Parameters
    ----------
    cast : Cast
    seats : mapping
    halves : Halves
    pooled : {"mean", "first"}
        From which tokens the output is read.
    flows : int
        Texts whose flow is worked out.
    asked : int
        Distinct teacher rows.
    """
    rows = halves.score
    parts: list[tuple[Border, Callable[[Heed, Heed], Floats]]] = [
        (HEADS, lambda a, b: likeness_of_heads(a, b, halves, "jensen_shannon")),
        (HEADS_HELLINGER, lambda a, b: likeness_of_heads(a, b, halves, "hellinger")),
        (ROLLOUT, lambda a, b: likeness_of_reading(a, b, rows, pooled)),
        (TOP_TOKENS, lambda a, b: same_top_tokens(a, b, rows, pooled)),
    ]
    if flows:
        parts.append((FLOW, lambda a, b: likeness_of_flow(a, b, rows[:flows], pooled)))
    return [_beside(cast, seats, border, alike, asked) for border, alike in parts]


def _beside(cast: Cast, seats: Seats, border: Border, alike: Callable[[Heed, Heed], Floats], asked: int) -> Beside:
    return beside_seats(measure_of(border), cast, seats, alike, asked=asked)
