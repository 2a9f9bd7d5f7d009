"""Sizes against counts by hand, comparisons against a loop over rows."""

import itertools
import json

import numpy as np
import pytest

from kdaudit.cast import Empty
from kdaudit.cost.sizes import comparisons, size
from kdaudit.rules import Rule, Rules, Test

OLD, YOUNG = Test("age", above=50), Test("age", below=50)
WOMAN = Test("sex", levels=("female",))
TREE = Rules(
    "tree",
    (Rule((OLD, WOMAN), (0.8,)), Rule((OLD, Test("sex", levels=("male",))), (0.3,)), Rule((YOUNG,), (0.1,))),
    ("above",),
)
LIST = Rules(
    "list",
    (
        Rule((Test("age", above=30, below=60), WOMAN), (0.8,)),
        Rule((Test("hours", above=40), OLD), (0.4,)),
        Rule((), (0.2,)),
    ),
    ("above",),
)


def looked_at(rules, samples, row):
    """Comparisons of one row, test after test."""
    one, total = samples.take([row]), 0
    for rule in rules.rules:
        spent, passes = 0, True
        for test in rule.tests:
            spent += sum(part is not None for part in (test.below, test.above, test.levels))
            passes = bool(test.holds(one)[0])
            if not passes:
                break
        if rules.family == "list":
            total += spent
        elif passes:
            return spent
        if passes:
            return total
    raise AssertionError("no rule held")


@pytest.mark.parametrize("rules", [TREE, LIST])
def test_comparisons_are_those_that_a_row_meets(rules, rows):
    samples = rows(300)
    assert comparisons(rules, samples).tolist() == [looked_at(rules, samples, i) for i in range(len(samples))]


def test_rules_cost_comparisons_and_their_text(rows, ruled):
    samples = rows(400)
    found = size(ruled(TREE), samples)
    assert found.parameters.value == 2 + 3
    values = comparisons(TREE, samples)
    assert found.operations.value == pytest.approx(values.mean())
    assert found.operations.low < found.operations.value < found.operations.high
    assert found.operation == "comparisons"
    assert isinstance(found.multiply_adds, Empty)
    assert found.stored_bytes.value >= len(json.dumps(TREE.to_data(), separators=(",", ":")))


@pytest.mark.parametrize("hidden", [(), (8,), (8, 4)])
def test_networks_cost_weights_and_products(hidden, rows, network):
    sizes = [4, *hidden, 1]
    products = sum(a * b for a, b in itertools.pairwise(sizes))
    found = size(network(hidden), rows(50))
    assert found.parameters.value == products + sum(sizes[1:])
    assert found.stored_bytes.value == 4 * found.parameters.value
    assert found.multiply_adds.value == products
    assert found.operations.value == 2 * products
    assert found.operations.low == found.operations.high and found.operations.n == 50


def test_closed_subjects_have_no_size(rows, ruled):
    found = size(ruled(None, "closed"), rows(5))
    assert isinstance(found, Empty) and "closed shows no body" in found.reason


def test_a_constant_tree_is_counted(rows, ruled):
    leaf = Rules("tree", (Rule((), (0.5,)),), ("above",))
    found = size(ruled(leaf), rows(20))
    assert found.parameters.value == 1 and np.isclose(found.operations.value, 0)
