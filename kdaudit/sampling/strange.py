"""Rows unlike all data: fields that do not belong together, or values drawn evenly from all that a field admits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Image, Real, Text
from kdaudit.samples import Column, Samples
from kdaudit.sampling.attacks import settled

Way = Literal["mixed", "drawn"]
WORDS: dict[Way, str] = {
    "mixed": "rows whose fields come from rows of their own (pixels and words in random order)",
    "drawn": "rows drawn evenly from all that the fields admit",
}


def strange(samples: Samples, way: Way, rng: np.random.Generator) -> Samples:
    """Return as many rows unlike all data; one that would break a constraint of the domain stays as it was.

    Parameters
    ----------
    samples : Samples
    way : {"mixed", "drawn"}
        Mixed: each field is exchanged between rows, so that every value occurs and no row does; pixels of a picture and
        words of a text are in random order.  Drawn: evenly over levels and ranges (over thrice the range of the data
        where the domain sets none), pixels of noise, words of any text.
    rng : Generator
    """
    change = _mixed if way == "mixed" else _drawn
    columns = {item.name: change(item, samples.columns[item.name], rng) for item in samples.domain.fields}
    return settled(samples, columns)


def _mixed(item: Real | Category | Image | Text, column: Column, rng: np.random.Generator) -> Column:
    lent = column[rng.permutation(len(column))]
    match item:
        case Image(shape=shape):
            flat = rng.permuted(lent.reshape(len(lent), shape[0], -1), axis=2)
            return flat.reshape(lent.shape)
        case Text(longest=longest):
            return _texts([text.split() if text else [] for text in lent], longest, rng)
        case _:
            return lent


def _drawn(item: Real | Category | Image | Text, column: Column, rng: np.random.Generator) -> Column:
    n = len(column)
    match item:
        case Real(integer=whole):
            low, high = _ends(item, column)
            made = rng.uniform(low, high, n)
            return np.clip(np.round(made), np.ceil(low), np.floor(high)) if whole else made
        case Category(levels=levels):
            return rng.integers(0, len(levels), n).astype(column.dtype)
        case Image():
            return rng.random(column.shape).astype(np.float32)
        case Text(longest=longest):
            words = np.array(sorted({word for text in column for word in (text or "").split()}) or [""], dtype=object)
            counts = [len((text or "").split()) for text in column]
            return _texts([list(words[rng.integers(len(words), size=count)]) for count in counts], longest, rng)


def _ends(item: Real, column: NDArray[np.float64]) -> tuple[float, float]:
    known = column[~np.isnan(column)]
    least, most = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    far = most - least
    return (least - far if item.low is None else item.low), (most + far if item.high is None else item.high)


def _texts(words: list[list[str]], longest: int, rng: np.random.Generator) -> Column:
    out = np.empty(len(words), dtype=object)
    for at, told in enumerate(words):
        out[at] = " ".join(told[i] for i in rng.permutation(len(told)))[:longest]
    return out
