"""Rows changed a little so that a decision may turn: along gradients, by search, or by chance.

Nobody is asked here: who makes a change hands in a slope or a margin.  Changes stay inside the domain, inside the range
of the data, and inside a reach that is the same for whoever makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.condition import parse
from kdaudit.domain import Category, Image, Real, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.samples import Column, Origin, Samples

Floats = NDArray[np.float64]
Slope = Callable[[NDArray[np.float32]], Floats]
"""From encoded rows, shape (n, width), to how a margin falls with each column, shape (n, width)."""
Margin = Callable[[Samples, NDArray[np.int64]], Floats]
"""From rows, and the position of the row that each descends from, to how far they are from another decision;
at most 0 where it has turned."""
CHANGED = Origin("rows of the data, changed a little", "made")
OVERSHOOT = 2.5
"""Steps of a climb add up to this many times its reach, so that it can go along the edge (Madry et al. 2018)."""
LARGEST_WINDOW = 0.5
"""Share of a picture that the first windows of a search cover."""


@dataclass(frozen=True)
class Reach:
    """How far a row may be changed.

    Parameters
    ----------
    size : float
        Of a number, in standard deviations of `data`; of a pixel, in [0, 1].
    swaps : int
        Categories whose level, and words that, may be exchanged.
    fields : tuple of str
        Fields that may be changed.
    ends, spreads : mapping of str to numbers
        Of each number that may be changed: range and standard deviation.
    words : tuple of str
        What words may be exchanged for.
    longest : int
        Characters of a text.
    """

    size: float
    swaps: int
    fields: tuple[str, ...]
    ends: Mapping[str, tuple[float, float]]
    spreads: Mapping[str, float]
    words: tuple[str, ...] = ()
    longest: int = 100_000

    @classmethod
    def over(cls, data: Samples, size: float, swaps: int, fields: tuple[str, ...] = ()) -> Reach:
        """Return the reach inside the range of `data`; without `fields`, all that are not immutable.

        Raises
        ------
        InvalidInput
            If nothing can be changed.
        """
        chosen = fields or tuple(item.name for item in data.domain.fields if not item.immutable)
        ends, spreads, words, longest = {}, {}, set[str](), 100_000
        for name in chosen:
            match data.domain[name]:
                case Real():
                    known = data.columns[name][~np.isnan(data.columns[name])]
                    ends[name] = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
                    spreads[name] = float(known.std()) if len(known) else 0.0
                case Text(longest=most):
                    longest = min(longest, most)
                    words |= {word for text in data.columns[name] for word in (text or "").split()}
                case _:
                    pass
        if not chosen:
            raise InvalidInput("all fields are immutable; name in `fields` those that may be changed")
        return cls(size, swaps, chosen, ends, spreads, tuple(sorted(words)), longest)

    def box(self, item: Real | Image, own: Column) -> tuple[Column, Column]:
        """Return the least and the largest value that each row may take, of the shape of `own`; NaN stays NaN."""
        if isinstance(item, Image):
            return np.clip(own - self.size, 0.0, 1.0), np.clip(own + self.size, 0.0, 1.0)
        low, high = self.ends[item.name]
        far = self.size * self.spreads[item.name]
        # a value outside the range of the data stays possible for its own row
        return np.maximum(own - far, np.minimum(low, own)), np.minimum(own + far, np.maximum(high, own))


def climbed(rows: Samples, encoding: Encoding | Pictures, slope: Slope, reach: Reach, steps: int) -> Samples:
    """Return rows changed along the gradient of a network.

    One step is the fast gradient sign (Goodfellow et al. 2015); several are projected descent in the max-norm (Madry et
    al. 2018).  Levels are exchanged first, those that promise most by the first-order estimate (Ebrahimi et al. 2018).

    Parameters
    ----------
    rows : Samples
        n rows.
    encoding : Encoding or Pictures
        Of the network; of the rows' own fields.
    slope : callable
        The network's.
    reach : Reach
    steps : int
        At least 1.
    """
    start = encoding.encode(rows).astype(np.float64)
    z, low, high = _swapped(start, encoding, slope, reach), start.copy(), start.copy()
    for item, columns, (mean, scale) in _numbers(encoding):
        if item.name in reach.fields:
            own = rows.columns[item.name].astype(np.float64)
            for end, box in zip((low, high), reach.box(item, own), strict=True):
                moved = (box.reshape(len(rows), -1) - mean) / scale
                end[:, columns] = np.where(np.isnan(moved), start[:, columns], moved)
    fixed = ~np.isin(np.arange(start.shape[1]), [c for _, columns, _ in _numbers(encoding) for c in columns])
    low[:, fixed] = high[:, fixed] = z[:, fixed]
    rate = (1.0 if steps == 1 else OVERSHOOT / steps) * np.maximum(high - z, z - low).max(axis=0)
    for _ in range(steps):
        z = np.clip(z + rate * np.sign(slope(z.astype(np.float32))), low, high)
    return _decoded(rows, z, start, encoding, reach)


def _numbers(encoding: Encoding | Pictures) -> list[tuple[Real | Image, list[int], tuple[float, float]]]:
    """Return each number or picture with its columns, mean and scale."""
    if isinstance(encoding, Pictures):
        return [(encoding.image, list(range(encoding.width)), (encoding.mean, encoding.scale))]
    scales = iter(zip(encoding.means, encoding.scales, strict=True))
    pairs = zip(encoding.domain.fields, encoding.units.columns, strict=True)
    return [(item, [columns[0]], next(scales)) for item, columns in pairs if isinstance(item, Real)]


def _levels(encoding: Encoding | Pictures, reach: Reach) -> list[tuple[str, list[int]]]:
    """Return each category that may be changed with the columns of its levels."""
    if isinstance(encoding, Pictures):
        return []
    return [
        (item.name, list(columns[: len(item.levels)]))
        for item, columns in zip(encoding.domain.fields, encoding.units.columns, strict=True)
        if isinstance(item, Category) and item.name in reach.fields
    ]


def _swapped(start: Floats, encoding: Encoding | Pictures, slope: Slope, reach: Reach) -> Floats:
    """Return encoded rows with up to `swaps` levels exchanged, one field each, while the estimate gains."""
    z = start.copy()
    blocks = [block for _, block in _levels(encoding, reach)]
    for _ in range(min(reach.swaps, len(blocks))):
        steep = slope(z.astype(np.float32))
        gains = []
        for block in blocks:
            gain = steep[:, block] - (steep[:, block] * z[:, block]).sum(axis=1, keepdims=True)
            # a missing level stays missing, and a field is exchanged once
            still = (z[:, block].sum(axis=1) > 0) & (z[:, block] == start[:, block]).all(axis=1)
            gains.append(np.where(still[:, None], gain, -np.inf))
        best = np.stack([gain.max(axis=1) for gain in gains], axis=1)
        for place, block in enumerate(blocks):
            rows = np.flatnonzero((best.argmax(axis=1) == place) & (best.max(axis=1) > 0))
            z[rows[:, None], np.asarray(block)] = 0.0
            z[rows, np.asarray(block)[gains[place][rows].argmax(axis=1)]] = 1.0
    return z


def _decoded(rows: Samples, z: Floats, start: Floats, encoding: Encoding | Pictures, reach: Reach) -> Samples:
    columns = dict(rows.columns)
    for item, at, (mean, scale) in _numbers(encoding):
        if item.name in reach.fields:
            own = rows.columns[item.name]
            value = (z[:, at] * scale + mean).reshape(own.shape)
            stays = (z[:, at] == start[:, at]).reshape(own.shape)
            columns[item.name] = _fitting(item, own, np.where(stays, own, value), reach)
    for name, block in _levels(encoding, reach):
        own = rows.columns[name]
        columns[name] = np.where(own >= 0, z[:, block].argmax(axis=1), own).astype(own.dtype)
    return settled(rows, columns)


def _fitting(item: Real | Image, own: Column, value: Column, reach: Reach) -> Column:
    """Return values inside the reach, whole where they must be; rounded towards the row's own."""
    low, high = reach.box(item, own.astype(np.float64))
    value = np.clip(value, low, high)
    if isinstance(item, Image):
        return value.astype(np.float32)
    return own + np.trunc(value - own) if item.integer else value


