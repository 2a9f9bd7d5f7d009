"""The search for rows on which proxy and teacher part: evolution inside the domain, then halving back to the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Empty
from kdaudit.compare.lines import MADE, Floats, Labels, Lines, crossings, distances, possible, spreads
from kdaudit.compare.voices import Voices
from kdaudit.domain import Category, Domain, Field, Real
from kdaudit.samples import Column, Samples, concat
from kdaudit.subject import Answers

PARENTS = 40
"""Rows from which the next ones are made."""
BROOD = 20
"""Rows made for each that is asked: the proxy, which costs nothing, says which."""
JUMP = 0.25
"""Standard deviation of a number's change, in ranges of the middle 90 % of its values."""
Climb = Callable[[Samples], Samples]
"""From rows to rows on which gradients say that the two part more."""


@dataclass(frozen=True, eq=False)
class Heard:
    """Rows with what teacher and proxy say.

    Parameters
    ----------
    rows : Samples
    parted : array of shape (n,), bool
    gap : array of shape (n,)
        Half the sum of absolute differences of scores (of labels where there are no scores), in [0, 1].
    score : array of shape (n, outputs)
        The teacher's, or its label in one column.
    root : array of shape (n,)
        Position of the row of the data from which each descends.
    """

    rows: Samples
    parted: NDArray[np.bool_]
    gap: Floats
    score: Floats
    root: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def fitness(self) -> Floats:
        """What the search raises: parting counts 1, and the gap beside it."""
        return self.parted + self.gap

    def take(self, at: NDArray[np.int64]) -> Heard:
        """Return the rows at positions `at`."""
        return Heard(self.rows.take(at), self.parted[at], self.gap[at], self.score[at], self.root[at])

    def __add__(self, other: Heard) -> Heard:
        return Heard(
            concat([self.rows, other.rows]),
            np.concatenate([self.parted, other.parted]),
            np.concatenate([self.gap, other.gap]),
            np.concatenate([self.score, other.score]),
            np.concatenate([self.root, other.root]),
        )

    def best_of_roots(self, most: int) -> Heard:
        """Return the fittest descendant of each row of the data, the fittest `most` of them: parents stay varied."""
        order = np.argsort(-self.fitness, kind="stable")
        _, first = np.unique(self.root[order], return_index=True)
        return self.take(order[np.sort(first)[:most]])


def heard(voices: Voices, rows: Samples, root: NDArray[np.int64] | None = None) -> Heard:
    """Ask both about rows; those that one of them could not answer are left out."""
    teacher, proxy = (voices.answers(who, rows) for who in (voices.cast.teacher, voices.cast.proxy))
    kept = np.flatnonzero(teacher.answered & proxy.answered)
    teacher, proxy = teacher.take(kept), proxy.take(kept)
    a, b = scores(teacher, proxy)
    parted = teacher.label != proxy.label
    roots = np.arange(len(rows)) if root is None else root
    return Heard(rows.take(kept), parted, _gap(a, b), a, roots[kept])


def scores(teacher: Answers, proxy: Answers) -> tuple[Floats, Floats]:
    """Return both sides' scores where both have them, else their labels in one column."""
    if all(set(map(str, side.values)) & {"score", "logit"} for side in (teacher, proxy)):
        return teacher.score, proxy.score
    return teacher.label[:, None].astype(np.float64), proxy.label[:, None].astype(np.float64)


def _gap(a: Floats, b: Floats) -> Floats:
    total = np.abs(a - b).sum(axis=1)
    out: Floats = np.clip(total if a.shape[1] == 1 else total / 2, 0.0, 1.0)
    return out


