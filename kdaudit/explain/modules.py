"""DeepLift and Grad-CAM of torch modules through captum, which does not say when they go wrong: guards that do."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import Mlp
from kdaudit.networks.convolutions import Cnn

Floats = NDArray[np.float64]
LARGEST_GAP = 0.02
"""Gap beyond which DeepLift is refused, as a share of the sum of absolute values: it is complete where it applies."""


def unrolled(module: nn.Module) -> nn.Module:
    """Return a network of ours with each activation and each halving a module of its own; any other as it is.

    The weights are shared.  What is called as a function, or more than once, DeepLift takes for linear.
    """
    match module:
        case Mlp():
            *hidden, last = module.layers
            return nn.Sequential(*(part for layer in hidden for part in (layer, nn.ReLU())), last)
        case Cnn():
            first, *others = module.blocks
            halved = [part for block in others for part in (nn.MaxPool2d(2), block)]
            # a mean over the picture, as a module
            mean = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
            return nn.Sequential(nn.Unflatten(1, module.shape), first, *halved, *mean, module.head)
        case _:
            return module


class _Centred(nn.Module):
    """A module's logits minus their mean over classes; one output stays as it is."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        given: torch.Tensor = self.module(inputs)
        given = given[:, None] if given.ndim == 1 else given
        return given if given.shape[1] == 1 else given - given.mean(dim=1, keepdim=True)


def deeplift(
    module: nn.Module, rows: torch.Tensor, baseline: torch.Tensor, output: torch.Tensor, *, name: str = "the network"
) -> tuple[Floats, Floats]:
    """Return DeepLift's rescale rule (Shrikumar et al. 2017) and its gap: shapes of `rows`, (n,).

    Parameters
    ----------
    module : Module
        From (n, ...) to (n, outputs) or (n,); explained are its logits, centred over the outputs.
    rows : tensor of shape (n, ...)
    baseline : tensor of shape (...) or (n, ...)
    output : tensor of int64, shape (n,)
    name : str
        For sentences.

    Raises
    ------
    InvalidInput
        If the rows are whole numbers.
    NoSuchSignal
        If an activation is used twice, or is no module of its own: the method then degrades to gradient x input.
    """
    if not rows.is_floating_point():
        raise InvalidInput(f"{name} was given whole numbers; DeepLift needs their embeddings")
    again = [place for place, times in _calls(unrolled(module), rows[:1]).items() if times > 1]
    if again:
        raise NoSuchSignal(f"DeepLift of {name}: the module {again[0]} is used more than once; give each use its own")
    start = baseline.expand_as(rows).contiguous()
    from captum.attr import DeepLift

    centred = _Centred(unrolled(module))
    with _untouched(module), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = DeepLift(centred).attribute(rows.clone(), start.clone(), target=output).detach()
    with torch.no_grad():
        ends = (centred(rows) - centred(start)).gather(1, output[:, None])[:, 0]
    flat = values.flatten(1).double()
    gap = (flat.sum(dim=1) - ends.double()).abs()
    if not torch.isfinite(flat).all():
        row = int((~torch.isfinite(flat).all(dim=1)).nonzero()[0])
        raise NoSuchSignal(f"DeepLift of {name} gives row {row} values that are no numbers")
    worst = float((gap / flat.abs().sum(dim=1).clamp(min=1e-6)).max()) if len(gap) else 0.0
    if worst > LARGEST_GAP:
        raise NoSuchSignal(
            f"DeepLift of {name} misses the answer's difference by {100 * worst:.0f} %: an activation is no module of "
            "its own (such as functional.relu, or a module made in forward), joins two inputs, or is of a kind with "
            "no rule (such as GELU); take integrated gradients"
        )
    return values.double().numpy(), gap.numpy()


def grad_cam(
    module: nn.Module,
    layer: str,
    rows: torch.Tensor,
    output: torch.Tensor,
    *,
    name: str = "the network",
    size: tuple[int, int] | None = None,
) -> Floats:
    """Return Grad-CAM (Selvaraju et al. 2017) at a layer, brought up to the size of the rows: shape (n, height, width).

    Nothing that it would have to sum to is known: it has no gap.

    Parameters
    ----------
    module : Module
        From pictures (n, channels, height, width), or whatever it takes for them, to (n, outputs).
    layer : str
        Name of a module inside, whose output is (n, channels, height, width).
    rows, output, name
        As in `deeplift`.
    size : (int, int), optional
        Height and width of the pictures; the last two sides of `rows` if not given.

    Raises
    ------
    InvalidInput
        If there is no such layer; the sentence names those that could be meant.
    NoSuchSignal
        If the layer gives no pictures.
    """
    layers = dict(module.named_modules())
    if layer not in layers or not layer:
        known = [n for n, m in layers.items() if isinstance(m, nn.Conv2d)] or [n for n in layers if n]
        raise InvalidInput(f"{name} has no layer {layer!r}; its layers are {', '.join(known[-8:])}")
    from captum.attr import LayerAttribution, LayerGradCam

    with _untouched(module), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method = LayerGradCam(_Centred(module), layers[layer])
        try:
            small = method.attribute(rows.clone(), target=output, relu_attributions=True).detach()
        except (RuntimeError, IndexError, AssertionError) as error:
            raise NoSuchSignal(f"Grad-CAM of {name} at {layer}: {error}") from error
    if small.ndim != 4:
        raise NoSuchSignal(f"Grad-CAM of {name}: the layer {layer} gives no pictures, but shape {tuple(small.shape)}")
    large = LayerAttribution.interpolate(small, size or tuple(rows.shape[-2:]), interpolate_mode="bilinear")
    out: Floats = large[:, 0].double().numpy()
    return out


def _calls(module: nn.Module, rows: torch.Tensor) -> Counter[str]:
    """Return how often each module without children and weights runs in one pass."""
    times: Counter[str] = Counter()

    def counted(place: str) -> Any:  # noqa: ANN401 - a hook, whose type torch leaves open
        def hook(*_: object) -> None:
            times[place] += 1

        return hook

    bare = [(n, m) for n, m in module.named_modules() if not list(m.children()) and not list(m.parameters())]
    handles = [part.register_forward_hook(counted(place)) for place, part in bare if place]
    try:
        with torch.no_grad(), _untouched(module):
            module(rows)
    finally:
        for handle in handles:
            handle.remove()
    return times


@contextmanager
def _untouched(module: nn.Module) -> Iterator[None]:
    """Run a module in evaluation mode, in which buffers stay, and put its mode back."""
    training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(training)
