"""Words left out of texts, for whoever answers texts: their shares and coalitions, from answers alone.

A closed subject shows no pieces and no vectors, so that a word is left out as a reader would do it: another sign stands
in its place.  The same texts are put to all who are compared.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain, Text
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.coalitions import Masks
from kdaudit.explain.occlusions import Scores
from kdaudit.samples import Samples
from kdaudit.tokens import spans

Floats = NDArray[np.float64]
MASK = "_"
"""Stands for a word left out: a word of no vocabulary, so that a network reads its unknown word there, or one that says
nothing."""
BASELINE = f"each word replaced by {MASK!r}, a word of no vocabulary"


def only_text(domain: Domain) -> str:
    """Return the name of the text that is all there is to a row; empty where rows have other fields."""
    (first, *rest) = domain.fields
    return first.name if isinstance(first, Text) and not rest else ""


def words_in(samples: Samples) -> NDArray[np.int64]:
    """Return how many words each text has, by `kdaudit.tokens.spans`: shape (n,)."""
    texts = samples.columns[only_text(samples.domain)]
    return np.array([len(spans(text)) for text in texts], dtype=np.int64)


def most_parts(samples: Samples) -> int:
    """Return the most parts of a row that get a share: fields, or of a text alone its words."""
    return int(words_in(samples).max(initial=1)) if only_text(samples.domain) else len(samples.domain.names)


class TextGame:
    """Coalitions of the words of texts: what a subject says with the other words left out.

    Parameters
    ----------
    scores : callable
        See `kdaudit.explain.occlusions.Scores`.
    samples : Samples
        n rows of one text.
    output : array of shape (n,)
        Which output is explained in each row.
    """

    def __init__(self, scores: Scores, samples: Samples, output: NDArray[np.int64]) -> None:
        self.scores, self.samples, self.output = scores, samples, output
        self.name = only_text(samples.domain)
        self.texts: list[str | None] = list(samples.columns[self.name])
        self.spans = [spans(text) for text in self.texts]
        self.units = max([1, *map(len, self.spans)])

    @property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The words of each row, in small letters."""
        both = zip(self.texts, self.spans, strict=True)
        return tuple(tuple((text or "")[low:high].lower() for low, high in places) for text, places in both)

    def __call__(self, masks: Masks) -> Floats:
        """Return the worth of coalitions shared by all rows: (k, words) -> (k, n)."""
        return self.own(np.broadcast_to(masks[:, None], (len(masks), len(self.texts), masks.shape[1])))

    def own(self, masks: Masks) -> Floats:
        """Return the worth of coalitions of each row's own: (k, n, words) -> (k, n)."""
        texts: list[str | None] = []
        rows: list[int] = []
        back = np.empty(masks.shape[:2], dtype=np.int64)
        for row, places in enumerate(self.spans):
            # most texts are shorter than the longest: coalitions that differ in words they lack are one
            distinct, which = np.unique(masks[:, row, : len(places)], axis=0, return_inverse=True)
            back[:, row] = len(texts) + which.reshape(-1)
            texts += [self._without(row, kept) for kept in distinct]
            rows += [row] * len(distinct)
        at = np.array(rows, dtype=np.int64)
        column = np.array(texts, dtype=object)
        made = replace(self.samples.take(at), columns={self.name: column}, labels=None, weights=None, _keys=[])
        told = self.scores(made)[np.arange(len(at)), self.output[at]]
        out: Floats = told[back]
        return out

    def _without(self, row: int, kept: NDArray[np.bool_]) -> str | None:
        text = self.texts[row]
        if text is None:
            return None
        # from the end, so that places in front stay what they are
        for (low, high), there in zip(reversed(self.spans[row]), kept[::-1], strict=True):
            if not there:
                text = f"{text[:low]}{MASK}{text[high:]}"
        return text


def word_occlusion(scores: Scores, samples: Samples, *, output: NDArray[np.int64]) -> Attributions:
    """Return the score minus that with one word left out, for each word (Li, Monroe and Jurafsky 2016, erasure).

    Parameters
    ----------
    scores : callable
        See `kdaudit.explain.occlusions.Scores`.
    samples : Samples
        n rows of one text.
    output : array of shape (n,)
        Which output is explained in each row.

    Returns
    -------
    Attributions
        ``error`` is 0, since nothing is drawn; ``gap`` is NaN, since single words need not sum to anything.
    """
    game = TextGame(scores, samples, output)
    masks = np.concatenate([np.ones((1, game.units), dtype=bool), ~np.eye(game.units, dtype=bool)])
    worth = game(masks)
    values = (worth[:1] - worth[1:]).T
    nothing = np.full(len(samples), np.nan)
    return Attributions(
        tuple(f"word {i + 1}" for i in range(game.units)),
        values,
        np.zeros_like(values),
        nothing,
        nothing,
        method="occlusion, one word at a time",
        baseline=BASELINE,
        scale="score",
        evaluations=game.units + 1,
        words=game.words,
    )
