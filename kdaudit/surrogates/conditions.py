"""Conjunctions of a few tests, searched by beam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.rules import Test
from kdaudit.surrogates.columns import Column, Mask
from kdaudit.surrogates.targets import Floats, Positions

CUTS = 16
"""Most cuts of a number, or of the levels in order of their mean score, that are tried."""
BEAM = 8
"""Conjunctions that are carried on to the next test."""
TESTS = 3
"""Most tests of a conjunction."""

Cost = Callable[[Floats], Floats]
"""From sums over the rows that a condition covers, shape (m, columns), to what is to be made small, shape (m,);
infinite where the condition is not allowed."""


@dataclass(frozen=True, eq=False)
class Literal:
    """Codes of one column."""

    column: int
    codes: Mask


@dataclass(frozen=True, eq=False)
class Condition:
    """Literals that must all hold; those of one column are joined."""

    literals: tuple[Literal, ...] = ()

    def joined(self, literal: Literal, columns: Sequence[Column]) -> Condition | None:
        """Return the condition with one literal more; None where no test could say it."""
        own = [old for old in self.literals if old.column == literal.column]
        codes = literal.codes & own[0].codes if own else literal.codes
        if not columns[literal.column].sayable(codes):
            return None
        rest = tuple(old for old in self.literals if old.column != literal.column)
        return Condition((*rest, Literal(literal.column, codes)))

    def holds(self, columns: Sequence[Column]) -> Mask:
        """Return which rows fulfil the condition, shape (n,)."""
        out = np.ones(len(columns[0].codes), dtype=bool)
        for literal in self.literals:
            out &= literal.codes[columns[literal.column].codes]
        return out

    def tests(self, columns: Sequence[Column]) -> tuple[Test, ...]:
        """Return the tests that say the condition, in the order of the fields."""
        ordered = sorted(self.literals, key=lambda literal: literal.column)
        return tuple(columns[literal.column].test(literal.codes) for literal in ordered)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All literals that are tried, with the rows for which they hold.

    Parameters
    ----------
    columns : sequence of Column
    literals : tuple of Literal
    holds : array of shape (literals, n)
        1 where a literal holds.
    """

    columns: Sequence[Column]
    literals: tuple[Literal, ...]
    holds: Floats

    @classmethod
    def of(cls, columns: Sequence[Column], score: Floats) -> Vocabulary:
        """Return cuts of numbers and ordered levels, single levels, and cuts of levels by their mean score."""
        literals = []
        for position, column in enumerate(columns):
            seen: set[bytes] = set()
            for codes in _sets(column, score):
                if column.sayable(codes) and not codes[np.unique(column.codes)].all() and codes.tobytes() not in seen:
                    seen.add(codes.tobytes())
                    literals.append(Literal(position, codes))
        rows = [literal.codes[columns[literal.column].codes] for literal in literals]
        return cls(columns, tuple(literals), np.array(rows, dtype=np.float64).reshape(len(literals), len(score)))


def _sets(column: Column, score: Floats) -> list[Mask]:
    counts = np.bincount(column.codes, minlength=column.size + 1)
    if column.cuts is None:
        sums = np.bincount(column.codes, score @ np.arange(1, score.shape[1] + 1), minlength=column.size + 1)
        order = np.argsort(np.where(counts > 0, sums / np.maximum(counts, 1), -np.inf), kind="stable")
        order = order[counts[order] > 0]
        cuts = sorted({int(cut) for cut in np.linspace(1, len(order) - 1, CUTS)}) if len(order) > 1 else []
        halves = [np.isin(np.arange(column.size + 1), order[:cut]) for cut in cuts]
        seen = counts > 0
        single = [np.arange(column.size + 1) == code for code in order if code < column.size]
        return [*halves, *(~half & seen for half in halves), *single]
    if column.size < 2 or not counts[:-1].any():
        return []
    share = counts[:-1].cumsum() / counts[:-1].sum()
    at = np.unique(np.searchsorted(share, np.linspace(0, 1, CUTS + 2)[1:-1]))
    below = [np.append(np.arange(column.size) <= code, False) for code in at if code < column.size - 1]
    sides = [*below, *(np.append(~half[:-1], False) for half in below)]
    if not counts[-1]:
        return sides
    return [*sides, *(np.append(side[:-1], True) for side in sides)]


