"""Where in a picture a network looks: class activation maps of its last convolution, patch by patch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.errors import NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.modules import grad_cam
from kdaudit.explain.passes import chunk_of
from kdaudit.networks.network import Network
from kdaudit.networks.products import steady
from kdaudit.pictures import Pictures
from kdaudit.samples import Samples


def class_maps(network: Network, samples: Samples, *, output: NDArray[np.int64]) -> Attributions:
    """Return Grad-CAM (Selvaraju et al. 2017) at the last convolution, as the mean over each patch.

    It says where the evidence for the output lies and never what speaks against it, so that no value is negative; what
    they would have to sum to is not known, so that there is no gap.

    Parameters
    ----------
    network : Network
        Over pictures.
    samples : Samples
        n rows to explain.
    output : array of shape (n,)
        The output explained in each row.

    Raises
    ------
    NoSuchSignal
        If the network does not read pictures, or has no convolution over them.
    """
    encoding = network.encoding
    if not isinstance(encoding, Pictures):
        raise NoSuchSignal(f"{network.name} reads no pictures; take integrated gradients or Shapley values")
    layer = last_convolution(network)
    rows, chosen = torch.from_numpy(encoding.encode(samples)), torch.from_numpy(np.asarray(output, dtype=np.int64))
    channels, height, width = encoding.shape
    size = chunk_of((encoding.width,))
    parts = [np.zeros((0, height, width))]
    with steady():
        for at in range(0, len(rows), size):
            some = slice(at, at + size)
            parts.append(
                grad_cam(network.module, layer, rows[some], chosen[some], name=network.name, size=(height, width))
            )
    flat = np.repeat(np.concatenate(parts).reshape(len(rows), 1, height * width), channels, axis=1)
    units = encoding.units
    pixels = np.array([len(columns) for columns in units.columns])
    values = units.gather(flat.reshape(len(rows), -1)) / pixels
    nothing = np.full(len(rows), np.nan)
    return Attributions(
        units.names,
        values,
        np.zeros_like(values),
        nothing,
        nothing,
        method="Grad-CAM at the last convolution, mean over each patch",
        baseline="none: only what speaks for the output is shown",
        scale="logit, centred over outputs",
        evaluations=1,
    )


def last_convolution(network: Network) -> str:
    """Return the name of the last convolution over pictures.

    Raises
    ------
    NoSuchSignal
        If there is none.
    """
    found = [name for name, part in network.module.named_modules() if isinstance(part, nn.Conv2d)]
    if not found:
        raise NoSuchSignal(
            f"{network.name} has no convolution over pictures, of which Grad-CAM makes its map; take integrated "
            "gradients or Shapley values"
        )
    return str(found[-1])
