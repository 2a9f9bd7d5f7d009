"""Ways from one row to another inside the domain, and the place where a decision turns on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.condition import parse
from kdaudit.domain import Category, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Column, Origin, Samples
from kdaudit.tokens import spans, split

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Decide = Callable[[Samples], Labels]
"""From rows to decisions, shape (n,); -1 where a row was not answered."""
MADE = Origin("rows made from rows of the data", "made")


@dataclass(frozen=True, eq=False)
class Lines:
    """One way a pair of rows: numbers and pictures go evenly, each level turns at a place of its own.

    Between two texts lie those that begin as the second and go on as the first, word by word: of a share of the way it
    is that share of the second's words, and then what is left of the first's.

    Parameters
    ----------
    first, second : Samples
        n rows each: where the ways begin and end.
    turn : array of shape (n, fields)
        Share of the way, above 0 and below 1, at which a level (or a missing value) turns from the first row's to the
        second's.

    Raises
    ------
    InvalidInput
        If a field is of another kind than these.
    """

    first: Samples
    second: Samples
    turn: Floats

    def __post_init__(self) -> None:
        for item in self.first.domain.fields:
            if not isinstance(item, (Real, Category, Image, Text)):
                raise InvalidInput(
                    f"field {item.name!r} is a {item.kind}; ways between rows need numbers, levels, pictures or texts"
                )

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def drawn(cls, first: Samples, second: Samples, rng: np.random.Generator) -> Lines:
        """Return ways whose levels turn at places drawn by chance, the same for whoever is asked along them."""
        shape = (len(first), len(first.domain.fields))
        return cls(first, second, (rng.integers(1, 2**20, shape)) / 2**20)

    def take(self, rows: NDArray[np.int64]) -> Lines:
        """Return the ways at positions `rows`."""
        return Lines(self.first.take(rows), self.second.take(rows), self.turn[rows])

    def at(self, share: Floats) -> Samples:
        """Return the rows at a share of each way, shape (n,): 0 the first row, 1 the second."""
        columns: dict[str, Column] = {}
        for place, item in enumerate(self.first.domain.fields):
            a, b = self.first.columns[item.name], self.second.columns[item.name]
            turned = share >= self.turn[:, place]
            match item:
                case Real(integer=whole):
                    # exact at both ends, and never beyond them by rounding
                    between = np.clip((1 - share) * a + share * b, np.minimum(a, b), np.maximum(a, b))
                    between = np.round(between) if whole else between
                    columns[item.name] = np.where(np.isnan(between), np.where(turned, b, a), between)
                case Image():
                    part = share[:, None, None, None]
                    columns[item.name] = np.clip((1 - part) * a + part * b, 0.0, 1.0).astype(np.float32)
                case Text():
                    columns[item.name] = np.array(
                        [spliced(*both) for both in zip(a, b, share, strict=True)], dtype=object
                    )
                case _:
                    columns[item.name] = np.where(turned, b, a)
        return Samples(self.first.domain, columns, self.first.ids, MADE)


def spliced(first: str | None, second: str | None, share: float) -> str | None:
    """Return the text that lies at a share of the way from one to another; a missing one turns in the middle.

    Examples
    --------
    >>> spliced("a dull film", "so good, so brave", 0.5)
    'so good film'
    """
    if first is None or second is None or share in (0.0, 1.0):
        return second if share >= 0.5 else first
    ours, theirs = spans(first), spans(second)
    kept, new = round(share * len(ours)), round(share * len(theirs))
    front = second[: theirs[new - 1][1]] if new else ""
    rest = first[ours[kept][0] :] if kept < len(ours) else ""
    return f"{front} {rest}".strip()


def possible(samples: Samples) -> NDArray[np.bool_]:
    """Return which rows fulfil the domain's constraints, shape (n,)."""
    out = np.ones(len(samples), dtype=bool)
    for text in samples.domain.constraints:
        out &= parse(text, samples.domain).mask(samples)
    return out


