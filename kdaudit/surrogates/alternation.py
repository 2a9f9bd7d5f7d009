"""Trees whose splits are chosen anew, each with all others held (Carreira-Perpinan and Tavallali, 2018).

Growing never looks back.  Tree alternating optimisation does: at each split only those rows matter that one side would
decide as the teacher and the other would not; the split that sends most of them to their better side is taken.  The
number of agreeing rows never falls, and splits that no longer part rows vanish.  Where the score is a number every row
matters by how much nearer to it one side would come, and what never rises is the squared error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.surrogates.columns import Column, Mask
from kdaudit.surrogates.cuts import Ordered, best_sides
from kdaudit.surrogates.growth import Branch, Leaf, Node
from kdaudit.surrogates.splits import Split
from kdaudit.surrogates.sums import Sums
from kdaudit.surrogates.targets import Floats, Positions, Targets

ROUNDS = 10
"""Most passes over the tree; it seldom changes after the fourth."""
PRICE = 0.01
"""What each further field of a sum must gain, as a share of the rows that matter at the split."""
STEPS = 10_000
"""Squared errors are counted in so many steps of their mean, whole numbers, so that their sums are exact."""


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
    return _Alternation(columns, targets, smallest, sums).settled(tree)


class _Alternation:
    """What stays the same from one pass over a tree to the next."""

    def __init__(self, columns: list[Column], targets: Targets, smallest: int, sums: Sums | None) -> None:
        self._columns, self._targets, self._smallest, self._sums = columns, targets, smallest, sums
        self._decisions: dict[int, tuple[Leaf, int]] = {}
        self._answers: dict[int, tuple[Leaf, Floats]] = {}
        around = float(((targets.score - targets.score.mean(axis=0)) ** 2).sum(axis=1).mean()) if len(targets) else 0.0
        self._unit = STEPS / around if around > 0 else 0.0
        # sums stand at the end
        single = [column for column in columns if not column.terms]
        self._ordered = Ordered.of(single)
        self._levels = [at for at, column in enumerate(single) if column.cuts is None]

    def settled(self, tree: Node) -> Node:
        """Return the tree after as many passes as gain anything."""
        every = np.arange(len(self._targets))
        agreeing = self._right(tree, every).sum()
        for _ in range(ROUNDS):
            changed = _routed(self._pass(tree, every), every, self._columns, self._smallest)
            now = self._right(changed, every).sum()
            if now <= agreeing:
                break
            tree, agreeing = changed, now
        return tree

    def _pass(self, tree: Node, rows: Positions) -> Node:
        match tree:
            case Branch(split=split, left=left, right=right) if len(rows):
                goes_left = split.left[self._columns[split.column].codes[rows]]
                left = self._pass(left, rows[goes_left])
                right = self._pass(right, rows[~goes_left])
                merit = self._right(left, rows).astype(np.int64) - self._right(right, rows).astype(np.int64)
                return Branch(self._reset(split, rows, merit), left, right)
            case _:
                return tree

    def _right(self, tree: Node, rows: Positions) -> NDArray[Any]:
        """Return which of `rows` the tree would decide as the teacher does, wherever they come from.

        Where the score is a number: minus the squared error of each, in steps.
        """
        match tree:
            case Branch(split=split, left=left, right=right):
                goes_left = split.left[self._columns[split.column].codes[rows]]
                out = np.empty(len(rows), dtype=np.int64 if self._targets.numeric else bool)
                out[goes_left] = self._right(left, rows[goes_left])
                out[~goes_left] = self._right(right, rows[~goes_left])
                return out
            case Leaf() if self._targets.numeric:
                error = ((self._targets.score[rows] - self._answer(tree)) ** 2).sum(axis=1)
                steps: Positions = -np.rint(error * self._unit).astype(np.int64)
                return steps
            case Leaf():
                agrees: Mask = self._targets.label[rows] == self._decision(tree)
                return agrees

    def _decision(self, leaf: Leaf) -> int:
        # leaves outlive a pass: their rows change only where a tree is routed anew
        known = self._decisions.get(id(leaf))
        if known is None:
            decision = self._targets.decided(np.array([self._targets.answer(leaf.rows)]))[0]
            # the leaf is kept with it, so that no other one gets its id
            known = self._decisions[id(leaf)] = (leaf, int(decision))
        return known[1]

    def _answer(self, leaf: Leaf) -> Floats:
        known = self._answers.get(id(leaf))
        if known is None:
            known = self._answers[id(leaf)] = (leaf, np.array(self._targets.answer(leaf.rows)))
        return known[1]

    def _reset(self, split: Split, rows: Positions, merit: NDArray[np.int64]) -> Split:
        """Return the split that sends most merit to the left; the old one unless another is better."""
        matter = rows[merit != 0]
        weight = merit[merit != 0].astype(np.float64)
        best, best_merit = self._cut(split, matter, weight)
        if self._sums is None:
            return best
        # of decisions that is a share of the rows that matter
        price = PRICE * float(np.abs(weight).sum())
        for found in self._sums.found(matter, weight > 0, np.abs(weight)):
            at, side, sent = best_sides(Ordered.alone(found.codes, len(found.cuts) + 1), np.arange(len(matter)), weight)
            if at >= 0 and sent > best_merit + price + 0.5:
                best, best_merit = Split(len(self._columns), side, 0.0), sent
                self._columns.append(self._sums.column(found))
        return best

    def _cut(self, split: Split, matter: Positions, weight: NDArray[np.float64]) -> tuple[Split, float]:
        """Return the best split on one field, and what it sends to the left; the first field wins a tie."""
        own = self._columns[split.column]
        best, best_merit = split, float(weight[split.left[own.codes[matter]]].sum())
        found = [self._set(at, matter, weight) for at in self._levels]
        place, side, sent = best_sides(self._ordered, matter, weight)
        if place >= 0:
            at = self._ordered.positions[place]
            found.append((sent, at, np.append(side[: self._columns[at].size], side[-1])))
        for sent, at, left in sorted(found, key=lambda each: (-each[0], each[1])):
            # merit comes in whole rows, or steps
            if sent > best_merit + 0.5 and self._columns[at].sayable(left) and self._columns[at].sayable(~left):
                return Split(at, left, 0.0), sent
        return best, best_merit

    def _set(self, at: int, matter: Positions, weight: NDArray[np.float64]) -> tuple[float, int, Mask]:
        """Return the best division of levels without order: all that lose by going right go left."""
        column = self._columns[at]
        total = np.bincount(column.codes[matter], weight, minlength=column.size + 1)
        left = np.where(total == 0, bool(total[:-1].sum() > 0), total > 0)
        return float(total[left].sum()), at, left


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
