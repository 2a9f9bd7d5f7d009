"""Trees grown best split first, so that the tree of k leaves is part of the tree of k + 1."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kdaudit.rules import Rule, Test
from kdaudit.surrogates.columns import Column, Mask
from kdaudit.surrogates.cuts import Ordered
from kdaudit.surrogates.splits import Split, best_split
from kdaudit.surrogates.targets import Floats, Positions, Targets


@dataclass(frozen=True, eq=False)
class Leaf:
    """Rows that get one answer."""

    rows: Positions


@dataclass(frozen=True, eq=False)
class Branch:
    """A split and what lies on its sides."""

    split: Split
    left: Node
    right: Node


Node = Leaf | Branch


def grow(columns: Sequence[Column], targets: Floats, leaves: int, smallest: int) -> list[Node]:
    """Return the trees of 1, 2, ... leaves, each the one before with its most gainful leaf split.

    Parameters
    ----------
    columns : sequence of Column
    targets : array of shape (n, outputs)
    leaves : int
        Most leaves.
    smallest : int
        Fewest rows of a leaf.

    Returns
    -------
    list of Node
        As many as there are gainful splits, and at least one.
    """
    root, ordered = np.arange(len(targets)), Ordered.of(columns)
    parts: dict[int, tuple[Split, int, int]] = {}
    rows: dict[int, Positions] = {0: root}
    queue: list[tuple[float, int, Split]] = []

    def offer(node: int) -> None:
        if len(rows[node]) >= 2 * smallest:
            split = best_split(columns, rows[node], targets, smallest, ordered)
            if split is not None:
                heapq.heappush(queue, (-split.gain, node, split))

    offer(0)
    trees = [_assembled(0, rows, parts)]
    while queue and len(trees) < leaves:
        _, node, split = heapq.heappop(queue)
        goes_left = split.left[columns[split.column].codes[rows[node]]]
        left, right = len(rows), len(rows) + 1
        rows[left], rows[right] = rows[node][goes_left], rows[node][~goes_left]
        parts[node] = (split, left, right)
        trees.append(_assembled(0, rows, parts))
        if len(trees) < leaves:
            offer(left)
            offer(right)
    return trees


def _assembled(node: int, rows: dict[int, Positions], parts: dict[int, tuple[Split, int, int]]) -> Node:
    if node not in parts:
        return Leaf(rows[node])
    split, left, right = parts[node]
    return Branch(split, _assembled(left, rows, parts), _assembled(right, rows, parts))


def decided(tree: Node, rows: Positions, columns: Sequence[Column], targets: Targets) -> Floats:
    """Return what the tree answers to `rows`, shape (m, outputs).

    Parameters
    ----------
    tree : Node
        Its leaves hold positions among the rows of `targets`.
    rows : array of shape (m,)
        Positions among the codes of `columns`, which may be of more rows.
    columns : sequence of Column
    targets : Targets
    """
    match tree:
        case Leaf(rows=own):
            return np.tile(np.array(targets.answer(own)), (len(rows), 1))
        case Branch(split=split, left=left, right=right):
            goes_left = split.left[columns[split.column].codes[rows]]
            out = np.empty((len(rows), targets.score.shape[1]))
            out[goes_left] = decided(left, rows[goes_left], columns, targets)
            out[~goes_left] = decided(right, rows[~goes_left], columns, targets)
            return out


def leaves_of(tree: Node) -> Iterator[Leaf]:
    """Yield the leaves from left to right."""
    match tree:
        case Leaf():
            yield tree
        case Branch(left=left, right=right):
            yield from leaves_of(left)
            yield from leaves_of(right)


def paths(tree: Node, columns: Sequence[Column], targets: Targets) -> tuple[Rule, ...]:
    """Return the leaves as rules, left to right; leaves side by side with one answer become one.

    A test names only the levels that can come as far as it, so that nothing is said twice on a path.
    """
    reach = [np.ones(column.size + 1, dtype=bool) for column in columns]
    return tuple(_paths(merged(tree, targets), columns, targets, reach, ()))


def merged(tree: Node, targets: Targets) -> Node:
    """Return the tree without splits whose sides answer the same."""
    match tree:
        case Leaf():
            return tree
        case Branch(split=split, left=left, right=right):
            a, b = merged(left, targets), merged(right, targets)
            if isinstance(a, Leaf) and isinstance(b, Leaf) and _same(a, b, targets):
                return Leaf(np.concatenate([a.rows, b.rows]))
            return Branch(split, a, b)


def _same(a: Leaf, b: Leaf, targets: Targets) -> bool:
    return bool(np.allclose(targets.answer(a.rows), targets.answer(b.rows), rtol=0, atol=1e-12))


def _paths(
    tree: Node, columns: Sequence[Column], targets: Targets, reach: list[Mask], tests: tuple[Test, ...]
) -> Iterator[Rule]:
    match tree:
        case Leaf(rows=rows):
            yield Rule(tests, targets.answer(rows), len(rows))
        case Branch(split=split, left=left, right=right):
            column = columns[split.column]
            before = reach[split.column]
            for side, child in ((split.left, left), (~split.left, right)):
                reach[split.column] = before & side
                yield from _paths(child, columns, targets, reach, (*tests, column.test(_said(column, side, before))))
            reach[split.column] = before


def _said(column: Column, side: Mask, before: Mask) -> Mask:
    inside = before & side
    if column.cuts is None and inside[:-1].any():
        return inside
    return np.append(side[:-1], inside[-1])
