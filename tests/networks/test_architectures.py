import numpy as np
import pytest
import torch

from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import Mlp, build, described, outline

ARGUMENTS = {"inputs": 5, "outputs": 2, "hidden": [7, 3]}


def _bits(module):
    return [tensor.numpy().tobytes() for tensor in module.state_dict().values()]


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    assert _bits(build("mlp", ARGUMENTS, 4)) == _bits(build("mlp", ARGUMENTS, 4))
    assert _bits(build("mlp", ARGUMENTS, 4)) != _bits(build("mlp", ARGUMENTS, 5))


def test_the_global_random_state_is_neither_used_nor_changed():
    torch.manual_seed(1)
    first, before = _bits(build("mlp", ARGUMENTS, 0)), torch.get_rng_state()
    torch.manual_seed(2)
    second, state = _bits(build("mlp", ARGUMENTS, 0)), torch.get_rng_state()
    assert first == second
    assert torch.equal(before, torch.manual_seed(1).get_state())
    assert torch.equal(state, torch.manual_seed(2).get_state())


def test_weights_follow_the_law_of_a_linear_layer():
    weights = build("mlp", {"inputs": 400, "outputs": 1, "hidden": [300]}, 0).layers[0].weight.detach().numpy()
    bound = 400**-0.5
    assert np.abs(weights).max() <= bound
    # a uniform law on +-b has the variance b**2 / 3
    assert weights.var() == pytest.approx(bound**2 / 3, rel=0.02)
    assert weights.mean() == pytest.approx(0, abs=1e-3)


def test_forward_is_what_a_loop_over_units_gives():
    module = build("mlp", ARGUMENTS, 0)
    row = [float(x) for x in np.random.default_rng(0).normal(size=5)]
    values = row
    for position, layer in enumerate(module.layers):
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        sums = [sum(w * v for w, v in zip(line, values, strict=True)) + b for line, b in zip(weight, bias, strict=True)]
        values = sums if position == 2 else [max(0.0, s) for s in sums]
    given = module(torch.tensor([row], dtype=torch.float32))
    assert given.detach().numpy()[0] == pytest.approx(values, rel=1e-4)


def test_a_module_of_the_table_is_described_so_that_it_can_be_built_again():
    name, arguments = described(build("mlp", ARGUMENTS, 0))
    assert (name, arguments) == ("mlp", ARGUMENTS)
    assert described(torch.nn.Linear(2, 1)) == ("", {})


def test_an_outline_has_shapes_and_no_memory():
    module = outline("mlp", {"inputs": 1 << 20, "outputs": 1, "hidden": [1 << 20]})
    assert module.layers[0].weight.shape == (1 << 20, 1 << 20)
    assert module.layers[0].weight.is_meta


@pytest.mark.parametrize(
    ("architecture", "arguments", "words"),
    [
        ("rnn", {}, "architecture 'rnn' is unknown; kdaudit builds mlp"),
        ("mlp", {"inputs": 5}, "which takes inputs, outputs, hidden"),
        ("mlp", {**ARGUMENTS, "width": 3}, "which takes inputs, outputs, hidden"),
        ("mlp", {**ARGUMENTS, "hidden": [0]}, "a whole number from 1"),
        ("mlp", {**ARGUMENTS, "hidden": [2.5]}, "a whole number from 1"),
        ("mlp", {**ARGUMENTS, "hidden": [2] * 80}, "81 layers"),
        ("mlp", {**ARGUMENTS, "hidden": 4}, "do not fit mlp"),
    ],
)
def test_a_wrong_description_is_one_sentence(architecture, arguments, words):
    with pytest.raises(InvalidInput, match=words):
        build(architecture, arguments, 0)


def test_an_mlp_can_be_made_by_hand():
    assert Mlp(3, 2)(torch.zeros(4, 3)).shape == (4, 2)