def hunt(
    voices: Voices, start: Heard, questions: int, rng: np.random.Generator, *, rounds: int = 8, climb: Climb | None
) -> Heard:
    """Return the rows that were made and asked, at most `questions` of them.

    Parameters
    ----------
    voices : Voices
    start : Heard
        Rows of the data: the first parents, and what lends values.
    questions : int
        Most distinct rows asked of the teacher.
    rng : Generator
    rounds : int
    climb : callable, optional
        Proposals by gradients, mixed with the others.
    """
    known, seen = start, set(start.rows.keys().tolist())
    made: Heard | None = None
    each = questions // rounds
    for _ in range(rounds if each and len(start) else 0):
        parents = known.best_of_roots(PARENTS)
        children, of = _brood(parents.rows, start.rows, each * BROOD, rng)
        if climb is not None:
            children, of = concat([climb(parents.rows), children]), np.concatenate([np.arange(len(parents)), of])
        children, of = _new(children, of, seen)
        if not len(children):
            continue
        at = _promising(voices, parents, children, of, each, rng)
        chosen = children.take(at)
        seen.update(chosen.keys().tolist())
        found = heard(voices, chosen, parents.root[of[at]])
        known, made = known + found, found if made is None else made + found
    return start.take(np.arange(0)) if made is None else made


