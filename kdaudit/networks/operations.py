"""How many operations one row takes in a module: matrix products, convolutions and attention, counted exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from kdaudit.errors import InvalidInput

TABLES = (nn.Embedding, nn.EmbeddingBag)
"""Layers that look values up and compute nothing."""


@dataclass(frozen=True)
class Operations:
    """Operations of one row.

    Parameters
    ----------
    multiply_adds : int
        Products that are added up, of linear layers, convolutions and attention.
    uncounted : tuple of str
        Layers with weight matrices of which no product was seen, such as recurrent ones: the count lacks them.
    """

    multiply_adds: int
    uncounted: tuple[str, ...] = ()

    @property
    def flops(self) -> int:
        """Floating-point operations: a multiply-add is two."""
        return 2 * self.multiply_adds


def operations(module: nn.Module, row: NDArray[Any]) -> Operations:
    """Count the multiply-adds of one row.

    Biases, activations, normalisations and softmax are not counted, as is usual: their share is that of one operation
    a unit.  Fast paths of attention hide products from torch's counter, so it runs without them.

    Parameters
    ----------
    module : Module
        In evaluation mode, on the CPU; it is run once.
    row : array of shape (1, ...)
        One row as the module takes it.

    Raises
    ------
    InvalidInput
        If there is not exactly one row, or the module is in training mode.
    """
    if len(row) != 1:
        raise InvalidInput(f"operations are counted for one row; {len(row)} rows were given")
    if module.training:
        raise InvalidInput("operations are counted in evaluation mode; call module.eval() first")
    with torch.no_grad(), _plain_attention(), sdpa_kernel(SDPBackend.MATH):
        counter = FlopCounterMode(display=False)
        with counter:
            module(torch.from_numpy(np.ascontiguousarray(row)))
    by_layer = {name: sum(found.values()) for name, found in counter.get_flop_counts().items()}
    return Operations(counter.get_total_flops() // 2, tuple(_uncounted(module, by_layer)))


@contextmanager
def _plain_attention() -> Iterator[None]:
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _uncounted(module: nn.Module, by_layer: Mapping[str, int]) -> Iterator[str]:
    root = type(module).__name__
    seen = {name.removeprefix(root).removeprefix(".") for name, flops in by_layer.items() if flops and name != "Global"}
    attention = {name for name, part in module.named_modules() if isinstance(part, nn.MultiheadAttention)}
    for name, part in module.named_modules():
        if isinstance(part, TABLES) or not any(p.ndim >= 2 for p in part.parameters(recurse=False)):
            continue
        # attention multiplies by the weights of its output layer without calling it
        above = name.rpartition(".")[0]
        if name not in seen and not (above in attention and above in seen):
            yield name or root
