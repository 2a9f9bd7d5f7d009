"""The best subtree of every size (Bohanec and Bratko, 1994).

A tree grown best split first keeps its early mistakes.  Growing far beyond the size allowed and cutting back finds
better small trees, and which subtree of k leaves is best can be told exactly: the best of a branch is the best way to
share k between its sides.
"""

from __future__ import annotations

import numpy as np

from kdaudit.surrogates.growth import Branch, Leaf, Node
from kdaudit.surrogates.targets import Targets

Best = dict[int, tuple[float, Node]]
"""Number of leaves -> merit and subtree."""


def pruned(tree: Node, targets: Targets, leaves: int) -> list[Node]:
    """Return the best subtrees of 1, 2, ... leaves on the rows that the tree was grown on.

    Best is what agrees with the teacher in most rows, among equals what comes closest to its scores; where the score is
    a number, what comes closest.

    Parameters
    ----------
    tree : Node
    targets : Targets
        Of the rows that the tree was grown on.
    leaves : int
        Most leaves.
    """
    best = _best(tree, targets, leaves)
    return [best[size][1] for size in sorted(best)]


def _best(tree: Node, targets: Targets, leaves: int) -> Best:
    match tree:
        case Leaf():
            return {1: (_merit(tree, targets), tree)}
        case Branch(split=split, left=left, right=right):
            a, b = _best(left, targets, leaves), _best(right, targets, leaves)
            whole = Leaf(np.concatenate([a[1][1].rows, b[1][1].rows]))  # type: ignore[union-attr]
            out: Best = {1: (_merit(whole, targets), whole)}
            for i, (first, x) in a.items():
                for j, (second, y) in b.items():
                    if i + j <= leaves and (i + j not in out or first + second > out[i + j][0]):
                        out[i + j] = (first + second, Branch(split, x, y))
            return out


def _merit(leaf: Leaf, targets: Targets) -> float:
    answer = np.array([targets.answer(leaf.rows)])
    error = float(((targets.score[leaf.rows] - answer) ** 2).sum())
    if targets.numeric:
        return -error
    agreeing = int((targets.label[leaf.rows] == targets.decided(answer)[0]).sum())
    # all errors together weigh less than one row
    return agreeing - error / (4.0 * max(1, targets.score.size))