def crossings(decide: Decide, lines: Lines, ends: tuple[Labels, Labels], *, halvings: int = 6) -> Floats:
    """Return where on each way a decision turns, by halving.

    Parameters
    ----------
    decide : callable
        Asked for at most one row a way and halving.
    lines : Lines
    ends : (array, array) of shape (n,)
        Decisions about the first and the second rows.
    halvings : int
        The place is known to half of ``2 ** -halvings``.

    Returns
    -------
    array of shape (n,)
        Share of the way; NaN where both ends are decided alike, an end or a row between was not answered, or a row
        between breaks a constraint of the domain.  Where a decision turns several times it is one of the places.
    """
    start, end = ends
    open_ = np.flatnonzero((start != end) & (start >= 0) & (end >= 0))
    low, high = np.zeros(len(lines)), np.ones(len(lines))
    for _ in range(halvings):
        if not len(open_):
            break
        middle = (low[open_] + high[open_]) / 2
        rows = lines.take(open_).at(middle)
        inside = np.flatnonzero(possible(rows))
        said = np.full(len(open_), -1, dtype=np.int64)
        if len(inside):
            said[inside] = decide(rows.take(inside))
        stays = said == start[open_]
        low[open_[stays]], high[open_[~stays]] = middle[stays], middle[~stays]
        lost = open_[said < 0]
        low[lost] = np.nan
        open_ = open_[said >= 0]
    out: Floats = np.where((start != end) & (start >= 0) & (end >= 0), (low + high) / 2, np.nan)
    return out


def distances(a: Samples, b: Samples, scales: dict[str, float]) -> Floats:
    """Return how far rows lie apart, shape (len(a), len(b)): the mean over fields of (Gower 1971, scaled by spread).

    Numbers differ by their distance over the field's `scales`, at most 1; levels by 0 or 1; a missing value lies at 1
    from every other.  Texts differ by the share of their words that only one of them has (Jaccard 1901).
    """
    total = np.zeros((len(a), len(b)))
    for item in a.domain.fields:
        x, y = a.columns[item.name], b.columns[item.name]
        match item:
            case Real():
                gap = np.minimum(np.abs(x[:, None] - y[None, :]) / scales[item.name], 1.0)
                alone = np.isnan(x)[:, None] != np.isnan(y)[None, :]
                total += np.where(np.isnan(gap), alone, gap)
            case Category():
                total += x[:, None] != y[None, :]
            case Text():
                total += _words_apart(x, y)
            case _:
                p, q = x.reshape(len(x), -1), y.reshape(len(y), -1)
                total += np.abs(p[:, None, :] - q[None, :, :]).mean(axis=2)
    return total / max(len(a.domain.fields), 1)


def _words_apart(x: Column, y: Column) -> Floats:
    ours, theirs = ([frozenset(split(text)) for text in side] for side in (x, y))
    out = np.ones((len(ours), len(theirs)))
    for i, a in enumerate(ours):
        for j, b in enumerate(theirs):
            both = len(a | b)
            out[i, j] = 1.0 - len(a & b) / both if both else 0.0
    return out


def spreads(samples: Samples) -> dict[str, float]:
    """Return the range of the middle 90 % of each number's values, 1 where there is none."""
    out = {}
    for item in samples.domain.fields:
        if isinstance(item, Real):
            known = samples.columns[item.name]
            known = known[~np.isnan(known)]
            low, high = np.quantile(known, (0.05, 0.95)) if len(known) else (0.0, 1.0)
            out[item.name] = float(high - low) if high > low else 1.0
    return out


def partners(samples: Samples, labels: Labels, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the nearest row of another class for each of the `chosen` rows, shape (len(chosen),); -1 for none."""
    gap = distances(samples.take(chosen), samples, spreads(samples))
    gap[(labels[chosen][:, None] == labels[None, :]) | (labels < 0)[None, :]] = np.inf
    best = gap.argmin(axis=1)
    return np.where(np.isfinite(gap[np.arange(len(chosen)), best]), best, -1)
