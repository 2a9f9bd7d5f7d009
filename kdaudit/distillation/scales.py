"""Numbers that a student learns are brought to one scale, and put back when it has learned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from kdaudit.distillation.training import Teaching
from kdaudit.networks.architectures import last_layer
from kdaudit.objective.reference import Reference


@dataclass(frozen=True, eq=False)
class Standard:
    """The scale on which numbers are learned: mean 0 and spread 1 over the rows.

    A rate that suits numbers around one never reaches numbers around 50,000.  Only a module whose last layer is known
    can be put back; others, and probabilities, are learned as they are.

    Parameters
    ----------
    last : Linear or Embedding, optional
        The student's last layer; None leaves everything as it is.
    middle, spread : Tensor of shape (outputs,)
    """

    last: nn.Linear | nn.Embedding | None
    middle: Tensor
    spread: Tensor

    def of(self, reference: Reference) -> Reference:
        """Return a reference on this scale."""
        if self.last is None:
            return reference
        middle, spread = (x.to(reference.score) for x in (self.middle, self.spread))
        outcome = None if reference.outcome is None else (reference.outcome - middle[0]) / spread[0]
        scaled = (reference.score - middle) / spread
        return replace(reference, logit=scaled, score=scaled, outcome=outcome)

    def taught(self, teaching: Teaching) -> Teaching:
        """Return somebody who says the same on this scale."""
        return teaching if self.last is None else lambda inputs, rows: self.of(teaching(inputs, rows))

    def undo(self) -> None:
        """Put the last layer on the numbers' own scale, in place."""
        with torch.no_grad():
            match self.last:
                case nn.Embedding():
                    # leaves of a soft tree, whose shares sum to one
                    self.last.weight.mul_(self.spread).add_(self.middle)
                case nn.Linear():
                    self.last.weight.mul_(self.spread[:, None])
                    self.last.bias.mul_(self.spread).add_(self.middle)
                case _:
                    pass


def standard(module: nn.Module, reference: Reference) -> Standard:
    """Return the scale of recorded answers.

    Parameters
    ----------
    module : Module
        The student.
    reference : Reference
    """
    last = last_layer(module) if reference.scale == "value" else None
    middle, spread = reference.score.mean(dim=0), reference.score.std(dim=0, correction=0)
    return Standard(last, middle, torch.where(spread > 0, spread, torch.ones_like(spread)))
