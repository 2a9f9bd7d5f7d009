"""Training in steps: the same seed gives the same weights, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.chance import seed_of
from kdaudit.errors import InvalidInput

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From the module's outputs for a batch, and the positions (int64) of its rows, to a number."""
DECAY = 1e-2
"""Weight decay of AdamW, torch's own default."""


def fit(
    module: nn.Module,
    inputs: NDArray[np.float32],
    loss: Loss,
    *,
    steps: int = 1500,
    batch: int = 256,
    rate: float = 3e-3,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Train a module in place by AdamW with a rate that falls along half a cosine.

    Batches are drawn without replacement until all rows were used, then anew.  One thread: sums over a batch do not
    depend on the number of threads.  The global random state (which dropout uses) is put back afterwards.

    Parameters
    ----------
    module : Module
        Left in evaluation mode.
    inputs : array of shape (n, width), float32
    loss : callable
        Of the outputs for a batch and the positions of its rows.
    steps : int
    batch : int
        Rows a step; all rows if there are fewer.
    rate : float
        Learning rate at the start.
    seed : int

    Returns
    -------
    array of shape (steps,)
        The loss at each step.

    Raises
    ------
    InvalidInput
        If there are no rows or no steps, or the loss is no finite number any more.

    References
    ----------
    Loshchilov and Hutter 2017 (cosine), 2019 (decoupled weight decay).
    """
    if len(inputs) == 0 or steps < 1 or batch < 1:
        raise InvalidInput(f"training needs rows, steps and a batch; got {len(inputs)} rows, {steps} steps of {batch}")
    rows = torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32))
    weights = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, weight_decay=DECAY, foreach=True)
    curve = np.empty(steps)
    with alone(seed_of(seed, "networks/steps/noise")):
        module.train()
        for step, chosen in enumerate(_batches(len(rows), min(batch, len(rows)), steps, seed)):
            optimizer.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimizer.zero_grad()
            value = loss(module(rows[chosen]), chosen)
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            curve[step] = value.item()
            if not math.isfinite(curve[step]):
                raise InvalidInput(f"the loss is {curve[step]} at step {step} of {steps}; lower the rate of {rate:g}")
        module.eval()
    return curve


def _batches(n: int, size: int, steps: int, seed: int) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed_of(seed, "networks/steps/batches"))
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < size:
            order = torch.cat([order, torch.randperm(n, generator=generator)])
        chosen, order = order[:size], order[size:]
        yield chosen


@contextmanager
def alone(seed: int) -> Iterator[None]:
    """Inside this context there is one thread and a random state of its own; both are put back afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