def _promising(
    voices: Voices, parents: Heard, children: Samples, of: NDArray[np.int64], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the positions of `n` children by what the proxy says of them, which costs nothing.

    A third leaves most what the teacher said of the parent, a third lies nearest to the proxy's own boundary (where a
    good proxy parts from its teacher), the rest is random.
    """
    proxy = voices.answers(voices.cast.proxy, children)
    said = proxy.label[:, None].astype(np.float64)
    if parents.score.shape[1] == len(voices.cast.proxy.outputs) and {"score", "logit"} & set(map(str, proxy.values)):
        said = proxy.score
    expected = _gap(parents.score[of], said)
    far = np.argsort(-np.nan_to_num(expected), kind="stable")[: n // 3]
    left = np.setdiff1d(np.arange(len(children)), far)
    near = left[np.argsort(_margin(said[left]), kind="stable")][: n // 3]
    rest = rng.permutation(np.setdiff1d(left, near))[: n - len(far) - len(near)]
    return np.concatenate([far, near, rest])


def _margin(score: Floats) -> Floats:
    """Return how far scores lie from the decision: from one half, or the first class from the second."""
    if score.shape[1] == 1:
        return np.abs(score[:, 0] - 0.5)
    ranked = np.sort(score, axis=1)
    out: Floats = ranked[:, -1] - ranked[:, -2]
    return out


def _new(children: Samples, of: NDArray[np.int64], seen: set[bytes]) -> tuple[Samples, NDArray[np.int64]]:
    """Return the children that fulfil the constraints, each once, none known before."""
    keys = children.keys()
    _, first = np.unique(keys, return_index=True)
    fine = np.zeros(len(children), dtype=bool)
    fine[first] = True
    fine &= possible(children) & np.array([key not in seen for key in keys.tolist()], dtype=bool)
    at = np.flatnonzero(fine)
    return children.take(at), of[at]


def _brood(parents: Samples, data: Samples, n: int, rng: np.random.Generator) -> tuple[Samples, NDArray[np.int64]]:
    """Return children of parents drawn evenly, one or two fields changed or two parents mixed, and whose each is."""
    of = rng.integers(0, len(parents), n)
    mate = rng.integers(0, len(parents), n)
    fields = parents.domain.fields
    change = rng.random((n, len(fields)))
    # one or two fields, those that drew lowest; of every fourth child half of all come from the mate
    rank = change.argsort(axis=1).argsort(axis=1)
    moved = rank < rng.integers(1, 3, n)[:, None]
    mixed = (rng.random(n) < 0.25)[:, None] & (change < 0.5)
    wide = spreads(data)
    columns: dict[str, Column] = {}
    for place, item in enumerate(fields):
        own = parents.columns[item.name]
        other = _varied(item, own[of], data.columns[item.name], wide, rng)
        is_mixed, is_moved = (m[:, place].reshape((-1,) + (1,) * (own.ndim - 1)) for m in (mixed, moved))
        columns[item.name] = np.where(is_mixed, own[mate], np.where(is_moved, other, own[of]))
    return Samples(parents.domain, columns, np.arange(n), MADE), of


def _varied(item: Field, own: Column, data: Column, wide: dict[str, float], rng: np.random.Generator) -> Column:
    """Return other values of a field: half lent by rows of the data, half a jump (numbers) or any level."""
    lent = data[rng.integers(0, len(data), len(own))]
    match item:
        case Real(integer=whole):
            jump = own + rng.normal(0.0, JUMP, len(own)) * wide[item.name]
            low, high = range_of(item, data)
            jump = np.clip(np.round(jump) if whole else jump, low, high)
            return np.where(rng.random(len(own)) < 0.5, lent, np.where(np.isnan(jump), lent, jump))
        case Category(levels=levels):
            any_ = rng.integers(0, len(levels), len(own)).astype(own.dtype)
            return np.where(rng.random(len(own)) < 0.5, lent, any_)
        case _:
            return lent


def range_of(item: Real, data: Column) -> tuple[float, float]:
    """Return the ends inside which a number may move: those of the data, which lie inside the domain."""
    known = data[~np.isnan(data)]
    return (float(known.min()), float(known.max())) if len(known) else (item.low or 0.0, item.high or 0.0)


def back_to_data(
    voices: Voices, found: Heard, start: Heard, most: int, rng: np.random.Generator, *, halvings: int = 5
) -> tuple[Heard, Floats]:
    """Return rows nearer to the data on which they still part, and each one's distance to the nearest row.

    From a row of the data on which both agree to the nearest of the rows found, the way is halved; only rows that were
    asked and on which they part are returned.  (HopSkipJump's first step, Chen et al. 2020.)

    Parameters
    ----------
    most : int
        Most distinct rows to ask.
    """
    parted, agreed = np.flatnonzero(found.parted), np.flatnonzero(~start.parted)
    none = found.take(np.arange(0)), np.empty(0)
    ways = min(most // halvings, len(parted))
    if not len(parted) or not len(agreed) or ways < 1:
        return none
    targets, homes = found.take(parted), start.take(agreed)
    gap = distances(targets.rows, homes.rows, spreads(start.rows))
    nearest = gap.argmin(axis=1)
    chosen = np.argsort(gap[np.arange(len(targets)), nearest], kind="stable")[:ways]
    lines = Lines.drawn(homes.rows.take(nearest[chosen]), targets.rows.take(chosen), rng)
    asked: list[Heard] = []

    def decide(rows: Samples) -> Labels:
        told = heard(voices, rows)
        asked.append(told)
        out = np.full(len(rows), -1, dtype=np.int64)
        where = {key: i for i, key in enumerate(told.rows.keys().tolist())}
        for i, key in enumerate(rows.keys().tolist()):
            if key in where:
                out[i] = int(told.parted[where[key]])
        return out

    ends = np.zeros(len(lines), dtype=np.int64), np.ones(len(lines), dtype=np.int64)
    crossings(decide, lines, ends, halvings=halvings)
    whole = asked[0]
    for part in asked[1:]:
        whole = whole + part
    _, first = np.unique(whole.rows.keys(), return_index=True)
    whole = whole.take(np.sort(first))
    whole = whole.take(np.flatnonzero(whole.parted))
    if not len(whole):
        return none
    return whole, distances(whole.rows, start.rows, spreads(start.rows)).min(axis=1)


def described(domain: Domain, row: Samples) -> str:
    """Return one row in words."""
    shown = row.take([0]).frame().iloc[0]
    words = []
    for name in domain.names:
        value = shown[name]
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        words.append(f"{name.replace('_', ' ')} {text}")
    return ", ".join(words)


def able(voices: Voices) -> str:
    """Return why rows cannot be made for teacher and proxy; empty if they can."""
    return next((seat.reason for name, seat in voices.seats.items()
                 if name in ("teacher", "proxy") and isinstance(seat, Empty)), "")  # fmt: skip
