"""One pass of rows through a module, as it is measured: one thread, no gradients, nothing around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def forward(module: nn.Module, encoded: NDArray[Any]) -> Callable[[], object]:
    """Return a call that takes encoded rows through a module in evaluation mode.

    The number of threads is set for the process when the call begins, since a pass of a few microseconds would
    otherwise measure the waking of threads.

    Parameters
    ----------
    module : Module
    encoded : array of shape (n, ...)
    """
    rows = torch.from_numpy(np.ascontiguousarray(encoded))

    def call() -> object:
        threads = torch.get_num_threads()
        if threads != 1:
            torch.set_num_threads(1)
        try:
            with torch.no_grad():
                return module(rows)
        finally:
            if threads != 1:
                torch.set_num_threads(threads)

    return call
