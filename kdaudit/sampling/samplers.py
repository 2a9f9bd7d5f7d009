"""Ways to draw new rows around given ones.

Each takes rows, how many to draw and a generator, and returns columns with the row that each new one was drawn around.
None of them leaves the domain's ranges, breaks a whole number, or invents a level.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kdaudit.domain import Category, Domain, Field, Image, Real, Text
from kdaudit.samples import Samples
from kdaudit.sampling.columns import Column, Positions, absent, atoms, kept_inside, spread
from kdaudit.sampling.neighbours import neighbours

Columns = dict[str, Column]
Sampler = Callable[[Samples, int, np.random.Generator], tuple[Columns, Positions]]
"""``sampler(rows, n, rng)`` -> columns of n rows, and the position of the row that each was drawn around."""

KEPT = 0.75
"""Smearing keeps a value with this chance."""
WIDTH = 0.25
"""Jitter moves a number by a normal step of so many standard deviations."""
SWAPPED = 0.1
"""Jitter gives a level (or a number that many rows share) another row's with this chance."""
NEAR = 10
"""Interpolation goes towards one of so many nearest neighbours."""
LEFT_OUT = 0.25
"""Jitter leaves out a word of a text, and gives a patch of a picture another row's, with this chance."""
SIDE = 4
"""Patches along each side of a picture."""


def smeared(samples: Samples, n: int, rng: np.random.Generator) -> tuple[Columns, Positions]:
    """Keep each value with chance 3/4, else take that of another row (smearing: Breiman and Shang, 1996)."""
    parents = rng.integers(len(samples), size=n)
    out: Columns = {}
    for name, column in samples.columns.items():
        keeps = rng.random(n) < KEPT
        out[name] = column[np.where(keeps, parents, rng.integers(len(samples), size=n))]
    return out, parents


def jittered(samples: Samples, n: int, rng: np.random.Generator) -> tuple[Columns, Positions]:
    """Move numbers by a normal step of a quarter of their spread, and swap a tenth of the levels between rows.

    Texts lose some of their words (as in LIME: Ribeiro, Singh and Guestrin, 2016), pictures get some patches of others.
    """
    parents = rng.integers(len(samples), size=n)
    out: Columns = {}
    for name, column in samples.columns.items():
        own = column[parents]
        swapped = np.where(_shaped(rng.random(n) < SWAPPED, own), column[rng.integers(len(samples), size=n)], own)
        item = samples.domain[name]
        if not isinstance(item, Real):
            out[name] = _parted(item, own, swapped, column, rng)
            continue
        moved = kept_inside(item, own + WIDTH * spread(samples, name) * rng.standard_normal(n), column)
        out[name] = np.where(np.isin(own, atoms(samples, name)), swapped, moved)
    return out, parents


def _parted(item: Field, own: Column, swapped: Column, column: Column, rng: np.random.Generator) -> Column:
    """Return levels swapped, texts without some of their words, pictures with some patches of others."""
    match item:
        case Text():
            out = np.empty(len(own), dtype=object)
            for at, text in enumerate(own):
                words = [] if text is None else text.split()
                kept = [word for word, stays in zip(words, rng.random(len(words)) >= LEFT_OUT, strict=True) if stays]
                # a text of which nothing would be left stays whole
                out[at] = " ".join(kept) if kept else text
            return out
        case Image(shape=(_, height, width)):
            down, across = (np.arange(side) * SIDE // side for side in (height, width))
            chosen = rng.random((len(own), SIDE, SIDE)) < LEFT_OUT
            others = column[rng.integers(len(column), size=len(own))]
            return np.where(chosen[:, None, down[:, None], across[None, :]], others, own)
        case _:
            return swapped


def interpolated(samples: Samples, n: int, rng: np.random.Generator) -> tuple[Columns, Positions]:
    """Go a random part of the way to one of the ten nearest rows (as in SMOTE: Chawla et al., 2002).

    Pictures are blended.  Levels, texts, and numbers of which one is missing, are taken from either of the two.
    """
    parents = rng.integers(len(samples), size=n)
    near = neighbours(samples, np.unique(parents), NEAR, rng)
    if near.shape[1] == 0:
        return {name: column[parents] for name, column in samples.columns.items()}, parents
    row = np.searchsorted(np.unique(parents), parents)
    others = near[row, rng.integers(near.shape[1], size=n)]
    return between(samples, parents, others, rng.random(n), rng), parents


def between(samples: Samples, first: Positions, second: Positions, share: Column, rng: np.random.Generator) -> Columns:
    """Return rows that lie `share` of the way from the rows `first` to the rows `second`."""
    out: Columns = {}
    for name, column in samples.columns.items():
        a, b = column[first], column[second]
        # by the share and not by a coin: near a row its levels are its own
        from_second = rng.random(len(first)) < share
        picked = np.where(_shaped(from_second, a), b, a)
        item = samples.domain[name]
        if isinstance(item, Image):
            part = _shaped(share, a)
            blended = np.clip(a * (1.0 - part) + b * part, 0.0, 1.0).astype(np.float32)
            out[name] = np.where(np.isnan(blended), picked, blended)
            continue
        if not isinstance(item, Real):
            out[name] = picked
            continue
        with np.errstate(invalid="ignore"):
            moved = kept_inside(item, a * (1.0 - share) + b * share, column)
        out[name] = np.where(np.isnan(a) | np.isnan(b), picked, moved)
    return out


def _shaped(mask: Column, like: Column) -> Column:
    return mask.reshape(-1, *([1] * (like.ndim - 1)))


def flipped(samples: Samples, rng: np.random.Generator) -> tuple[Columns, Positions]:
    """Return each row with one protected category set to another level, all else kept; no row where none is protected.

    With several protected categories each row has one of them changed, by chance; rows in which it is missing stay out.
    """
    names = [name for name in samples.domain.protected if _changeable(samples.domain, name)]
    rows = np.arange(len(samples))
    if not names:
        return {name: column[:0] for name, column in samples.columns.items()}, rows[:0]
    out = {name: column.copy() for name, column in samples.columns.items()}
    which = rng.integers(len(names), size=len(samples))
    kept = np.zeros(len(samples), dtype=bool)
    for position, name in enumerate(names):
        mine = (which == position) & ~absent(samples, name)
        levels = len(samples.domain.category(name).levels)
        step = rng.integers(1, levels, size=len(samples))
        out[name] = np.where(mine, (out[name] + step) % levels, out[name]).astype(out[name].dtype)
        kept |= mine
    return {name: column[kept] for name, column in out.items()}, rows[kept]


def _changeable(domain: Domain, name: str) -> bool:
    item = domain[name]
    return isinstance(item, Category) and len(item.levels) > 1


SAMPLERS: dict[str, Sampler] = {"smear": smeared, "jitter": jittered, "interpolation": interpolated}
"""Those that need no answer of the teacher, by name."""
