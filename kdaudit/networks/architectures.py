"""The architectures that a file or a plan may name, and how their weights are drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from kdaudit.chance import seed_of
from kdaudit.errors import InvalidInput
from kdaudit.networks.convolutions import Cnn, WordCnn
from kdaudit.networks.exits import exits_of
from kdaudit.networks.limits import check_sizes
from kdaudit.networks.pretrained import Pretrained
from kdaudit.networks.soft_trees import SoftTree
from kdaudit.networks.transformers import PatchTransformer, Transformer


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
    exits : bool
        Whether each hidden layer but the last has a head of its own, ``exits.0`` and so on.

    Raises
    ------
    InvalidInput
        If a size is no whole number from 1 to `WIDEST`, or there are more than `DEEPEST` layers.
    """

    def __init__(self, inputs: int, outputs: int, hidden: Sequence[int] = (32,), *, exits: bool = False) -> None:
        super().__init__()
        sizes = [inputs, *hidden, outputs]
        check_sizes("an mlp", sizes, len(sizes) - 1)
        self.inputs, self.outputs, self.hidden = inputs, outputs, tuple(hidden)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.exits = exits_of(self.hidden, outputs, wanted=exits)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (n, outputs) for encoded rows of shape (n, inputs)."""
        for i, layer in enumerate(self.layers[:-1]):
            inputs = torch.relu(layer(inputs))
            if i < len(self.exits):
                self.exits[i](inputs)
        out: torch.Tensor = self.layers[-1](inputs)
        return out


ARCHITECTURES: dict[str, type[nn.Module]] = {
    "mlp": Mlp,
    "cnn": Cnn,
    "transformer": Transformer,
    "patch_transformer": PatchTransformer,
    "word_cnn": WordCnn,
    "soft_tree": SoftTree,
    "pretrained": Pretrained,
}
_ARGUMENTS: dict[type[nn.Module], tuple[str, ...]] = {
    Mlp: ("inputs", "outputs", "hidden", "exits"),
    Cnn: ("shape", "outputs", "hidden", "depth", "separable", "exits"),
    Transformer: ("vocabulary", "length", "outputs", "width", "hidden", "heads", "dropout", "exits"),
    PatchTransformer: ("shape", "outputs", "patch", "width", "hidden", "heads", "dropout", "exits"),
    WordCnn: ("vocabulary", "length", "outputs", "width", "hidden", "exits"),
    SoftTree: ("inputs", "outputs", "depth", "numbers"),
    Pretrained: ("config", "padding", "chosen", "others", "mask", "task", "kernel"),
}


def build(architecture: str, arguments: Mapping[str, Any], seed: int) -> nn.Module:
    """Return a new module whose weights depend on `seed` alone.

    The global random state is neither used nor changed.  Weights and biases of a linear layer and of a convolution
    are uniform on plus or minus 1 / sqrt(inputs of a unit), torch's own law; vectors of words and places are normal
    with variance 1 / width, so that each has about length 1; norms begin as identity.

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
        match layer:
            case nn.Linear() | nn.Conv1d() | nn.Conv2d():
                bound = layer.weight[0].numel() ** -0.5
                for weights in (layer.weight, layer.bias):
                    if weights is not None:
                        nn.init.uniform_(weights, -bound, bound, generator=generator)
            case nn.Embedding():
                nn.init.normal_(layer.weight, std=layer.embedding_dim**-0.5, generator=generator)
            case nn.LayerNorm() | nn.BatchNorm2d():
                layer.reset_parameters()
            case _:
                pass
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
            return name, {key: _plain(value) for key, value in values.items() if (key, value) != ("exits", ())}
    return "", {}


def last_layer(module: nn.Module) -> nn.Linear | nn.Embedding | None:
    """Return the layer whose weights scale and shift what a module gives; None where it is not known."""
    match module:
        case Mlp():
            last = module.layers[-1]
        case Cnn() | WordCnn() | Transformer() | PatchTransformer():
            last = module.head
        case SoftTree(numbers=True):
            last = module.leaves
        case _:
            return None
    assert isinstance(last, nn.Linear | nn.Embedding)
    return last


def _plain(value: object) -> object:
    # heads of early exits stand under the name of the argument that asked for them
    if isinstance(value, nn.ModuleList):
        return True
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
