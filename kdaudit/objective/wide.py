"""Soft targets over many classes: value and gradient worked out together, block by block of rows.

Over tens of thousands of classes the time goes into memory: every whole table that is written and read again costs as
much as the exponentials.  Blocks stay in the cache, and the gradient is the only table that is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

MANY = 1000
"""Classes from which on this is faster than torch's own cross-entropy."""
BLOCK = 1 << 19
"""Numbers of a block: 2 MB in single precision."""


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, p: Tensor, temperature: float) -> Tensor:  # noqa: ANN401 - torch's own
        n, k = z.shape
        gradient, value = torch.empty_like(z), z.new_empty(n)
        rows = max(1, BLOCK // k)
        scratch = z.new_empty(min(n, rows), k)
        for start in range(0, n, rows):
            block = slice(start, min(n, start + rows))
            one, slope, shifted = z[block], gradient[block], scratch[: min(n, start + rows) - start]
            top = one.amax(dim=1, keepdim=True)
            torch.sub(one, top, out=shifted)
            shifted.mul_(1 / temperature)
            torch.exp(shifted, out=slope)
            total = slope.sum(dim=1, keepdim=True)
            # the logits' products with p are taken of what is shifted: they are small there
            value[block] = total.log()[:, 0] - torch.linalg.vecdot(p[block], shifted)
            slope.mul_(1 / (temperature * total)).sub_(p[block], alpha=1 / temperature)
        ctx.gradient = gradient
        return value

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401 - torch's own
        if ctx.gradient is None:
            raise RuntimeError("the gradient of soft targets over many classes is kept for one way back only")
        gradient: Tensor = ctx.gradient
        ctx.gradient = None
        return gradient.mul_(above[0][:, None]), None, None


def cross_entropy(z: Tensor, p: Tensor, temperature: float) -> Tensor:
    """Return minus the sum of p log softmax(z / T) of each row, in nats, shape (n,).

    Parameters
    ----------
    z : Tensor of shape (n, classes)
        Logits; its gradient can be taken once.
    p : Tensor of shape (n, classes)
        Probabilities that sum to one; no gradient goes to them.
    temperature : float
    """
    out: Tensor = _CrossEntropy.apply(z, p, temperature)  # type: ignore[no-untyped-call]
    return out
