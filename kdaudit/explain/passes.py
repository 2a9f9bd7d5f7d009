"""Forward and backward passes of a torch function in chunks of one size: memory grows with no number of steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch

from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal

NUMBERS = 2**19
"""Numbers of input in one chunk: about ten rows of a small transformer, whose layers take far more than its inputs."""
ROWS = 2_048
"""Most rows of a chunk; beyond, the layers of a small network leave the cache."""


@dataclass(frozen=True)
class Passes:
    """How one function is evaluated.

    Parameters
    ----------
    forward : callable
        From inputs (m, ...) to numbers (m, outputs), differentiable; weights should not ask for gradients, else their
        bookkeeping is paid for.
    context : callable
        Gives the context in which it runs, forward and backward.
    name : str
        For sentences.
    """

    forward: Callable[[torch.Tensor], torch.Tensor]
    context: Callable[[], AbstractContextManager[None]] = field(default=nullcontext)
    name: str = "the subject"

    def values(self, inputs: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Return the numbers at `output` (m,), without gradients: shape (m,)."""
        # not in inference mode, in which the context would see whole layers instead of products
        with torch.no_grad(), self.context():
            return self._chosen(self.forward(inputs), output)

    def slopes(self, inputs: torch.Tensor, output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the numbers at `output` and their gradients by the inputs: (m,), (m, ...).

        Raises
        ------
        InvalidInput
            If the inputs are whole numbers, which have no gradient: attribute their embeddings.
        NoSuchSignal
            If the function is not differentiable.
        InvalidAnswers
            If a gradient is no number; the sentence says in which row of the chunk.
        """
        if not inputs.is_floating_point():
            raise InvalidInput(
                f"{self.name} was given whole numbers ({inputs.dtype}), which have no gradient; "
                "attribute their embeddings"
            )
        with torch.enable_grad(), self.context():
            leaf = inputs.detach().requires_grad_()
            chosen = self._chosen(self.forward(leaf), output)
            if not chosen.requires_grad:
                raise NoSuchSignal(f"{self.name} has no gradient: its output is not computed by differentiable steps")
            (slope,) = torch.autograd.grad(chosen.sum(), leaf)
        # a sum is not finite if one of its terms is not, and costs no array of marks
        if not torch.isfinite(slope.sum()):
            bad = ~torch.isfinite(slope.flatten(1)).all(dim=1)
            if bad.any():
                raise InvalidAnswers(
                    f"{self.name} has a gradient that is no number in {int(bad.sum())} of {len(slope)} points, the "
                    f"first being {int(bad.nonzero()[0])}; a root or logarithm at its edge does that"
                )
        return chosen.detach(), slope

    def _chosen(self, given: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        if given.ndim != 2 or len(given) != len(output):
            raise InvalidAnswers(
                f"{self.name} gives an array of shape {tuple(given.shape)} for {len(output)} rows; (rows, outputs) was "
                "expected"
            )
        return given.gather(1, output[:, None])[:, 0]


def chunk_of(shape: tuple[int, ...]) -> int:
    """Return how many rows of this shape go through at once."""
    size = 1
    for side in shape:
        size *= side
    return max(1, min(ROWS, NUMBERS // max(size, 1)))


def gathered(parts: torch.Tensor, places: torch.Tensor, units: int) -> torch.Tensor:
    """Return sums over each unit's places: (m, *shape) -> (m, units).

    Parameters
    ----------
    parts : tensor of shape (m, *shape)
    places : tensor of int64
        Unit of each place; of shape `shape`, or with 1 where a side belongs together, as (tokens, 1).
    units : int
    """
    for side in range(places.ndim):
        if places.shape[side] == 1 and parts.shape[side + 1] > 1:
            parts = parts.sum(dim=side + 1, keepdim=True)
    flat = parts.reshape(len(parts), -1)
    where = places.reshape(-1)
    if len(where) == units and torch.equal(where, torch.arange(units)):
        return flat
    return flat.new_zeros(len(flat), units).index_add_(1, where, flat)
