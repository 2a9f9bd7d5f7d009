"""DeepLift and Grad-CAM: right where they apply, refused where they silently degrade."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.explain.modules import deeplift, grad_cam, unrolled
from kdaudit.networks.architectures import build


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 12), nn.Linear(12, 2)

    def forward(self, x):
        return self.b(functional.relu(self.a(x)))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.act = nn.Linear(5, 6), nn.Linear(6, 6), nn.Linear(6, 2), nn.ReLU()

    def forward(self, x):
        return self.c(self.act(self.b(self.act(self.a(x)))))


def rows(n=6, seed=0):
    return torch.randn(n, 5, generator=torch.Generator().manual_seed(seed))


OUTPUT = torch.tensor([0, 1, 0, 1, 1, 0])


def test_deeplift_of_one_hidden_unit_is_its_quotient():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 1), nn.Tanh(), nn.Linear(1, 1))
    values, gap = deeplift(module, rows(), torch.zeros(5), torch.zeros(6, dtype=torch.int64))
    inner, start = module[0](rows())[:, 0], module[0](torch.zeros(5))[0]
    quotient = (torch.tanh(inner) - torch.tanh(start)) / (inner - start)
    want = (quotient * module[2].weight[0, 0])[:, None] * module[0].weight[0] * rows()
    assert np.allclose(values, want.detach().numpy(), atol=1e-5)
    assert gap.max() < 1e-5


def test_deeplift_of_classes_is_complete_for_centred_logits():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    _, gap = deeplift(module.train(), rows(), torch.zeros(5), OUTPUT)
    assert gap.max() < 1e-5
    assert module.training


@pytest.mark.parametrize(("make", "words"), [(Functional, "functional.relu"), (Twice, "act is used more than once")])
def test_deeplift_is_refused_where_it_would_be_something_else(make, words):
    torch.manual_seed(0)
    with pytest.raises(NoSuchSignal, match=words):
        deeplift(make(), 2 * rows(), torch.full((5,), -1.0), OUTPUT)


def test_grad_cam_is_its_definition():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 3, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(27, 2),
    )
    x = torch.randn(3, 1, 8, 8)
    output = torch.tensor([0, 1, 1])
    got = grad_cam(module, "2", x, output)
    maps = module[2](module[1](module[0](x)))
    given = module[5](module[4](module[3](maps)))
    chosen = (given - given.mean(dim=1, keepdim=True)).gather(1, output[:, None])
    (slope,) = torch.autograd.grad(chosen.sum(), maps)
    small = functional.relu((slope.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1, keepdim=True))
    want = functional.interpolate(small, (8, 8), mode="bilinear")[:, 0]
    assert np.allclose(got, want.detach().numpy(), atol=1e-5)


def test_a_missing_layer_is_named_with_those_that_could_be_meant():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 2))
    with pytest.raises(InvalidInput, match="no layer 'conv9'; its layers are 0"):
        grad_cam(module, "conv9", torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64))
    with pytest.raises(NoSuchSignal, match="Grad-CAM"):
        grad_cam(module, "2", torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64))
    with pytest.raises(InvalidInput, match="embeddings"):
        deeplift(module, torch.zeros(1, 5, dtype=torch.int64), torch.zeros(5), torch.zeros(1, dtype=torch.int64))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("mlp", {"inputs": 48, "outputs": 3, "hidden": [16, 12]}),
        ("mlp", {"inputs": 48, "outputs": 1, "hidden": []}),
        ("cnn", {"shape": [3, 4, 4], "outputs": 3, "hidden": [4, 6, 8], "separable": True}),
    ],
)
def test_networks_of_ours_are_unrolled_so_that_deeplift_is_complete(kind, arguments):
    generator = torch.Generator().manual_seed(0)
    module, given = build(kind, arguments, 0).eval(), torch.randn(7, 48, generator=generator)
    assert torch.allclose(unrolled(module)(given), module(given), atol=1e-6)
    output = torch.arange(7) % arguments["outputs"]
    values, gap = deeplift(module, given, torch.zeros(48), output)
    assert gap.max() < 1e-3 * np.abs(values).sum(axis=1).min()


def test_what_is_not_ours_stays_as_it_is():
    module = nn.Sequential(nn.Linear(2, 1), nn.GELU())
    assert unrolled(module) is module
