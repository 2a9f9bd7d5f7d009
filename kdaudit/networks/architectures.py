"""The architectures that a file or a plan may name, and how their weights are drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from kdaudit.chance import seed_of
from kdaudit.errors import InvalidInput

WIDEST, DEEPEST = 1 << 20, 64
"""Most units of a layer and most layers that a description may ask for."""


class Mlp(nn.Module):
    """Linear layers with ReLU between them.

    Parameters
    ----------
    inputs : int
        Width of the encoding.
    outputs : int
        Number of logits.
    hidden : sequence of int
        Units of each hidden layer; empty for a linear model.

    Raises
    ------
    InvalidInput
        If a size is no whole number from 1 to `WIDEST`, or there are more than `DEEPEST` layers.
    """

    def __init__(self, inputs: int, outputs: int, hidden: Sequence[int] = (32,)) -> None:
        super().__init__()
        sizes = [inputs, *hidden, outputs]
        if any(isinstance(s, bool) or not isinstance(s, int) or not 1 <= s <= WIDEST for s in sizes):
            raise InvalidInput(f"an mlp of sizes {sizes} cannot be built; each is a whole number from 1 to {WIDEST}")
        if len(sizes) > DEEPEST:
            raise InvalidInput(f"an mlp of {len(sizes) - 1} layers cannot be built; at most {DEEPEST - 1} are allowed")
        self.inputs, self.outputs, self.hidden = inputs, outputs, tuple(hidden)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for encoded rows of shape (n, inputs)."""
        for layer in self.layers[:-1]:
            inputs = torch.relu(layer(inputs))
        out: torch.Tensor = self.layers[-1](inputs)
        return out


ARCHITECTURES: dict[str, type[nn.Module]] = {"mlp": Mlp}
_ARGUMENTS: dict[type[nn.Module], tuple[str, ...]] = {Mlp: ("inputs", "outputs", "hidden")}


def build(architecture: str, arguments: Mapping[str, Any], seed: int) -> nn.Module:
    """Return a new module whose weights depend on `seed` alone.

    The global random state is neither used nor changed.  Weights and biases of a linear layer are uniform on
    plus or minus 1 / sqrt(inputs), torch's own law.

    Parameters
    ----------
    architecture : str
        Name in `ARCHITECTURES`.
    arguments : mapping
        Of the architecture, as plain data.
    seed : int

    Raises
    ------
    InvalidInput
        On an unknown architecture or arguments that do not fit it.
    """
    module = outline(architecture, arguments).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed_of(seed, f"networks/{architecture}/weights"))
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for weights in (layer.weight, layer.bias):
                nn.init.uniform_(weights, -bound, bound, generator=generator)
    return module


def outline(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Return a module without weights (on torch's meta device): its names and shapes take no memory.

    Raises
    ------
    InvalidInput
        On an unknown architecture or arguments that do not fit it.
    """
    if architecture not in ARCHITECTURES:
        raise InvalidInput(f"architecture {architecture!r} is unknown; kdaudit builds {', '.join(ARCHITECTURES)}")
    kind = ARCHITECTURES[architecture]
    try:
        with torch.device("meta"):
            return kind(**arguments)
    except TypeError as error:
        names = ", ".join(_ARGUMENTS[kind])
        raise InvalidInput(f"arguments {dict(arguments)} do not fit {architecture}, which takes {names}") from error


def described(module: nn.Module) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments with which `build` makes such a module; an empty name for others."""
    for name, kind in ARCHITECTURES.items():
        if type(module) is kind:
            values = {key: getattr(module, key) for key in _ARGUMENTS[kind]}
            return name, {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
    return "", {}
