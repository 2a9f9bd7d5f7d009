"""Texts as words: what the pieces of a word get is the word's, so that models with other tokenisers can be compared.

Words are those of `kdaudit.tokens.split`.  A piece belongs to the word with which it shares most characters; special
pieces, and those of a prompt, belong to none: they stay where they are, or count together as one unit in front of the
words, which has no share where a network reads none of them.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.encoders import Encoder, Reading, chosen
from kdaudit.explain.coalitions import Masks
from kdaudit.explain.passes import Passes, chunk_of
from kdaudit.pieces import Pieces
from kdaudit.samples import Samples
from kdaudit.tokens import Tokens, spans

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
SPECIAL = "special pieces"
"""The unit in front of the words."""


def text_of(encoder: Encoder, samples: Samples) -> tuple[Tokens | Pieces, Samples] | None:
    """Return the encoder of the text that is read, with the rows as it reads them; None if it reads no text."""
    inner = encoder.inner if isinstance(encoder, Reading) else encoder
    if not isinstance(inner, Tokens | Pieces):
        return None
    return inner, chosen(samples, inner.domain.names) if isinstance(encoder, Reading) else samples


def words_of(encoder: Encoder, samples: Samples, *, special: bool = False) -> Places | None:
    """Return which word each column holds, -1 for none: shape (n, width); None if no text is read.

    With `special` what belongs to no word is unit 0, and words follow.
    """
    found = text_of(encoder, samples)
    if found is None:
        return None
    inner, rows = found
    out = np.full((len(rows), inner.width), -1, dtype=np.int64)
    for row, text in enumerate(rows.columns[inner.domain.names[0]]):
        words = spans(text)
        if isinstance(inner, Pieces):
            told = aligned(inner.spans(text), words)
        else:
            told = np.arange(min(len(words), inner.width))
        out[row, : len(told)] = told + 1 if special else told
    return out


def aligned(pieces: list[tuple[int, int]], words: list[tuple[int, int]]) -> Places:
    """Return for each piece the word with which it shares most characters, the first of several; -1 for none.

    Parameters
    ----------
    pieces, words : list of (int, int)
        First character and the one behind the last; words in their order, none overlapping another.
    """
    out = np.full(len(pieces), -1, dtype=np.int64)
    lows, highs = (np.array([word[side] for word in words], dtype=np.int64) for side in (0, 1))
    for place, (low, high) in enumerate(pieces):
        if high > low and len(words):
            shared = np.minimum(highs, high) - np.maximum(lows, low)
            if shared.max() > 0:
                out[place] = int(shared.argmax())
    return out


def most_words(encoder: Encoder, samples: Samples, *, special: bool = False) -> int:
    """Return the units of the longest text: a number of the rows alone, so that all who read them share their units."""
    found = text_of(encoder, samples)
    assert found is not None
    inner, rows = found
    return special + max([1, *(len(spans(text)) for text in rows.columns[inner.domain.names[0]])])


def row_words(encoder: Encoder, samples: Samples, *, special: bool = False) -> tuple[tuple[str, ...], ...]:
    """Return the words of each row, in small letters; () if no text is read."""
    found = text_of(encoder, samples)
    if found is None:
        return ()
    inner, rows = found
    texts = rows.columns[inner.domain.names[0]]
    first = (SPECIAL,) if special else ()
    return tuple((*first, *(text[low:high].lower() for low, high in spans(text))) for text in texts)


def names_of(units: int, *, special: bool = False) -> tuple[str, ...]:
    """Return the units of texts: which word stands there differs from text to text."""
    words = tuple(f"word {i + 1}" for i in range(units - special))
    return (SPECIAL, *words) if special else words


def summed(values: Floats, places: Places, words: int) -> Floats:
    """Return sums over the columns of each word: (n, width) -> (n, words); what belongs to no word is left out."""
    out = np.zeros((len(values), words + 1))
    rows = np.broadcast_to(np.arange(len(values))[:, None], places.shape)
    np.add.at(out, (rows, np.where(places < 0, words, places)), values)
    return out[:, :words]


def attended(maps: Floats, places: Places) -> Floats:
    """Return maps among words: what a word's pieces are looked at is added up, who looks is averaged.

    Parameters
    ----------
    maps : array of shape (n, heads, T, T)
    places : array of shape (n, T)
        Word of each piece, -1 for none: these neither look nor are looked at, so that rows sum to less than one.

    Returns
    -------
    array of shape (n, heads, words, words)
        0 throughout for words that a text does not have.
    """
    n, heads, _, _ = maps.shape
    words = int(places.max(initial=-1)) + 1
    out = np.zeros((n, heads, words, words))
    for row in range(n):
        parts = (places[row][:, None] == np.arange(words)).astype(np.float64)
        count = np.maximum(parts.sum(axis=0), 1.0)
        # two products: the three factors summed at once take a hundred times as long
        out[row] = (parts / count).T @ (maps[row] @ parts)
    return out


class WordGame:
    """Coalitions of words: what a network says with the other words left out.

    Parameters
    ----------
    passes : Passes
        From numbers of pieces.
    encoder : Encoder
        Of a text.
    samples : Samples
        n rows.
    output : array of shape (n,)
    special : bool
        Whether special pieces are a unit; else they are in every coalition.
    """

    def __init__(
        self,
        passes: Passes,
        encoder: Encoder,
        samples: Samples,
        output: NDArray[np.int64],
        *,
        special: bool = False,
    ) -> None:
        places = words_of(encoder, samples, special=special)
        assert places is not None
        self.passes, self.output = passes, output
        self.units = most_words(encoder, samples, special=special)
        self.numbers, self.blank = encoder.encode(samples), blank_of(encoder, samples, special=special)
        self.places = places
        self.reads = [read_to(encoder, self.numbers[row : row + 1]) for row in range(len(self.numbers))]
        self.chunk = chunk_of((64 * encoder.width,))

    def __call__(self, masks: Masks) -> Floats:
        """Return the worth of coalitions shared by all rows: (k, words) -> (k, n)."""
        return self.own(np.broadcast_to(masks[:, None], (len(masks), len(self.numbers), masks.shape[1])))

    def own(self, masks: Masks) -> Floats:
        """Return the worth of coalitions of each row's own: (k, n, words) -> (k, n)."""
        out = np.empty(masks.shape[:2])
        # what belongs to no word is in every coalition
        places = np.where(self.places < 0, masks.shape[2], self.places)
        for row in range(masks.shape[1]):
            there = np.concatenate([masks[:, row], np.ones((len(masks), 1), dtype=bool)], axis=1)[:, places[row]]
            mixed = np.where(there, self.numbers[row], self.blank[row])
            # most texts are shorter than the longest: coalitions that differ in words they lack are one
            distinct, back = np.unique(mixed[:, : self.reads[row]], axis=0, return_inverse=True)
            out[:, row] = self._worth(distinct, int(self.output[row]))[back.reshape(-1)]
        return out

    def _worth(self, points: NDArray[np.float32], output: int) -> Floats:
        parts = []
        for at in range(0, len(points), self.chunk):
            some = torch.from_numpy(points[at : at + self.chunk])
            parts.append(self.passes.values(some, torch.full((len(some),), output, dtype=torch.int64)).double().numpy())
        return np.concatenate(parts)


def read_to(encoder: Encoder, numbers: NDArray[np.float32]) -> int:
    """Return how many columns must go through a network: of pieces those up to the last one, else all.

    Padding at the end moves no answer by more than rounding, and takes as long as pieces do.
    """
    inner = encoder.inner if isinstance(encoder, Reading) else encoder
    if not isinstance(inner, Pieces):
        return int(numbers.shape[1])
    there = np.flatnonzero((numbers != inner.padding).any(axis=0))
    return 1 + int(there.max()) if len(there) else int(numbers.shape[1])


def blank_of(encoder: Encoder, samples: Samples, *, special: bool = False) -> NDArray[np.float32]:
    """Return the rows as numbers with no word in them: padding, but for special pieces and those of a prompt.

    With `special` these are left out too.
    """
    found = text_of(encoder, samples)
    if found is not None and isinstance(found[0], Pieces):
        if special:
            return np.full((len(samples), encoder.width), found[0].padding, dtype=np.float32)
        return found[0].blank(found[1])
    return np.zeros((len(samples), encoder.width), dtype=np.float32)
