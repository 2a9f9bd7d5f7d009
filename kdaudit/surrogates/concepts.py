"""Concepts given by labelled examples, as a field that a rule can test: a linear readout of words or pixels.

As concept activation vectors are found in a network's layer (Kim et al., 2018), here in what a person sees: by ridge
regression on the examples' labels.  How well it tells examples that it was not made from stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.surrogates.scenes import patches
from kdaudit.surrogates.texts import Terms, words_of

Floats = NDArray[np.float64]
FEWEST = 5
"""Examples of each kind."""
MOST_WORDS = 500
"""Words of the examples that a concept of texts may weigh."""
SIDE = 16
"""A concept of pictures weighs at most so many patches along each side."""
RIDGE = 1.0
DIGITS = 6
"""Significant digits of a weight: the same bytes whatever order sums were made in."""


@dataclass(frozen=True)
class Concept:
    """How much of a concept is in a row, from 0 to 1; above a half it is rather there than not.

    Parameters
    ----------
    name : str
    field : str
        The text or picture that it is read off.
    terms : tuple of str
        Of a text: the words that are weighed.
    side : int
        Of a picture: patches along each side.
    weights : tuple of float
        One a word or patch.
    start : float
        What is said of a row with none of them.
    right : float
        Share of the examples that it tells, each by a readout made without it.
    """

    kind: ClassVar[str] = "concept"
    name: str
    field: str
    terms: tuple[str, ...]
    side: int
    weights: tuple[float, ...]
    start: float
    right: float

    @property
    def fields(self) -> tuple[Real, ...]:
        """One number from 0 to 1."""
        return (Real(f"concept_{self.name}", 0, 1),)

    def columns(self, samples: Samples) -> list[Floats]:
        """Return how much of the concept is in each row."""
        total = np.full(len(samples), self.start)
        for weight, column in zip(self.weights, _features(samples, self.field, self.terms, self.side), strict=True):
            total += weight * column
        return [np.clip(total, 0.0, 1.0)]

    def words(self) -> str:
        """Return what is read, in words, with how far it can be believed."""
        return f"the concept {self.name} in {self.field}, which tells {self.right:.0%} of its examples, each left out"


def concept(name: str, samples: Samples, examples: Mapping[str, object]) -> Concept:
    """Return a concept from examples.

    Parameters
    ----------
    name : str
        An identifier.
    samples : Samples
        Rows that hold the examples.
    examples : mapping
        ``yes`` and ``no``: ids of rows with and without the concept; ``field``: the text or picture, where the domain
        has several.

    Raises
    ------
    InvalidInput
        If there are fewer than five examples of either kind among the rows, or no text or picture to read them off.
    """
    field = _field(name, samples, examples)
    ids = {str(one): at for at, one in enumerate(samples.ids.tolist())}
    rows = {}
    for kind in ("yes", "no"):
        given = examples.get(kind, ())
        named = [str(one) for one in given] if isinstance(given, list | tuple) else []
        rows[kind] = sorted({ids[one] for one in named if one in ids})
        if len(rows[kind]) < FEWEST:
            raise InvalidInput(
                f"concept {name!r} has {len(rows[kind])} examples under {kind!r} among the {len(samples)} rows that "
                f"proxies are made from; at least {FEWEST} ids of such rows were expected"
            )
    some = samples.take(np.array(rows["yes"] + rows["no"]))
    label = np.repeat([1.0, 0.0], [len(rows["yes"]), len(rows["no"])])
    is_text = isinstance(samples.domain[field], Text)
    terms = _common(some.columns[field].tolist()) if is_text else ()
    side = 0 if is_text else SIDE
    weights, start, right = _readout(np.stack(_features(some, field, terms, side), axis=1), label)
    return Concept(name, field, terms, side, weights, start, right)


def _field(name: str, samples: Samples, examples: Mapping[str, object]) -> str:
    shown = [item.name for item in samples.domain.fields if isinstance(item, Text | Image)]
    field = examples.get("field", shown[0] if len(shown) == 1 else "")
    strange = sorted(set(examples) - {"yes", "no", "field"})
    if field not in shown or strange or not name.isidentifier():
        raise InvalidInput(
            f"concept {name!r} is given by {', '.join(sorted(map(str, examples)))}; lists of ids under `yes` and `no`, "
            f"and as `field` one of {', '.join(shown) or 'the texts and pictures (there are none)'} were expected"
        )
    return str(field)


def _common(texts: list[str | None]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for text in texts:
        for word in set(words_of(text)):
            counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:MOST_WORDS])


def _features(samples: Samples, field: str, terms: tuple[str, ...], side: int) -> list[Floats]:
    item = samples.domain[field]
    if isinstance(item, Image):
        return patches(item, side).columns(samples)
    return [np.minimum(column, 1.0) for column in Terms(field, terms).columns(samples)]


def _readout(points: Floats, label: Floats) -> tuple[tuple[float, ...], float, float]:
    """Return weights, start, and the share of examples told right, each left out (ridge regression, dual form)."""
    centre, middle = points.mean(axis=0), float(label.mean())
    shifted = points - centre
    inverse = np.linalg.inv(shifted @ shifted.T + RIDGE * np.eye(len(label)))
    dual = inverse @ (label - middle)
    weights = [float(f"{w:.{DIGITS}g}") for w in shifted.T @ dual]
    # what a row left out is told by the rest (Allen, 1974), its share of the mean included
    hat = np.eye(len(label)) - RIDGE * inverse + 1.0 / len(label)
    left_out = label - RIDGE * dual / np.maximum(1.0 - np.diag(hat), 1e-9)
    right = float(((left_out > 0.5) == (label > 0.5)).mean())
    start = float(f"{middle - float(centre @ np.array(weights)):.{DIGITS}g}")
    return tuple(weights), start, round(right, DIGITS)
