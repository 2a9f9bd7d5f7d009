import numpy as np
import pytest
import torch

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import build
from kdaudit.networks.gradients import input_gradients
from kdaudit.networks.network import Network
from kdaudit.signal import GRADIENT


def _centred(network, encoded, output):
    logits = network.raw(encoded)
    return logits[:, output] - (logits.mean(axis=1) if logits.shape[1] > 1 else 0)


@pytest.mark.parametrize(("outputs", "output"), [(("yes",), 0), (("a", "b", "c"), 0), (("a", "b", "c"), 2)])
def test_gradients_are_slopes_of_the_centred_logit(samples, make, outputs, output):
    # a smooth module, so that differences of both sides tend to the slope
    small = make(outputs)
    torch.manual_seed(0)
    width = small.encoding.width
    module = torch.nn.Sequential(torch.nn.Linear(width, 12), torch.nn.Tanh(), torch.nn.Linear(12, len(outputs)))
    network = Network("smooth", module, small.encoding, outputs)
    encoded = network.encoding.encode(samples.take(np.arange(40)))
    values, gradients = input_gradients(network, encoded, output)
    np.testing.assert_allclose(values, _centred(network, encoded, output), atol=1e-6)
    step = 1e-2
    for column in range(width):
        up, down = encoded.copy(), encoded.copy()
        up[:, column] += step
        down[:, column] -= step
        slope = (_centred(network, up, output) - _centred(network, down, output)) / (2 * step)
        np.testing.assert_allclose(gradients[:, column], slope, atol=2e-3)


def test_a_row_has_the_same_bits_alone_and_in_company(samples, make):
    network = make(("a", "b"))
    encoded = network.encoding.encode(samples)
    values, gradients = input_gradients(network, encoded, 1)
    for row in range(0, 300, 17):
        value, gradient = input_gradients(network, encoded[[row]], 1)
        assert (value == values[row]).all()
        assert (gradient == gradients[[row]]).all()


def test_the_signal_holds_all_outputs(samples, make):
    network = make(("a", "b"))
    given = network.answer(samples, [GRADIENT]).values[GRADIENT]
    assert given.shape == (300, network.encoding.width, 2)
    # centred logits of two classes are opposite, and so are their slopes
    np.testing.assert_allclose(given[:, :, 0], -given[:, :, 1], atol=1e-7)
    _, second = input_gradients(network, network.encoding.encode(samples), 1)
    assert (given[:, :, 1] == second).all()


def test_input_and_weights_are_left_as_they_were(samples, make):
    network = make()
    encoded = network.encoding.encode(samples)
    before = encoded.copy()
    input_gradients(network, encoded)
    assert (encoded == before).all()
    assert all(p.grad is None for p in network.module.parameters())


def test_what_cannot_be_had_is_said(samples, make):
    network = make()
    with pytest.raises(InvalidInput, match="has no output 1; it has 1: yes"):
        input_gradients(network, network.encoding.encode(samples), 1)

    class Steps(torch.nn.Module):
        def forward(self, rows):
            return (rows[:, :1] > 0).float()

    stepped = Network("steps", Steps(), network.encoding, ("yes",))
    with pytest.raises(NoSuchSignal, match="steps has no gradient"):
        input_gradients(stepped, network.encoding.encode(samples))
    assert build("mlp", {"inputs": 2, "outputs": 1, "hidden": []}, 0).layers[0].weight.requires_grad
