import numpy as np
import pytest
import torch

from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build

SIZES = {"inputs": 4, "outputs": 3, "depth": 3}


def walked(module, row):
    """The textbook: every leaf with the product of the probabilities on its way, from left to right."""
    weight, bias = (p.detach().double().numpy() for p in (module.questions.weight, module.questions.bias))
    shares = []
    for leaf in range(2**module.depth):
        here, share = 0, 1.0
        for turn in f"{leaf:0{module.depth}b}":
            right = 1 / (1 + np.exp(-(weight[here] @ row + bias[here])))
            share *= right if turn == "1" else 1 - right
            here = 2 * here + 1 + int(turn)
        shares.append(share)
    return np.array(shares)


@pytest.mark.parametrize(("outputs", "numbers"), [(3, False), (1, False), (1, True), (2, True)])
def test_an_answer_is_the_mean_over_leaves(outputs, numbers):
    module = build("soft_tree", {**SIZES, "outputs": outputs, "numbers": numbers}, 0)
    row = np.random.default_rng(1).normal(size=4)
    shares, leaves = walked(module, row), module.leaves.weight.detach().double().numpy()
    given = module(torch.from_numpy(row[None].astype(np.float32)))[0].detach().double().numpy()
    assert shares.sum() == pytest.approx(1)
    if numbers:
        np.testing.assert_allclose(given, shares @ leaves, rtol=1e-4)
    elif outputs == 1:
        p = shares @ (1 / (1 + np.exp(-leaves)))
        np.testing.assert_allclose(given, np.log(p / (1 - p)), rtol=1e-4)
    else:
        p = shares @ (np.exp(leaves) / np.exp(leaves).sum(axis=1, keepdims=True))
        np.testing.assert_allclose(given, np.log(p), rtol=1e-4)


def test_paths_are_probabilities_of_leaves_from_left_to_right():
    module, rows = build("soft_tree", SIZES, 2), np.random.default_rng(0).normal(size=(6, 4)) * 50
    paths = module.paths(torch.from_numpy(rows.astype(np.float32)))
    torch.testing.assert_close(torch.logsumexp(paths, dim=1), torch.zeros(6), atol=1e-5, rtol=0)
    assert torch.isfinite(paths).all()
    row = rows[0] / 50
    one = module.paths(torch.from_numpy(row[None].astype(np.float32))).exp()[0].detach().numpy()
    np.testing.assert_allclose(one, walked(module, row), rtol=1e-4)


def test_trees_too_deep_are_refused():
    with pytest.raises(InvalidInput, match="at most 10 levels"):
        build("soft_tree", {**SIZES, "depth": 11}, 0)
    with pytest.raises(InvalidInput, match="whole number"):
        build("soft_tree", {**SIZES, "depth": 0}, 0)
    with pytest.raises(InvalidInput, match="whole number"):
        build("soft_tree", {**SIZES, "depth": 2.5}, 0)
