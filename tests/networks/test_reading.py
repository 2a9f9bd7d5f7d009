import numpy as np
import pytest
import torch

from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.reading import read_tree


@pytest.fixture
def tree(samples):
    """A tree of two questions, written by hand: is the age above the mean; below it, works somebody on a farm."""
    encoding = Encoding.fitted(samples)
    module = build("soft_tree", {"inputs": encoding.width, "outputs": 1, "depth": 2}, 0)
    age = encoding.units.columns[0][0]
    farm = encoding.units.columns[3][1]
    with torch.no_grad():
        module.questions.weight.zero_()
        module.questions.bias.copy_(torch.tensor([0.0, -20.0, 9.0]))
        module.questions.weight[0, age], module.questions.weight[1, farm] = 40.0, 40.0
        module.leaves.weight.copy_(torch.tensor([[-3.0], [2.0], [1.0], [4.0]]))
    return Network("tree", module, encoding, ("yes",))


def test_leaves_are_told_as_they_were_written(tree, samples):
    told = read_tree(tree, samples)
    age, work = samples.columns["age"], samples.columns["work"]
    old = age > age.mean()
    expected = {
        "yes (0.05)": (~old & (work != 1)).sum(),
        "yes (0.88)": (~old & (work == 1)).sum(),
        "yes (0.98)": old.sum(),
    }
    assert {leaf["says"]: leaf["rows"] for leaf in told["leaves"]} == expected
    assert [leaf["rows"] for leaf in told["leaves"]] == sorted(expected.values(), reverse=True)
    ways = {leaf["says"]: leaf["way"] for leaf in told["leaves"]}
    assert ways["yes (0.05)"][0].startswith("age low")
    assert ways["yes (0.98)"][0].startswith("age high")
    assert ways["yes (0.88)"][1].startswith("work farm")
    assert told["alone"] == told["rows"] == len(samples)


def test_rows_that_go_both_ways_are_not_told_by_a_leaf_alone(tree, samples):
    module = tree.module
    with torch.no_grad():
        # every row goes right a little more probably, and what stands at the left weighs more
        module.questions.weight.zero_()
        module.questions.bias.copy_(torch.tensor([0.1, 9.0, 9.0]))
        module.leaves.weight.copy_(torch.tensor([[0.0], [-9.0], [0.0], [0.5]]))
    soft = Network("soft", module, tree.encoding, ("yes",))
    told = read_tree(soft, samples)
    assert len(told["leaves"]) == 1
    assert told["leaves"][0]["says"] == "yes (0.62)"
    assert told["alone"] == 0


@pytest.mark.parametrize(("outputs", "scale"), [(("a", "b", "c"), "probability"), (("a", "b"), "value")])
def test_classes_and_numbers_are_told_too(outputs, scale, samples):
    encoding = Encoding.fitted(samples)
    sizes = {"inputs": encoding.width, "outputs": len(outputs), "depth": 1, "numbers": scale == "value"}
    module = build("soft_tree", sizes, 0)
    with torch.no_grad():
        module.leaves.weight.copy_(torch.tensor([[0.0, np.log(3), 0.0], [1.5, 2.5, 0.0]])[:, : len(outputs)])
    told = read_tree(Network("tree", module, encoding, outputs, scale=scale), samples)
    says = {leaf["says"] for leaf in told["leaves"]}
    assert says <= ({"b (0.60)", "b (0.69)"} if scale == "probability" else {"a 0, b 1.099", "a 1.5, b 2.5"})
