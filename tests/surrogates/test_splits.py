import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.domain import Category, Real
from kdaudit.surrogates.columns import Column
from kdaudit.surrogates.splits import best_split


def error(values):
    return float(((values - values.mean(axis=0)) ** 2).sum()) if len(values) else 0.0


def slow_gain(column, targets, smallest):
    """Try every left side that a test could say."""
    sides = []
    if column.cuts is None:
        for bits in itertools.product((False, True), repeat=column.size + 1):
            sides.append(np.array(bits))
    else:
        for cut, missing in itertools.product(range(column.size - 1), (False, True)):
            sides.append(np.append(np.arange(column.size) <= cut, missing))
    gains = [0.0]
    for left in sides:
        goes = left[column.codes]
        if min(goes.sum(), (~goes).sum()) >= smallest and column.sayable(left) and column.sayable(~left):
            gains.append(error(targets) - error(targets[goes]) - error(targets[~goes]))
    return max(gains)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 5))
def test_the_split_found_is_the_best_of_all(seed, ordered, smallest):
    rng = np.random.default_rng(seed)
    levels = tuple("abcde")
    codes = rng.integers(0, 6, 40)
    cuts = tuple(i + 0.5 for i in range(4)) if ordered else None
    column = Column(Category("x", levels, ordered=ordered, missing=True), codes, 5, cuts)
    targets = rng.random((40, 1))
    found = best_split([column], np.arange(40), targets, smallest)
    gain = 0.0 if found is None else found.gain
    # "only the missing on one side" is a side that no test can say; then the best other one may lie off the order
    best = slow_gain(column, targets, smallest)
    assert gain <= best + 1e-9
    if found is not None:
        goes = found.left[codes]
        assert found.gain == pytest.approx(error(targets) - error(targets[goes]) - error(targets[~goes]))
        assert min(goes.sum(), (~goes).sum()) >= smallest
    if ordered or (codes == 5).sum() == 0:
        assert gain == pytest.approx(best, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_levels_without_order_are_parted_best(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, 50)
    column = Column(Category("x", tuple("abcde")), codes, 5, None)
    targets = rng.random((50, 1))
    found = best_split([column], np.arange(50), targets, 1)
    assert found.gain == pytest.approx(slow_gain(column, targets, 1))


def test_several_classes_order_levels_along_their_main_direction():
    codes = np.repeat(np.arange(4), 25)
    classes = np.eye(3)[np.repeat([0, 2, 0, 2], 25)]
    column = Column(Category("x", tuple("abcd")), codes, 4, None)
    left = best_split([column], np.arange(100), classes, 1).left[:4]
    assert left.tolist() in ([True, False, True, False], [False, True, False, True])


def test_a_level_that_no_row_has_goes_where_more_rows_go():
    codes = np.array([0] * 30 + [1] * 10)
    column = Column(Category("x", ("a", "b", "never")), codes, 3, None)
    found = best_split([column], np.arange(40), (codes == 1).astype(float)[:, None], 1)
    assert found.left[2] == found.left[0]


def test_no_split_where_nothing_is_gained():
    column = Column(Real("x"), np.arange(20), 20, tuple(np.arange(19) + 0.5))
    assert best_split([column], np.arange(20), np.full((20, 1), 0.3), 1) is None
