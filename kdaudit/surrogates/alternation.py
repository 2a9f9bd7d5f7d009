"""Trees whose splits are chosen anew, each with all others held (Carreira-Perpinan and Tavallali, 2018).

Growing never looks back.  Tree alternating optimisation does: at each split only those rows matter that one side would
decide as the teacher and the other would not; the split that sends most of them to their better side is taken.  The
number of agreeing rows never falls, and splits that no longer part rows vanish.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kdaudit.surrogates.columns import Column, Mask
from kdaudit.surrogates.growth import Branch, Leaf, Node
from kdaudit.surrogates.splits import Split
from kdaudit.surrogates.sums import Sums
from kdaudit.surrogates.targets import Positions, Targets

ROUNDS = 10
"""Most passes over the tree; it seldom changes after the fourth."""
PRICE = 0.01
"""What each further field of a sum must gain, as a share of the rows that matter at the split."""


def alternated(tree: Node, columns: list[Column], targets: Targets, smallest: int, sums: Sums | None = None) -> Node:
    """Return the tree with its splits chosen anew.

    Parameters
    ----------
    tree : Node
        Grown on the rows of `targets`.
    columns : list of Column
        Sums that a split of the tree cuts are added at its end.
    targets : Targets
    smallest : int
        Fewest rows of a leaf.
    sums : Sums, optional
        What weighted sums can be made of; without it splits stay on one field.
    """
    every = np.arange(len(targets))
    agreeing = _right(tree, every, columns, targets).sum()
    for _ in range(ROUNDS):
        changed = _routed(_pass(tree, every, columns, targets, sums), every, columns, smallest)
        now = _right(changed, every, columns, targets).sum()
        if now <= agreeing:
            break
        tree, agreeing = changed, now
    return tree


def _pass(tree: Node, rows: Positions, columns: list[Column], targets: Targets, sums: Sums | None) -> Node:
    match tree:
        case Branch(split=split, left=left, right=right) if len(rows):
            goes_left = split.left[columns[split.column].codes[rows]]
            left = _pass(left, rows[goes_left], columns, targets, sums)
            right = _pass(right, rows[~goes_left], columns, targets, sums)
            merit = _right(left, rows, columns, targets).astype(np.int64)
            merit -= _right(right, rows, columns, targets)
            return Branch(_reset(split, rows, merit, columns, sums), left, right)
        case _:
            return tree


def _right(tree: Node, rows: Positions, columns: Sequence[Column], targets: Targets) -> Mask:
    """Return which of `rows` the tree would decide as the teacher does, wherever they come from."""
    match tree:
        case Branch(split=split, left=left, right=right):
            goes_left = split.left[columns[split.column].codes[rows]]
            out = np.empty(len(rows), dtype=bool)
            out[goes_left] = _right(left, rows[goes_left], columns, targets)
            out[~goes_left] = _right(right, rows[~goes_left], columns, targets)
            return out
        case Leaf(rows=own):
            decision = targets.decided(np.array([targets.answer(own)]))[0]
            agrees: Mask = targets.label[rows] == decision
            return agrees


def _reset(split: Split, rows: Positions, merit: NDArray[np.int64], columns: list[Column], sums: Sums | None) -> Split:
    """Return the split that sends most merit to the left; the old one unless another is better."""
    matter = rows[merit != 0]
    weight = merit[merit != 0].astype(np.float64)
    best, best_merit = split, _sent(split.left, columns[split.column], matter, weight)
    best, best_merit = _cut(columns, matter, weight, best, best_merit)
    if sums is None:
        return best
    price = PRICE * len(matter)
    for column in sums.found(matter, weight > 0, np.abs(weight)):
        found, sent = _cut([column], matter, weight, best, best_merit + price)
        if found is not best:
            best, best_merit = Split(len(columns), found.left, 0.0), sent
            columns.append(column)
    return best


def _cut(
    columns: Sequence[Column], matter: Positions, weight: NDArray[np.float64], best: Split, best_merit: float
) -> tuple[Split, float]:
    for position, column in enumerate(columns):
        if column.terms and len(columns) > 1:
            continue
        total = np.bincount(column.codes[matter], weight, minlength=column.size + 1).astype(np.float64)
        for left in _sides(column, total):
            sent = float(total[left].sum())
            if sent > best_merit + 0.5 and column.sayable(left) and column.sayable(~left):
                best, best_merit = Split(position, left, 0.0), sent
    return best, best_merit


def _sent(left: Mask, column: Column, rows: Positions, weight: NDArray[np.float64]) -> float:
    return float(weight[left[column.codes[rows]]].sum())


def _sides(column: Column, total: NDArray[np.float64]) -> list[Mask]:
    """Return the left sides worth a look: for levels the one best set, for numbers the best cut either way round."""
    missing = bool(total[-1] > 0)
    if column.cuts is None:
        heavier = bool(total[:-1].sum() > 0)
        return [np.where(total == 0, heavier, total > 0)]
    if column.size < 2:
        return []
    below = total[:-1].cumsum()[:-1]
    codes = np.arange(column.size)
    return [
        np.append(codes <= int(below.argmax()), missing),
        np.append(codes > int(below.argmin()), missing),
    ]


def _routed(tree: Node, rows: Positions, columns: Sequence[Column], smallest: int) -> Node:
    """Return the tree with each row in the leaf it now comes to; splits with too few rows on a side vanish."""
    match tree:
        case Branch(split=split, left=left, right=right):
            goes_left = split.left[columns[split.column].codes[rows]]
            for side, child in ((~goes_left, right), (goes_left, left)):
                if side.sum() < smallest:
                    other = left if child is right else right
                    return _routed(other, rows, columns, smallest)
            return Branch(
                split,
                _routed(left, rows[goes_left], columns, smallest),
                _routed(right, rows[~goes_left], columns, smallest),
            )
        case _:
            return Leaf(rows)
