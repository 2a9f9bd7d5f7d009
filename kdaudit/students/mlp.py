"""Students for tables: linear layers with ReLU between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from kdaudit.domain import Domain
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build


@dataclass(frozen=True)
class Mlp:
    """Recipe of a multilayer perceptron.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer; empty for a linear model.
    """

    hidden: tuple[int, ...] = (32,)

    def build(self, domain: Domain, outputs: Sequence[str], rng: np.random.Generator) -> nn.Module:
        """Return a new module from encoded rows to logits; its weights depend on `rng` alone.

        Parameters
        ----------
        domain : Domain
            Reals and categories.
        outputs : sequence of str
        rng : Generator
        """
        arguments = {"inputs": Encoding(domain, (), ()).width, "outputs": len(outputs), "hidden": list(self.hidden)}
        return build("mlp", arguments, int(rng.integers(2**62)))