def search(vocabulary: Vocabulary, rows: Positions, values: Floats, cost: Cost, price: float) -> Condition | None:
    """Return the condition of at most `TESTS` tests whose cost is lowest; None where none is allowed.

    Parameters
    ----------
    vocabulary : Vocabulary
    rows : array of shape (m,)
        Rows that the condition may cover.
    values : array of shape (m, columns)
        Summed over the covered rows.
    cost : callable
    price : float
        What each test adds to the cost.
    """
    literals = vocabulary.holds[:, rows]
    beam: list[tuple[float, Condition, NDArray[np.float64]]] = [(np.inf, Condition(), np.ones(len(rows)))]
    best: tuple[float, Condition | None] = (np.inf, None)
    for length in range(1, TESTS + 1):
        stacked = np.concatenate([values * mask[:, None] for _, _, mask in beam], axis=1)
        sums = (literals @ stacked).reshape(len(literals), len(beam), values.shape[1])
        costs = cost(sums.reshape(-1, values.shape[1])) + price * length
        following: list[tuple[float, Condition, NDArray[np.float64]]] = []
        met: set[bytes] = set()
        # equal rows come from different conditions; the beam holds each set of rows once
        for at in np.argsort(costs, kind="stable")[: 6 * BEAM]:
            if not np.isfinite(costs[at]) or len(following) == BEAM:
                break
            literal, parent = divmod(int(at), len(beam))
            condition = beam[parent][1].joined(vocabulary.literals[literal], vocabulary.columns)
            mask = beam[parent][2] * literals[literal]
            if condition is not None and mask.tobytes() not in met:
                met.add(mask.tobytes())
                following.append((float(costs[at]), condition, mask))
        if not following:
            break
        beam = following
        if beam[0][0] < best[0]:
            best = (beam[0][0], beam[0][1])
    return None if best[1] is None else _sharpened(best[1], vocabulary.columns, rows, values, cost)


def _sharpened(
    condition: Condition, columns: Sequence[Column], rows: Positions, values: Floats, cost: Cost
) -> Condition:
    """Return the condition with each cut moved to the best of all its places, not of the few that were tried."""
    for literal in condition.literals:
        column = columns[literal.column]
        if column.cuts is None:
            continue
        others = tuple(other for other in condition.literals if other.column != literal.column)
        inside = np.ones(len(rows), dtype=bool)
        for other in others:
            inside &= other.codes[columns[other.column].codes[rows]]
        codes = column.codes[rows[inside]]
        sums: Floats = np.stack([np.bincount(codes, v, minlength=column.size + 1) for v in values[inside].T], axis=1)
        condition = Condition((*others, Literal(literal.column, _moved(literal.codes, sums, cost))))
    return condition


def _moved(codes: Mask, sums: Floats, cost: Cost) -> Mask:
    held, absent = np.flatnonzero(codes[:-1]), codes[-1] * sums[-1]
    first, last = int(held[0]), int(held[-1])
    size = len(codes) - 1
    if last < size - 1:
        ends = sums[first:-1].cumsum(axis=0)[: size - 1 - first if first == 0 else size - first] + absent
        last = first + int(cost(ends).argmin())
    if first > 0:
        starts = sums[: last + 1][::-1].cumsum(axis=0)[: last if last == size - 1 else last + 1] + absent
        first = last - int(cost(starts).argmin())
    places = np.arange(size)
    return np.append((places >= first) & (places <= last), codes[-1])
