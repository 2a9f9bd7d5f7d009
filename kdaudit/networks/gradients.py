"""How a network's logit changes with each encoded column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.products import steady

if TYPE_CHECKING:
    from kdaudit.networks.network import Network


def input_gradients(
    network: Network, encoded: NDArray[np.float32], output: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a logit and its gradient for each row.

    With several classes the logit is centred: minus the mean over classes, since softmax knows differences only.
    With one output it is the logit (or the number) itself.

    Parameters
    ----------
    network : Network
    encoded : array of shape (m, width), float32
    output : int
        Position among the network's outputs.

    Returns
    -------
    values : array of shape (m,)
    gradients : array of shape (m, width)
        Change of the value per unit of each column; computed in float32.

    Raises
    ------
    InvalidInput
        If there is no such output.
    NoSuchSignal
        If the module's output does not depend on its input in a differentiable way.
    """
    k = len(network.outputs)
    if not 0 <= output < k:
        raise InvalidInput(f"{network.name} has no output {output}; it has {k}: {', '.join(network.outputs)}")
    values, gradients = np.empty(len(encoded)), np.empty(encoded.shape)
    for rows, batch in network.batches(encoded):
        with torch.enable_grad(), steady():
            given = network.shaped(network.module(batch.requires_grad_()))
            if not given.requires_grad:
                raise NoSuchSignal(
                    f"{network.name} has no gradient: its output is not computed by differentiable steps"
                )
            chosen = given[:, output] if k == 1 or network.scale == "value" else given[:, output] - given.mean(dim=1)
            (slope,) = torch.autograd.grad(chosen.sum(), batch)
        n = rows.stop - rows.start
        values[rows], gradients[rows] = chosen.detach().numpy()[:n], slope.numpy()[:n]
    return values, gradients
