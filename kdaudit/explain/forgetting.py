"""Does a method notice when a network forgets what it learned?  Weights are made random from the top (Adebayo 2018)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.networks.network import Network

Floats = NDArray[np.float64]
MOST_STAGES = 4
"""Networks of more layers lose several at a time."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Likeness of the attributions of a network and of the same with some layers made random.

    Parameters
    ----------
    layers : int
        Layers from the top that are random.
    of : int
        Layers that have weights.
    likeness : array of shape (n,)
    """

    layers: int
    of: int
    likeness: Floats


def forgetting(
    network: Network,
    attribute: Callable[[Network], Floats],
    likeness: Callable[[Floats, Floats], Floats],
    rng: np.random.Generator,
) -> tuple[Stage, ...]:
    """Return how alike attributions stay as layers are made random, from the output downwards, added up.

    Parameters
    ----------
    network : Network
    attribute : callable
        ``attribute(network) -> (n, units)``.
    likeness : callable
        ``likeness(a, b) -> (n,)``.
    rng : Generator
    """
    truth = attribute(network)
    layers = weighted(network)
    step = -(-len(layers) // MOST_STAGES)
    out = []
    for count in range(step, len(layers) + step, step):
        chosen = layers[: min(count, len(layers))]
        out.append(Stage(len(chosen), len(layers), likeness(truth, attribute(shuffled(network, chosen, rng)))))
    return tuple(out)


def weighted(network: Network) -> tuple[str, ...]:
    """Return the names of the modules that have weights of their own, the output's first."""
    names = [n for n, part in network.module.named_modules() if list(part.parameters(recurse=False))]
    return tuple(reversed(names))


def shuffled(network: Network, layers: tuple[str, ...], rng: np.random.Generator) -> Network:
    """Return the network with the weights inside each tensor of these layers in another order.

    Mean and spread stay, so that the answers keep their size; what was learned is gone.
    """
    # the weights change before the network is made: its identity is that of what it computes
    module = copy.deepcopy(network.module)
    parts = dict(module.named_modules())
    with torch.no_grad():
        for layer in layers:
            for weight in parts[layer].parameters(recurse=False):
                moved = rng.permutation(weight.numpy().ravel()).reshape(weight.shape)
                weight.copy_(torch.from_numpy(moved))
    return Network(network.name, module, network.encoding, network.outputs, scale=network.scale, batch=network.batch)
