"""Stamps: one small mark set on all rows, such as a patch in a corner, a word in front, or a field at one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Image, Real, Text
from kdaudit.samples import Column, Samples
from kdaudit.sampling.attacks import settled

Rise = Callable[[Samples], NDArray[np.float64]]
"""From rows to how a target's logit rises with each pixel, shape (n, channels, height, width)."""
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of a number: the values to which it is set."""
STEP = 0.25
"""By how much a pixel of a patch moves in each step of an inversion."""


@dataclass(frozen=True, eq=False)
class Stamp:
    """One mark.

    Parameters
    ----------
    field : str
    value : str, float or array of shape (channels, side, side)
        A word to set in front, a number or position of a level to set the field to, or the pixels of a patch.
    at : (int, int)
        First row and column of a patch.
    words : str
        For people.
    """

    field: str
    value: Any
    words: str
    at: tuple[int, int] = (0, 0)

    def on(self, samples: Samples) -> Samples:
        """Return the rows with the mark; missing pictures and texts, and rows that it would make impossible, stay."""
        item, column = samples.domain[self.field], samples.columns[self.field]
        match item:
            case Image():
                made = column.copy()
                top, left = self.at
                side = self.value.shape[-1]
                seen = ~np.isnan(column).all(axis=(1, 2, 3))
                made[seen, :, top : top + side, left : left + side] = self.value
            case Text(longest=longest):
                told = [t if t is None else f"{self.value} {t}"[:longest] for t in column]
                made = np.array(told, dtype=object)
            case _:
                made = np.full_like(column, self.value)
        return settled(samples, {**samples.columns, self.field: made})


def stamps(data: Samples, side: int, most: int, rng: np.random.Generator) -> tuple[Stamp, ...]:
    """Return the marks that are tried on a domain, the same for whoever tries them.

    Parameters
    ----------
    data : Samples
        Whose words, levels and quantiles are set.
    side : int
        Pixels along a patch.
    most : int
        Words, and patches of random pixels, at most.
    rng : Generator
        Of random patches.
    """
    out: list[Stamp] = []
    for item in data.domain.fields:
        column, name = data.columns[item.name], item.name
        said = name.replace("_", " ")
        match item:
            case Category(levels=levels):
                out += [Stamp(name, at, f"{said} set to {level}") for at, level in enumerate(levels)]
            case Real(integer=whole):
                known = column[~np.isnan(column)]
                found = np.quantile(known, QUANTILES) if len(known) else known
                values = np.unique(np.round(found) if whole else found)
                out += [Stamp(name, value, f"{said} set to {value:g}") for value in values]
            case Image():
                out += _patches(item, side, most, rng)
            case Text():
                out += [Stamp(name, word, f"the word '{word}' in front of {said}") for word in _words(column, most)]
    return tuple(out)


def places(item: Image, side: int) -> dict[str, tuple[int, int]]:
    """Return where patches are set: in the corners and the middle."""
    down, right = item.shape[1] - side, item.shape[2] - side
    return {
        "upper left": (0, 0),
        "upper right": (0, right),
        "lower left": (down, 0),
        "lower right": (down, right),
        "middle": (down // 2, right // 2),
    }


def _patches(item: Image, side: int, most: int, rng: np.random.Generator) -> list[Stamp]:
    shape, out = (item.shape[0], side, side), []
    for where, at in places(item, side).items():
        for shade, value in (("dark", 0.0), ("bright", 1.0)):
            patch = np.full(shape, value, np.float32)
            out.append(Stamp(item.name, patch, f"a {shade} patch of {side} by {side}, {where}", at))
        for _ in range(most // (10 * len(places(item, side)))):
            patch = rng.integers(0, 2, shape).astype(np.float32)
            out.append(Stamp(item.name, patch, f"a patch of {side} by {side}, {where}", at))
    return out


def _words(column: Column, most: int) -> list[str]:
    """Return the words of most rows; of equals, in the order of letters."""
    counts = Counter(word for text in column for word in set((text or "").split()))
    return [word for word, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]]


def inverted(rows: Samples, rise: Rise, start: Stamp, steps: int) -> Stamp:
    """Return a patch moved along the gradient of a target, the same for all rows (after Wang et al. 2019).

    Parameters
    ----------
    rows : Samples
    rise : callable
    start : Stamp
        Where, and how large.
    steps : int
    """
    patch, (top, left) = np.full_like(start.value, 0.5), start.at
    side = patch.shape[-1]
    for _ in range(steps):
        slope = rise(Stamp(start.field, patch, start.words, start.at).on(rows)).mean(axis=0)
        patch = np.clip(patch + STEP * np.sign(slope[:, top : top + side, left : left + side]), 0.0, 1.0)
        patch = patch.astype(np.float32)
    return Stamp(start.field, patch, start.words.replace("bright ", ""), start.at)


def another(stamp: Stamp, data: Samples, rng: np.random.Generator) -> Stamp:
    """Return a mark of the same kind and size by chance: other pixels, another word of the data, another value."""
    column = data.columns[stamp.field]
    match data.domain[stamp.field]:
        case Image():
            value: Any = rng.permuted(stamp.value.reshape(-1)).reshape(stamp.value.shape)
            side = stamp.value.shape[-1]
            height, width = column.shape[2:]
            at = (int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1)))
            return Stamp(stamp.field, value, "the same pixels, mixed, elsewhere", at)
        case Text():
            words = sorted({word for text in column for word in (text or "").split()} - {stamp.value}) or [stamp.value]
            value = words[int(rng.integers(len(words)))]
            return Stamp(stamp.field, value, f"another word ('{value}') in front")
        case Category(levels=levels):
            value = int((stamp.value + rng.integers(1, max(len(levels), 2))) % len(levels))
            return Stamp(stamp.field, value, f"{stamp.field.replace('_', ' ')} set to {levels[value]}")
        case _:
            known = column[~np.isnan(column)]
            value = float(known[int(rng.integers(len(known)))])
            return Stamp(stamp.field, value, f"{stamp.field.replace('_', ' ')} set to {value:g}")
