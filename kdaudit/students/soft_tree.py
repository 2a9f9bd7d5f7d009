"""Students that can be read: soft decision trees over a table or the pixels of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from kdaudit.domain import Domain, Image
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.pictures import Pictures


@dataclass(frozen=True)
class SoftTree:
    """Recipe of a soft decision tree (Frosst and Hinton 2017).

    Parameters
    ----------
    depth : int
        Questions between root and leaf; there are ``2 ** depth`` leaves.
    numbers : bool
        Whether the teacher answers with numbers and no probabilities.
    """

    depth: int = 4
    numbers: bool = False

    def build(self, domain: Domain, outputs: Sequence[str], rng: np.random.Generator) -> nn.Module:
        """Return a new module from encoded rows to logits; its weights depend on `rng` alone.

        Parameters
        ----------
        domain : Domain
            Reals and categories, or one picture.
        outputs : sequence of str
        rng : Generator

        Raises
        ------
        InvalidInput
            If there are too many levels.
        """
        picture = len(domain.fields) == 1 and isinstance(domain.fields[0], Image)
        width = Pictures(domain, 0.0, 1.0, 1).width if picture else Encoding(domain, (), ()).width
        arguments = {"inputs": width, "outputs": len(outputs), "depth": self.depth, "numbers": self.numbers}
        return build("soft_tree", arguments, int(rng.integers(2**62)))
