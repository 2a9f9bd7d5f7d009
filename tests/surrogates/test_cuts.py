"""Cuts of many fields at once: the gain of every cut that could be made, tried one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.domain import Real
from kdaudit.surrogates import cuts as module
from kdaudit.surrogates.columns import Column
from kdaudit.surrogates.cuts import Ordered, best_cuts, best_sides


def error(values):
    return float(((values - values.mean(axis=0)) ** 2).sum()) if len(values) else 0.0


def columns_drawn(rng, n):
    """Fields of unlike sizes, some with missing values, the last one of one value only."""
    out = []
    for number, size in enumerate((2, 7, 4, 9, 1)):
        codes = rng.integers(0, size + number % 2, n)
        out.append(Column(Real(f"x{number}", missing=True), codes, size, tuple(i + 0.5 for i in range(size - 1))))
    return out


def tried(column, rows, targets, smallest):
    """The best gain of all cuts, missing values on either side."""
    best = -np.inf
    codes, values = column.codes[rows], targets[rows]
    for cut in range(column.size - 1):
        for missing in (False, True):
            left = np.append(np.arange(column.size) <= cut, missing)[codes]
            known = codes < column.size
            parted = (left & known).any() and (~left & known).any()
            if parted and min(left.sum(), (~left).sum()) >= smallest:
                best = max(best, error(values) - error(values[left]) - error(values[~left]))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 3), st.sampled_from([1, 50, 1 << 17]))
def test_each_field_gets_its_best_cut(seed, smallest, outputs, together):
    rng = np.random.default_rng(seed)
    columns, targets = columns_drawn(rng, 60), rng.normal(size=(60, outputs))
    rows = np.sort(rng.choice(60, int(rng.integers(1, 60)), replace=False))
    before, module.TOGETHER = module.TOGETHER, together
    try:
        found = best_cuts(Ordered.of(columns), rows, targets, smallest)
    finally:
        module.TOGETHER = before
    for at, column in enumerate(columns):
        np.testing.assert_allclose(found.gain[at], tried(column, rows, targets, smallest), atol=1e-9)
        if np.isfinite(found.gain[at]):
            left = np.append(np.arange(column.size) <= found.code[at], found.missing[at])[column.codes[rows]]
            values = targets[rows]
            gain = error(values) - error(values[left]) - error(values[~left])
            np.testing.assert_allclose(found.gain[at], gain, atol=1e-9)


def sent_at_most(columns, rows, weight):
    """The most weight that a cut can send to the left, and the first field where one does: cuts tried one by one."""
    best = (-np.inf, -1)
    for place, column in enumerate(columns):
        codes = column.codes[rows]
        for cut in range(column.size - 1):
            for missing in (False, True):
                for left in (np.arange(column.size) <= cut, np.arange(column.size) > cut):
                    sent = weight[np.append(left, missing)[codes]].sum()
                    best = max(best, (sent, -place))
    return best[0], -best[1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 50, 1 << 17]))
def test_the_cut_that_sends_most_to_the_left_is_found(seed, together):
    rng = np.random.default_rng(seed)
    columns, weight = columns_drawn(rng, 60), rng.integers(-3, 4, 60).astype(float)
    rows = np.sort(rng.choice(60, int(rng.integers(1, 60)), replace=False))
    before, module.TOGETHER = module.TOGETHER, together
    try:
        place, left, sent = best_sides(Ordered.of(columns), rows, weight[rows])
    finally:
        module.TOGETHER = before
    assert (sent, place) == sent_at_most(columns, rows, weight[rows])
    column = columns[place]
    assert weight[rows][np.append(left[: column.size], left[-1])[column.codes[rows]]].sum() == sent


def test_a_field_of_one_value_cannot_be_cut():
    columns = columns_drawn(np.random.default_rng(0), 20)[-1:]
    assert best_sides(Ordered.of(columns), np.arange(20), np.ones(20))[0] == -1


def test_levels_without_order_are_left_to_others():
    columns = columns_drawn(np.random.default_rng(0), 5)
    columns[1] = Column(columns[1].field, columns[1].codes, 7, None)
    assert Ordered.of(columns).positions == (0, 2, 3, 4)
    nothing = best_cuts(Ordered.of(columns[1:2]), np.arange(5), np.ones((5, 1)), 1)
    assert nothing.gain.shape == (0,)
