"""Operations against counts by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.errors import InvalidInput
from kdaudit.networks.operations import operations


def row(*shape):
    return np.zeros((1, *shape), dtype=np.float32)


def counted(module, *shape):
    return operations(module.eval(), row(*shape))


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (7, 3), (64, 128)])
def test_a_linear_layer_multiplies_each_input_for_each_output(inputs, outputs):
    found = counted(nn.Linear(inputs, outputs), inputs)
    assert (found.multiply_adds, found.flops, found.uncounted) == (inputs * outputs, 2 * inputs * outputs, ())


def by_hand(inputs, outputs, kernel, side, stride, padding, groups):
    """Products of a convolution, one output pixel after another."""
    total = 0
    for _ in range(0, side + 2 * padding - kernel + 1, stride):
        for _ in range(0, side + 2 * padding - kernel + 1, stride):
            total += outputs * (inputs // groups) * kernel * kernel
    return total


@pytest.mark.parametrize("case", [(1, 8, 3, 8, 1, 1, 1), (4, 6, 5, 12, 2, 0, 2), (8, 8, 3, 9, 3, 1, 8)])
def test_a_convolution_multiplies_its_window_for_each_pixel(case):
    inputs, outputs, kernel, side, stride, padding, groups = case
    module = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, groups=groups)
    assert counted(module, inputs, side, side).multiply_adds == by_hand(*case)


def attention_by_hand(tokens, width):
    return 3 * tokens * width * width + 2 * tokens * tokens * width + tokens * width * width


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]


@pytest.mark.parametrize(("tokens", "width", "heads"), [(5, 8, 2), (32, 64, 4)])
def test_attention_counts_projections_scores_and_mixing(tokens, width, heads):
    found = counted(SelfAttention(width, heads), tokens, width)
    assert (found.multiply_adds, found.uncounted) == (attention_by_hand(tokens, width), ())


def test_scaled_dot_product_attention_is_counted_too():
    class Plain(nn.Module):
        def forward(self, x):
            return nn.functional.scaled_dot_product_attention(x, x, x)

    assert counted(Plain(), 2, 6, 4).multiply_adds == 2 * 2 * 6 * 6 * 4


def test_an_encoder_layer_is_counted_without_its_fast_path():
    layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
    assert counted(layer, 32, 64).flops == 2_359_296
    assert counted(layer, 32, 64).multiply_adds == attention_by_hand(32, 64) + 2 * 32 * 64 * 128
    assert torch.backends.mha.get_fastpath_enabled()


def test_layers_that_hide_their_products_are_named():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.memory, self.out = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 2)

        def forward(self, x):
            return self.out(self.memory(x)[0][:, -1])

    found = counted(Recurrent(), 5, 4)
    assert found.uncounted == ("memory",)
    assert found.multiply_adds == 16


def test_tables_of_vectors_compute_nothing():
    module = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2)).eval()
    found = operations(module, np.zeros((1, 3), dtype=np.int64))
    assert (found.multiply_adds, found.uncounted) == (24, ())


def test_one_row_in_evaluation_mode_is_asked_for():
    with pytest.raises(InvalidInput, match="one row"):
        operations(nn.Linear(2, 1).eval(), np.zeros((2, 2), dtype=np.float32))
    with pytest.raises(InvalidInput, match=r"module\.eval"):
        operations(nn.Linear(2, 1).train(), row(2))
