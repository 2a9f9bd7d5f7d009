import numpy as np
import pytest

from kdaudit.surrogates.alternation import alternated
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.growth import Branch, Leaf, grow, leaves_of
from kdaudit.surrogates.pruning import pruned
from kdaudit.surrogates.targets import Targets, ask_for_targets


def subtrees(tree):
    """Every subtree with the same root: the slow way."""
    rows = np.concatenate([leaf.rows for leaf in leaves_of(tree)])
    yield Leaf(rows)
    if isinstance(tree, Branch):
        for left in subtrees(tree.left):
            for right in subtrees(tree.right):
                yield Branch(tree.split, left, right)


def agreeing(tree, targets):
    return sum(
        int((targets.label[leaf.rows] == targets.decided(np.array([targets.answer(leaf.rows)]))[0]).sum())
        for leaf in leaves_of(tree)
    )


@pytest.fixture(params=range(4))
def noisy(request, behaviour, draw_rows, planted_ask):
    clean = ask_for_targets(behaviour, draw_rows(300, request.param), planted_ask)
    rng = np.random.default_rng(request.param)
    score = np.clip(clean.score + rng.normal(0, 0.35, clean.score.shape), 0, 1)
    return Targets(clean.samples, score, (score[:, 0] > 0.5).astype(int), False, 0.5, 0)


def test_every_size_is_the_best_subtree_of_that_size(noisy):
    tree = grow(columns_of(noisy.samples), noisy.score, 8, 5)[-1]
    found = {len(list(leaves_of(t))): agreeing(t, noisy) for t in pruned(tree, noisy, 5)}
    slow = {}
    for other in subtrees(tree):
        size = len(list(leaves_of(other)))
        slow[size] = max(slow.get(size, 0), agreeing(other, noisy))
    assert found == {size: slow[size] for size in found}
    assert max(found) == 5


def test_alternation_never_loses_agreement_or_gains_leaves(noisy):
    columns = columns_of(noisy.samples)
    gained = 0
    for tree in grow(columns, noisy.score, 10, 5)[1:]:
        after = alternated(tree, columns, noisy, 5)
        assert agreeing(after, noisy) >= agreeing(tree, noisy)
        assert len(list(leaves_of(after))) <= len(list(leaves_of(tree)))
        assert min(len(leaf.rows) for leaf in leaves_of(after)) >= 5
        gained += agreeing(after, noisy) - agreeing(tree, noisy)
    assert gained > 0
