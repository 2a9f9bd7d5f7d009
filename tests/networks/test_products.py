import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.networks.products import steady

WIDTHS = (1, 2, 3, 5, 7, 8, 9, 12, 15, 17, 31, 33, 62, 64, 65, 101)
COLUMNS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 33, 63, 64, 65, 100)


def _steady(function, rows):
    with steady():
        whole = function(rows)
        for shift in (1, 3, 16, 17, len(rows) - 1):
            if not torch.equal(function(torch.roll(rows, shift, 0)), torch.roll(whole, shift, 0)):
                return False
        for row in (0, 1, 5, len(rows) - 1):
            alone = torch.zeros_like(rows)
            alone[0] = rows[row]
            if not torch.equal(function(alone)[0], whole[row]):
                return False
    return True


def _unsteady(build, size):
    generator = torch.Generator().manual_seed(0)
    bad = []
    for width in WIDTHS:
        for columns in COLUMNS:
            weights = torch.randn(columns, width, generator=generator)
            rows = torch.randn(size, width, generator=generator)
            if not _steady(build(weights), rows):
                bad.append((width, columns))
    return bad


@pytest.mark.parametrize("size", [64, 256])
def test_linear_layers_give_a_row_the_same_bits_in_every_place(size):
    bias = torch.randn(200, generator=torch.Generator().manual_seed(1))
    assert _unsteady(lambda w: lambda rows: nn.functional.linear(rows, w, bias[: len(w)]), size) == []
    assert _unsteady(lambda w: lambda rows: nn.functional.linear(rows, w), size) == []
    assert _unsteady(lambda w: lambda rows: rows @ w.T.contiguous(), size) == []


def test_so_do_slopes():
    def slopes(weights):
        # the product of the backward pass has as many columns as the input
        layer = nn.Linear(weights.shape[1], weights.shape[0])
        layer.weight.data.copy_(weights)

        def function(rows):
            rows = rows.clone().requires_grad_()
            return torch.autograd.grad(torch.tanh(layer(rows)).sum(), rows)[0]

        return function

    assert _unsteady(slopes, 256) == []


def test_a_vector_is_a_product_of_one_column():
    weights = torch.randn(33, generator=torch.Generator().manual_seed(0))
    assert _steady(lambda rows: rows @ weights, torch.randn(64, 33, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("columns", [1, 3, 16, 63, 64, 70])
def test_products_are_products(columns):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(5, 7)), rng.normal(size=(7, columns))
    bias = rng.normal(size=columns)
    slow = [[sum(a * b for a, b in zip(row, column, strict=True)) for column in right.T] for row in left]
    with steady():
        given = torch.from_numpy(left) @ torch.from_numpy(right)
        added = nn.functional.linear(torch.from_numpy(left), torch.from_numpy(right.T.copy()), torch.from_numpy(bias))
        vector = torch.from_numpy(left) @ torch.from_numpy(right[:, 0].copy())
        halved = torch.addmm(torch.from_numpy(bias), torch.from_numpy(left), torch.from_numpy(right), beta=0.5, alpha=2)
    np.testing.assert_allclose(given.numpy(), slow, atol=1e-12)
    np.testing.assert_allclose(added.numpy(), np.array(slow) + bias, atol=1e-12)
    np.testing.assert_allclose(vector.numpy(), np.array(slow)[:, 0], atol=1e-12)
    np.testing.assert_allclose(halved.numpy(), 2 * np.array(slow) + 0.5 * bias, atol=1e-12)


SIDES = (1, 5, 7, 9, 15, 16, 17, 31, 33)


def test_batched_products_give_a_row_the_same_bits_in_every_place():
    generator, bad = torch.Generator().manual_seed(0), []
    for length in SIDES:
        for width in SIDES:
            rows = torch.randn(64, length, width + length, generator=generator)

            def attention(rows, width=width):
                shares = torch.softmax(rows[..., width:], dim=-1).contiguous()
                return shares @ (rows[..., :width] @ rows[..., :width].transpose(1, 2))

            if not _steady(attention, rows):
                bad.append((length, width))
    assert bad == []


def test_batched_products_are_products():
    rng = np.random.default_rng(0)
    left, right, bias = rng.normal(size=(3, 5, 7)), rng.normal(size=(3, 7, 2)), rng.normal(size=(3, 5, 2))
    slow = np.array(
        [
            [[sum(a * b for a, b in zip(r, c, strict=True)) for c in m.T] for r in n]
            for n, m in zip(left, right, strict=True)
        ]
    )
    first, second, added = (torch.from_numpy(values) for values in (left, right, bias))
    with steady():
        given, biased = torch.bmm(first, second), torch.baddbmm(added, first, second)
        halved = torch.baddbmm(added, first, second, beta=0.5, alpha=2)
    np.testing.assert_allclose(given.numpy(), slow, atol=1e-12)
    np.testing.assert_allclose(biased.numpy(), slow + bias, atol=1e-12)
    np.testing.assert_allclose(halved.numpy(), 2 * slow + 0.5 * bias, atol=1e-12)
