"""Students for pictures: blocks of convolutions, the mean over the picture, a linear head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from kdaudit.domain import Domain
from kdaudit.networks.architectures import build
from kdaudit.pictures import Pictures


@dataclass(frozen=True)
class Cnn:
    """Recipe of a compact convolutional network.

    Parameters
    ----------
    hidden : tuple of int
        Channels of each block; sides are halved between blocks.
    depth : int
        Convolutions in a block.
    separable : bool
        Whether convolutions are split into one of each channel and one across channels, with far fewer weights.
    """

    hidden: tuple[int, ...] = (8, 16)
    depth: int = 1
    separable: bool = False

    def build(self, domain: Domain, outputs: Sequence[str], rng: np.random.Generator) -> nn.Module:
        """Return a new module from encoded pictures to logits; its weights depend on `rng` alone.

        Parameters
        ----------
        domain : Domain
            Of one picture.
        outputs : sequence of str
        rng : Generator

        Raises
        ------
        InvalidInput
            If the domain is no single picture, or too small for so many blocks.
        """
        arguments = {
            "shape": list(Pictures(domain, 0.0, 1.0, 1).shape),
            "outputs": len(outputs),
            "hidden": list(self.hidden),
            "depth": self.depth,
            "separable": self.separable,
        }
        return build("cnn", arguments, int(rng.integers(2**62)))