def settled(rows: Samples, columns: Mapping[str, Column]) -> Samples:
    """Return the changed rows; one that breaks a constraint of the domain stays as it was."""
    made = Samples(rows.domain, columns, rows.ids, CHANGED)
    broken = np.zeros(len(rows), dtype=bool)
    for text in rows.domain.constraints:
        broken |= ~parse(text, rows.domain).mask(made)
    if not broken.any():
        return made
    kept = {}
    for name, column in made.columns.items():
        where = broken.reshape(-1, *(1,) * (column.ndim - 1))
        kept[name] = np.where(where, rows.columns[name], column)
    return Samples(rows.domain, kept, rows.ids, CHANGED)


def searched(
    rows: Samples, margin: Margin, reach: Reach, rng: np.random.Generator, *, rounds: int, brood: int
) -> Samples:
    """Return rows changed by search, for whoever has no gradient: of each row's changes the nearest to turning is kept.

    Numbers go to an edge of their reach or between, levels and words are exchanged, pictures change in squares
    (Andriushchenko et al. 2020), which shrink.

    Parameters
    ----------
    rows : Samples
        n rows.
    margin : callable
    reach : Reach
    rng : Generator
    rounds, brood : int
        How often each row is changed further, and in how many ways each time.
    """
    best, lowest = rows, margin(rows, np.arange(len(rows)))
    for k in range(rounds):
        open_ = np.flatnonzero(lowest > 0)
        if not len(open_):
            break
        parent = np.repeat(open_, brood)
        first, now = rows.take(parent), best.take(parent)
        share = LARGEST_WINDOW * (1 - k / rounds) ** 2
        children = settled(first, _mutated(first, now, reach, rng, 0.0 if k == 0 else share))
        found = margin(children, parent).reshape(len(open_), brood)
        which = found.argmin(axis=1)
        gains = found[np.arange(len(open_)), which] < lowest[open_]
        at = open_[gains]
        columns = {name: column.copy() for name, column in best.columns.items()}
        chosen = (np.arange(len(open_)) * brood + which)[gains]
        for name, column in columns.items():
            column[at] = children.columns[name][chosen]
        lowest[at] = found[np.arange(len(open_)), which][gains]
        best = Samples(rows.domain, columns, rows.ids, CHANGED)
    return best


