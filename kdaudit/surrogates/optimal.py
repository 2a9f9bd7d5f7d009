"""The best of all trees of depth 1, 2 and 3 over a given set of tests.

Growing looks one split ahead.  Here no tree of the depth does better on the rows, over the tests that are tried: how
many rows of each decision pass two tests at once is one matrix product, and from these counts the best pair of tests
below any root is read off (the solver for depth two of Demirovic and others, 2022); depth three tries every root above
two such trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour
from kdaudit.rules import Rule, Rules, Test
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.conditions import Vocabulary
from kdaudit.surrogates.enquiry import NONE, Body
from kdaudit.surrogates.monotone import folded
from kdaudit.surrogates.targets import Floats, Targets
from kdaudit.surrogates.thinning import thinned

DEEPEST = 3
MOST_TESTS = 96
"""Tests that are tried: of more, those that part best alone."""
MOST_ROWS = 4_000
"""Rows that are searched on; answers come from all."""
SMALLEST = 10
"""Fewest rows of a leaf."""

Path = tuple[tuple[int, bool], ...]
"""Tests by position, and whether they must hold."""


@dataclass(frozen=True, eq=False)
class Tried:
    """Tests, and for which rows they hold.

    Parameters
    ----------
    tests : tuple of (Test, Test)
        Each with its opposite.
    holds : array of shape (tests, n)
    worth : array of shape (n, k)
        What a row adds to the sums of its leaf: 1 in the column of its decision, or its scores in 1024ths.
    numeric : bool
    smallest : int
    """

    tests: tuple[tuple[Test, Test], ...]
    holds: NDArray[np.float32]
    worth: NDArray[np.float32]
    numeric: bool
    smallest: int

    @classmethod
    def of(cls, behaviour: Behaviour, rows: Targets, leaves: int) -> Tried:
        """Return the tests that part the rows best, each alone."""
        without = () if behaviour.contrast is None else (behaviour.contrast.field,)
        columns = columns_of(rows.samples, without=without)
        vocabulary = Vocabulary.of(columns, rows.score)
        kept, met = [], set()
        for at, literal in enumerate(vocabulary.literals):
            column, held = columns[literal.column], vocabulary.holds[at].astype(bool)
            opposite = (~held).tobytes()
            if column.sayable(~literal.codes) and held.tobytes() not in met and opposite not in met:
                met.add(held.tobytes())
                kept.append((at, (column.test(literal.codes), column.test(~literal.codes))))
        smallest = max(1, min(SMALLEST, len(rows) // (4 * leaves)))
        worth = _stepped(rows.score) if rows.numeric else _one_column_each(rows)
        holds = vocabulary.holds[[at for at, _ in kept]].astype(np.float32)
        out = cls(tuple(pair for _, pair in kept), holds, worth.astype(np.float32), rows.numeric, smallest)
        alone = out.value(holds.sum(axis=1), holds @ out.worth)
        alone = alone + out.value(len(rows) - holds.sum(axis=1), out.worth.sum(axis=0) - holds @ out.worth)
        best = np.sort(np.argsort(-np.round(alone, 6), kind="stable")[:MOST_TESTS])
        return cls(tuple(out.tests[at] for at in best), holds[best], out.worth, rows.numeric, smallest)

    def value(self, count: Floats | NDArray[np.float32], sums: NDArray[np.float32]) -> Floats:
        """Return what leaves with so many rows and such sums are worth: rows decided alike, or squared error saved."""
        n = np.asarray(count, dtype=np.float64)
        total = np.asarray(sums, dtype=np.float64)
        worth: Floats = (total**2).sum(axis=-1) / np.maximum(n, 1.0) if self.numeric else total.max(axis=-1)
        return np.where(n >= self.smallest, worth, -np.inf)


def _one_column_each(rows: Targets) -> Floats:
    return np.eye(max(2, rows.score.shape[1]))[rows.label]


def _stepped(score: Floats) -> Floats:
    """Return numbers around their mean in 1024ths of the largest: sums of so many rows are exact in any order."""
    around = score - score.mean(axis=0)
    out: Floats = np.round(around / max(float(np.abs(around).max(initial=0.0)), 1e-300) * 1024) / 1024
    return out


Found = tuple[float, list[Path]]


def best_leaf(tried: Tried, rows: NDArray[np.bool_]) -> Found:
    """Return what the rows are worth as one leaf."""
    worth = float(tried.value(np.array(rows.sum()), tried.worth[rows].sum(axis=0)))
    return worth, [()]


def best_tree(tried: Tried, rows: NDArray[np.bool_], depth: int) -> Found:
    """Return the best tree of at most this depth for some of the rows: its worth, and the paths of its leaves."""
    leaf = best_leaf(tried, rows)
    if depth == 0 or not len(tried.tests) or rows.sum() < 2 * tried.smallest:
        return leaf
    if depth <= 2:
        return _shallow(tried, rows, depth, leaf)
    best = leaf
    for at, held in enumerate(tried.holds.astype(bool)):
        sides = [rows & held, rows & ~held]
        if min(side.sum() for side in sides) < tried.smallest:
            continue
        found = [best_tree(tried, side, depth - 1) for side in sides]
        best = _better(best, found, at)
    return best


def _better(best: Found, found: list[Found], at: int) -> Found:
    worth = found[0][0] + found[1][0]
    # among equals the tree found first, and a leaf before any
    if not _more(worth, best[0]):
        return best
    left = [((at, True), *path) for path in found[0][1]]
    return worth, [*left, *(((at, False), *path) for path in found[1][1])]


def _more(worth: float, other: float) -> bool:
    """Return whether a worth is larger by more than rounding; what is not allowed is worth minus infinity."""
    return worth > (other + 1e-6 * max(1.0, abs(other)) if np.isfinite(other) else other)


def _shallow(tried: Tried, rows: NDArray[np.bool_], depth: int, leaf: Found) -> Found:
    """Return the best tree of depth 1 or 2, from counts of rows that pass two tests at once."""
    holds, worth = tried.holds[:, rows], tried.worth[rows]
    whole, single = worth.sum(axis=0), holds @ worth
    n, count = holds.shape[1], holds.sum(axis=1)
    inside, outside = tried.value(count, single), tried.value(n - count, whole - single)
    best = leaf
    if depth == 1:
        at = int((inside + outside).argmax())
        return _better(best, [(float(inside[at]), [()]), (float(outside[at]), [()])], at)
    pair = np.stack([(holds * column) @ holds.T for column in worth.T], axis=-1)
    pairs = holds @ holds.T
    left = tried.value(pairs, pair) + tried.value(count[:, None] - pairs, single[:, None] - pair)
    right = tried.value(count[None, :] - pairs, single[None] - pair)
    right = right + tried.value(
        n - count[:, None] - count[None, :] + pairs, whole - single[:, None] - single[None] + pair
    )
    below = [(inside, left), (outside, right)]
    sides = [np.maximum(alone, split.max(axis=1)) for alone, split in below]
    at = int((sides[0] + sides[1]).argmax())
    found: list[Found] = []
    for alone, split in below:
        again = int(split[at].argmax())
        parted = _more(float(split[at, again]), float(alone[at]))
        paths: list[Path] = [((again, True),), ((again, False),)] if parted else [()]
        found.append((float(max(alone[at], split[at, again])), paths))
    return _better(best, found, at)


def optimal_trees(behaviour: Behaviour, body: Body, leaves: int) -> Iterator[Candidate]:
    """Yield the best trees of depth 1, 2 and 3 that have no more leaves than allowed, over the tests tried.

    Parameters
    ----------
    behaviour : Behaviour
    body : Body
    leaves : int
        Most leaves; a tree of depth d may need 2**d.
    """
    start = "" if body.name == NONE else f"{body.name}, "
    for depth in range(1, DEEPEST + 1):
        if 2**depth <= leaves:
            again = None if body.whole is None else partial(_made, behaviour, body.whole, leaves, depth)
            yield Candidate(f"{start}the best of depth {depth}", _made(behaviour, body.rows, leaves, depth), again)


def _made(behaviour: Behaviour, rows: Targets, leaves: int, depth: int) -> Rules:
    few = thinned(rows, MOST_ROWS)
    tried = Tried.of(behaviour, few, leaves)
    _, paths = best_tree(tried, np.ones(len(few), dtype=bool), depth)
    out = []
    for path in paths:
        tests = tuple(tried.tests[at][0 if holds else 1] for at, holds in path)
        inside = np.ones(len(rows), dtype=bool)
        for test in tests:
            inside &= test.holds(rows.samples)
        out.append(Rule(tests, rows.answer(np.flatnonzero(inside)), int(inside.sum())))
    return folded(Rules("tree", tuple(out), behaviour.outputs))
