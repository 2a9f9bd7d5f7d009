"""Students for texts and pictures: a shallow transformer over words or over patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from kdaudit.domain import Domain, Text
from kdaudit.networks.architectures import build
from kdaudit.pictures import Pictures


@dataclass(frozen=True)
class Transformer:
    """Recipe of a shallow transformer.

    Parameters
    ----------
    vocabulary, length : int
        Of texts: numbers that may occur, and words that are read (see `kdaudit.tokens.Tokens`).
    patch : int
        Of pictures: side of a patch in pixels; height and width are multiples of it.
    width : int
        Of a token's vector, a multiple of `heads`.
    hidden : tuple of int
        Units inside each layer.
    heads : int
    dropout : float
        Share of values set to 0 while training.
    """

    vocabulary: int = 8_002
    length: int = 64
    patch: int = 2
    width: int = 32
    hidden: tuple[int, ...] = (64, 64)
    heads: int = 2
    dropout: float = 0.0

    def build(self, domain: Domain, outputs: Sequence[str], rng: np.random.Generator) -> nn.Module:
        """Return a new module from encoded rows to logits; its weights depend on `rng` alone.

        Parameters
        ----------
        domain : Domain
            Of one text or one picture.
        outputs : sequence of str
        rng : Generator

        Raises
        ------
        InvalidInput
            If the domain is neither, or sizes do not fit.
        """
        sizes = {
            "outputs": len(outputs),
            "width": self.width,
            "hidden": list(self.hidden),
            "heads": self.heads,
            "dropout": self.dropout,
        }
        seed = int(rng.integers(2**62))
        if isinstance(domain.fields[0], Text) and len(domain.fields) == 1:
            return build("transformer", {"vocabulary": self.vocabulary, "length": self.length, **sizes}, seed)
        shape = list(Pictures(domain, 0.0, 1.0, 1).shape)
        return build("patch_transformer", {"shape": shape, "patch": self.patch, **sizes}, seed)