def _mutated(
    first: Samples, now: Samples, reach: Reach, rng: np.random.Generator, share: float
) -> Mapping[str, Column]:
    """Return the columns of `now` with one field of each row changed, counted from `first`."""
    n, columns = len(first), dict(now.columns)
    swapped = np.zeros(n, dtype=np.int64)
    for name in reach.fields:
        if isinstance(first.domain[name], Category):
            swapped += first.columns[name] != now.columns[name]
    which = rng.integers(0, len(reach.fields), n)
    for place, name in enumerate(reach.fields):
        item, own, here = first.domain[name], first.columns[name], now.columns[name]
        turn = which == place
        match item:
            case Real():
                low, high = reach.box(item, own)
                share_ = rng.choice([0.0, 1.0, np.nan], n)
                share_ = np.where(np.isnan(share_), rng.random(n), share_)
                moved = _fitting(item, own, low + share_ * (high - low), reach)
                columns[name] = np.where(turn & ~np.isnan(own), moved, here)
            case Category(levels=levels):
                allowed = turn & (own >= 0) & ((swapped < reach.swaps) | (own != here))
                columns[name] = np.where(allowed, rng.integers(0, len(levels), n), here).astype(own.dtype)
            case Image():
                columns[name] = _window(item, own, here, reach, rng, share)
            case Text():
                columns[name] = _reworded(own, here, turn, reach, rng)
    return columns


