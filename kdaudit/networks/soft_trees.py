"""Soft decision trees: every question is asked a little both ways, so that they are learned like other networks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from kdaudit.errors import InvalidInput
from kdaudit.networks.limits import check_sizes

DEEPEST_TREE = 10
"""Levels of questions; each doubles the leaves."""


class SoftTree(nn.Module):
    """A tree whose questions are linear: a row goes right with probability sigmoid(weights * row + bias).

    Each leaf holds one answer, the same for every row; what is given is the mean of the leaves' probabilities (of
    their numbers, where `numbers`), weighed by how probably the row ends there.  Question 0 is the root; below
    question i lie 2 i + 1 (left) and 2 i + 2 (right).

    Parameters
    ----------
    inputs : int
        Width of the encoding.
    outputs : int
        Number of logits.
    depth : int
        Questions between root and leaf, 1 to `DEEPEST_TREE`; there are ``2 ** depth`` leaves.
    numbers : bool
        Whether answers are numbers and no logits.

    Raises
    ------
    InvalidInput
        If a size is not possible.

    References
    ----------
    Frosst and Hinton 2017, equations 1 to 3 (with the mean over leaves instead of the likeliest one).
    """

    def __init__(self, inputs: int, outputs: int, depth: int = 4, *, numbers: bool = False) -> None:
        super().__init__()
        check_sizes("a soft tree", [inputs, outputs, depth], depth if isinstance(depth, int) else 0)
        if depth > DEEPEST_TREE:
            raise InvalidInput(f"a soft tree of depth {depth} has {2**depth:,} leaves; at most {DEEPEST_TREE} levels")
        self.inputs, self.outputs, self.depth, self.numbers = inputs, outputs, depth, numbers
        self.questions = nn.Linear(inputs, 2**depth - 1)
        # a table: nothing is multiplied with what a leaf answers but its share
        self.leaves = nn.Embedding(2**depth, outputs)

    def paths(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of how probably each row ends in each leaf, shape (n, leaves), from left to right."""
        asked = self.questions(inputs)
        left, right = functional.logsigmoid(-asked), functional.logsigmoid(asked)
        share: torch.Tensor = asked.new_zeros(len(asked), 1)
        for level in range(self.depth):
            here = slice(2**level - 1, 2 ** (level + 1) - 1)
            share = torch.stack([share + left[:, here], share + right[:, here]], dim=2).flatten(1)
        return share

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits (or numbers) of shape (n, outputs) for encoded rows of shape (n, inputs)."""
        share = self.paths(inputs)
        answers = self.leaves.weight
        if self.numbers:
            return torch.matmul(share.exp(), answers)
        if self.outputs == 1:
            yes, no = functional.logsigmoid(answers), functional.logsigmoid(-answers)
            return torch.logsumexp(share[..., None] + yes, dim=1) - torch.logsumexp(share[..., None] + no, dim=1)
        return torch.logsumexp(share[..., None] + torch.log_softmax(answers, dim=1), dim=1)
