import itertools

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from kdaudit.domain import Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.growth import grow, leaves_of


def error(tree, targets):
    return sum(((targets[leaf.rows] - targets[leaf.rows].mean(0)) ** 2).sum() for leaf in leaves_of(tree))


@pytest.mark.parametrize("seed", range(5))
def test_on_numbers_it_grows_the_tree_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 50, (300, 4)).astype(float)
    y = (np.sin(x[:, 0] / 7) + (x[:, 1] > 20) * x[:, 2] / 25 + rng.normal(0, 0.3, 300))[:, None]
    domain = Domain(tuple(Real(f"x{i}") for i in range(4)))
    rows = Samples(domain, {f"x{i}": x[:, i] for i in range(4)}, np.arange(300), Origin("drawn"))
    tree = grow(columns_of(rows), y, 12, 5)[-1]
    other = DecisionTreeRegressor(max_leaf_nodes=12, min_samples_leaf=5, random_state=0).fit(x, y)
    assert error(tree, y) == pytest.approx(((other.predict(x) - y[:, 0]) ** 2).sum(), rel=1e-9)


def test_each_tree_has_one_leaf_more_and_less_error(draw_rows, planted_score):
    rows = draw_rows(500)
    score = planted_score(rows)
    trees = grow(columns_of(rows), score, 20, 5)
    assert [len(list(leaves_of(tree))) for tree in trees] == list(range(1, len(trees) + 1))
    errors = [error(tree, score) for tree in trees]
    assert all(b < a for a, b in itertools.pairwise(errors))
    for tree in trees:
        rows_of = np.concatenate([leaf.rows for leaf in leaves_of(tree)])
        assert np.array_equal(np.sort(rows_of), np.arange(500))