def _window(item: Image, own: Column, here: Column, reach: Reach, rng: np.random.Generator, share: float) -> Column:
    """Return pictures with one square at the edge of the reach; at first (share 0) with stripes all over."""
    channels, height, width = item.shape
    low, high = reach.box(item, own)
    n = len(own)
    if share <= 0:
        up = rng.random((n, channels, 1, width)) < 0.5
        return np.where(up, high, low).astype(np.float32)
    side = max(1, round(float(np.sqrt(share * height * width))))
    top, left = (rng.integers(0, max(end - side, 0) + 1, n)[:, None] for end in (height, width))
    rows_, columns_ = np.arange(height), np.arange(width)
    inside = ((rows_ >= top) & (rows_ < top + side))[:, None, :, None]
    inside = inside & ((columns_ >= left) & (columns_ < left + side))[:, None, None, :]
    up = rng.random((n, channels, 1, 1)) < 0.5
    return np.where(inside, np.where(up, high, low), here).astype(np.float32)


def _reworded(own: Column, here: Column, turn: NDArray[np.bool_], reach: Reach, rng: np.random.Generator) -> Column:
    """Return texts with one word exchanged, at most `swaps` of them counted from `own`."""
    out = here.copy()
    for row in np.flatnonzero(turn):
        if own[row] is None or not reach.words or not reach.swaps:
            continue
        first, words = own[row].split(), here[row].split()
        if not words:
            continue
        changed = [i for i, (a, b) in enumerate(zip(first, words, strict=True)) if a != b]
        places = changed if len(changed) >= reach.swaps else range(len(words))
        words[places[int(rng.integers(len(places)))]] = reach.words[int(rng.integers(len(reach.words)))]
        told = " ".join(words)
        out[row] = told if len(told) <= reach.longest else here[row]
    return out


def by_chance(rows: Samples, moved: Samples, reach: Reach, rng: np.random.Generator) -> Samples:
    """Return rows changed by chance as far as `moved` is: the same distances with signs of their own.

    Numbers and pixels move as far, up or down by chance; as many levels and words are exchanged, for any.

    Parameters
    ----------
    rows, moved : Samples
        Before and after changes that somebody made.
    reach : Reach
    rng : Generator
    """
    n, columns = len(rows), dict(rows.columns)
    levels = [name for name in reach.fields if isinstance(rows.domain[name], Category)]
    changed = sum((rows.columns[name] != moved.columns[name]).astype(np.int64) for name in levels)
    # as many fields as were exchanged, drawn by chance for each row
    rank = np.argsort(np.argsort(rng.random((n, len(levels))), axis=1), axis=1)
    for name in reach.fields:
        item, own, other = rows.domain[name], rows.columns[name], moved.columns[name]
        match item:
            case Real() | Image():
                sign = rng.integers(0, 2, own.shape) * 2 - 1
                far = np.abs(other.astype(np.float64) - own)
                columns[name] = _fitting(item, own, own + sign * far, reach)
            case Category(levels=names):
                turn = (rank[:, levels.index(name)] < changed) & (own >= 0)
                another = (own + rng.integers(1, max(len(names), 2), n)) % len(names)
                columns[name] = np.where(turn, another, own).astype(own.dtype)
            case Text():
                columns[name] = _other_words(own, other, reach, rng)
    return settled(rows, columns)


def _other_words(own: Column, other: Column, reach: Reach, rng: np.random.Generator) -> Column:
    out = own.copy()
    for row, (a, b) in enumerate(zip(own, other, strict=True)):
        if a is None or a == b or not reach.words:
            continue
        words = a.split()
        count = sum(x != y for x, y in zip(words, b.split(), strict=True))
        for place in rng.choice(len(words), count, replace=False):
            words[int(place)] = reach.words[int(rng.integers(len(reach.words)))]
        told = " ".join(words)
        out[row] = told if len(told) <= reach.longest else a
    return out
