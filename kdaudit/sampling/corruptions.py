"""Rows as they come when something went wrong: noise, blur, missing fields, exchanged levels, typing errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.condition import parse
from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Column, Origin, Samples

Kind = Literal["noise", "missing", "exchange", "blur", "brightness", "contrast", "occlusion", "typos", "dropped_words"]
CORRUPTED = Origin("rows of the data, corrupted", "made")
FITS: dict[Kind, tuple[type, ...]] = {
    "noise": (Real, Image),
    "missing": (Real, Category, Image, Text),
    "exchange": (Category,),
    "blur": (Image,),
    "brightness": (Image,),
    "contrast": (Image,),
    "occlusion": (Image,),
    "typos": (Text,),
    "dropped_words": (Text,),
}
"""Kind -> kinds of fields that it changes."""


@dataclass(frozen=True)
class Corruption:
    """One way in which rows go wrong.

    Parameters
    ----------
    kind : str
        See `FITS`; pictures after Hendrycks and Dietterich (2019).
    strength : float
        Above 0.  Noise: standard deviation, of numbers in standard deviations, of pixels in [0, 1].  Exchange, typos,
        dropped words: share of values, letters or words.  Brightness: added to each pixel.  Contrast, occlusion: share
        that is lost or covered.  Missing and blur (3 by 3) have none.
    field : str
        Which field; empty for all that it fits.
    """

    kind: Kind
    strength: float
    field: str = ""

    @property
    def words(self) -> str:
        """What happens, for people."""
        if self.kind == "missing":
            return f"{self.field.replace('_', ' ')} missing"
        told = "" if self.kind == "blur" else f" {self.strength:g}"
        return f"{self.kind.replace('_', ' ')}{told}" + (f" of {self.field.replace('_', ' ')}" if self.field else "")


def fitting(domain: Domain, kinds: tuple[Kind, ...], strength: float) -> tuple[Corruption, ...]:
    """Return the corruptions of a domain: each kind that fits a field once, and "missing" once a field.

    Raises
    ------
    InvalidInput
        If a kind fits no field.
    """
    out = []
    for kind in kinds or tuple(FITS):
        fields = [item.name for item in domain.fields if isinstance(item, FITS[kind])]
        if kinds and not fields:
            raise InvalidInput(f"corruption {kind!r} fits none of the fields {', '.join(domain.names)}")
        if kind == "missing":
            # of a single field nothing would be left
            out += [Corruption(kind, strength, name) for name in fields if kinds or len(domain.fields) > 1]
        elif fields:
            out.append(Corruption(kind, strength))
    return tuple(out)


def corrupted(samples: Samples, how: Corruption, rng: np.random.Generator) -> Samples:
    """Return the rows corrupted; one that then breaks a constraint of the domain stays as it was.

    Parameters
    ----------
    samples : Samples
    how : Corruption
    rng : Generator
    """
    columns = dict(samples.columns)
    for item in samples.domain.fields:
        if isinstance(item, FITS[how.kind]) and how.field in ("", item.name):
            columns[item.name] = _change(item, columns[item.name], how, rng)
    made = Samples(samples.domain, columns, samples.ids, CORRUPTED)
    broken = np.zeros(len(samples), dtype=bool)
    for text in samples.domain.constraints:
        broken |= ~parse(text, samples.domain).mask(made)
    kept: Mapping[str, Column] = {
        name: np.where(broken.reshape(-1, *(1,) * (column.ndim - 1)), samples.columns[name], column)
        for name, column in made.columns.items()
    }
    return Samples(samples.domain, kept, samples.ids, CORRUPTED)


def _change(item: Real | Category | Image | Text, column: Column, how: Corruption, rng: np.random.Generator) -> Column:
    if how.kind == "missing":
        return _gone(item, column)
    match item:
        case Real():
            known = column[~np.isnan(column)]
            moved = column + how.strength * (known.std() if len(known) else 0.0) * rng.normal(size=len(column))
            moved = np.clip(moved, known.min(), known.max()) if len(known) else moved
            return np.round(moved) if item.integer else moved
        case Category():
            turn = (rng.random(len(column)) < how.strength) & (column >= 0)
            lent = rng.permutation(column)
            return np.where(turn & (lent >= 0), lent, column).astype(column.dtype)
        case Image():
            return np.clip(PICTURES[how.kind](column, how.strength, rng), 0.0, 1.0).astype(np.float32)
        case _:
            change = _typed if how.kind == "typos" else _dropped
            told = [None if text is None else change(text, how.strength, rng)[: item.longest] for text in column]
            return np.array(told, dtype=object)


def _gone(item: Real | Category | Image | Text, column: Column) -> Column:
    """Return the column missing, where the field admits it; else at its most usual value, as forms fill it in."""
    match item:
        case Real(missing=missing):
            usual = np.median(column[~np.isnan(column)]) if not missing else np.nan
            return np.full_like(column, np.round(usual) if item.integer else usual)
        case Category(missing=missing, levels=levels):
            counts = np.bincount(column[column >= 0], minlength=len(levels))
            return np.full_like(column, -1 if missing else counts.argmax())
        case Image(missing=missing):
            return np.full_like(column, np.nan if missing else column.mean())
        case Text(missing=missing):
            return np.array([None if missing else ""] * len(column), dtype=object)


def _noise(x: Column, strength: float, rng: np.random.Generator) -> Column:
    return x + strength * rng.normal(size=x.shape)


def _blur(x: Column, strength: float, rng: np.random.Generator) -> Column:  # noqa: ARG001 - one strength, no chance
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = x.shape[2:]
    parts = [wide[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.asarray(np.mean(parts, axis=0))


def _brightness(x: Column, strength: float, rng: np.random.Generator) -> Column:  # noqa: ARG001 - no chance
    return x + strength


def _contrast(x: Column, strength: float, rng: np.random.Generator) -> Column:  # noqa: ARG001 - no chance
    middle = x.mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(middle + (1 - min(strength, 1.0)) * (x - middle))


def _occlusion(x: Column, strength: float, rng: np.random.Generator) -> Column:
    height, width = x.shape[2:]
    tall, wide = (max(1, round(np.sqrt(min(strength, 1.0)) * side)) for side in (height, width))
    top, left = (rng.integers(0, end - side + 1, len(x)) for end, side in ((height, tall), (width, wide)))
    rows = (np.arange(height) >= top[:, None]) & (np.arange(height) < top[:, None] + tall)
    columns = (np.arange(width) >= left[:, None]) & (np.arange(width) < left[:, None] + wide)
    covered: NDArray[np.bool_] = rows[:, None, :, None] & columns[:, None, None, :]
    return np.where(covered, 0.5, x)


PICTURES: dict[Kind, Callable[[Column, float, np.random.Generator], Column]] = {
    "noise": _noise,
    "blur": _blur,
    "brightness": _brightness,
    "contrast": _contrast,
    "occlusion": _occlusion,
}


def _typed(text: str, share: float, rng: np.random.Generator) -> str:
    """Return the text with neighbouring letters exchanged, each pair with chance `share`."""
    letters = list(text)
    for i in np.flatnonzero(rng.random(max(len(letters) - 1, 0)) < share):
        letters[i], letters[i + 1] = letters[i + 1], letters[i]
    return "".join(letters)


def _dropped(text: str, share: float, rng: np.random.Generator) -> str:
    words = text.split()
    kept = rng.random(len(words)) >= share
    return " ".join(word for word, stays in zip(words, kept, strict=True) if stays)
