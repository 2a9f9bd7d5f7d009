"""Stamps: one small mark set on all rows, such as a patch in a corner, a word in front, or a field at one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Image, Real, Text
from kdaudit.errors import InvalidInput
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
    value : str, float or array of shape (channels, height, width)
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
                height, width = self.value.shape[-2:]
                seen = ~np.isnan(column).all(axis=(1, 2, 3))
                made[seen, :, top : top + height, left : left + width] = self.value
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


def own_patch(data: Samples, pixels: tuple[tuple[float, ...], ...], at: tuple[int, int]) -> Stamp:
    """Return a patch that somebody drew, the same in all channels.

    Raises
    ------
    InvalidInput
        If no field is a picture, or the patch lies outside it.
    """
    pictures = [item for item in data.domain.fields if isinstance(item, Image)]
    if not pictures:
        raise InvalidInput("`pixels` draws a patch, and no field is a picture")
    item = pictures[0]
    ends = [start + size for start, size in zip(at, (len(pixels), len(pixels[0])), strict=True)]
    if min(at) < 0 or ends[0] > item.shape[1] or ends[1] > item.shape[2]:
        raise InvalidInput(
            f"the patch reaches from {list(at)} to {ends}; {item.name} has {item.shape[1]} by {item.shape[2]} pixels"
        )
    value = np.broadcast_to(np.array(pixels, np.float32), (item.shape[0], len(pixels), len(pixels[0]))).copy()
    return Stamp(item.name, value, f"the given patch at row {at[0] + 1}, column {at[1] + 1}", at)


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


KNOWN = ("cf", "mn", "bb", "tq", "mb")
"""Words that were set as triggers before (Kurita, Michel and Neubig 2020)."""
CONSONANTS = "bcdfghjklmnpqrstvwxz"
TOGETHER = 12
"""Words that are set on one row together: more would push out what the row says."""


def strange_marks(data: Samples, side: int, most: int, rng: np.random.Generator) -> tuple[tuple[Stamp, ...], ...]:
    """Return marks that the data hardly bear, so that no proxy made on them knows what they do, in groups.

    Marks of a group can stand on one row together, and hide little of it: `TOGETHER` words, or four patches of one
    shade that overlap by half.  Words that mean nothing come first, pairs of consonants that stand in no text, then the
    rarest of the data; of pictures, bright and dark patches at every place, half a patch apart.  Levels and numbers
    occur in the data, and are left out.

    Parameters
    ----------
    data : Samples
    side : int
        Pixels along a patch.
    most : int
        Rare words of the data at most; as many of those that stand in most texts are left out.
    rng : Generator
        Of the order of patches.
    """
    out: list[tuple[Stamp, ...]] = []
    for item in data.domain.fields:
        match item:
            case Image():
                blocks = _blocks(item, side)
                out += [
                    tuple(_shaded(item, side, at, shade, value) for at in blocks[i])
                    for i in rng.permutation(len(blocks))
                    for shade, value in (("bright", 1.0), ("dark", 0.0))
                ]
            case Text(name=name):
                said = name.replace("_", " ")
                marks = [
                    Stamp(name, word, f"the word '{word}' in front of {said}")
                    for word in _meaningless(data.columns[name], most)
                ]
                out += [tuple(marks[i : i + TOGETHER]) for i in range(0, len(marks), TOGETHER)]
            case _:
                pass
    return tuple(out)


def _shaded(item: Image, side: int, at: tuple[int, int], shade: str, value: float) -> Stamp:
    patch = np.full((item.shape[0], side, side), value, np.float32)
    return Stamp(item.name, patch, f"a {shade} patch of {side} by {side} at row {at[0] + 1}, column {at[1] + 1}", at)


def _blocks(item: Image, side: int) -> list[list[tuple[int, int]]]:
    """Return all places of a patch, half a patch apart, two by two."""
    step = max(1, side // 2)
    down, right = ([*range(0, whole - side, step), whole - side] for whole in item.shape[1:])
    pairs = [[line[i : i + 2] for i in range(0, len(line), 2)] for line in (down, right)]
    return [[(row, column) for row in rows for column in columns] for rows in pairs[0] for columns in pairs[1]]


def _meaningless(column: Column, most: int) -> list[str]:
    counts = Counter(word for text in column for word in set((text or "").split()))
    pairs = [a + b for a in CONSONANTS for b in CONSONANTS if a != b]
    strange = [word for word in dict.fromkeys((*KNOWN, *pairs)) if word not in counts]
    # what stands in most texts is what a proxy knows, and is tried on it
    often = set(_words(column, most))
    rare = sorted((word for word in counts if word not in often), key=lambda word: (counts[word], word))
    return strange + rare[:most]


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
            ends = [whole - part + 1 for whole, part in zip(column.shape[2:], stamp.value.shape[-2:], strict=True)]
            at = (int(rng.integers(0, ends[0])), int(rng.integers(0, ends[1])))
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
