"""Both ways taken: keeps the questions of a soft decision tree from sending every row to one side."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kdaudit.errors import InvalidInput
from kdaudit.objective.terms import Term

SHARE = 1e-6
"""Shares of rows are kept this far from 0 and 1."""


def balance(at: str = "questions") -> Term:
    """Return how unevenly the questions of a soft tree part the rows that come to them: one value a batch.

    ``-sum_i 2**-level_i * (log a_i + log(1 - a_i)) / 2`` with a_i the share that goes right at question i, rows weighed
    by how probably they come there.  It is about the student alone; without it, questions that send all rows one way
    learn nothing any more.  It is best faded out: ``ramp(0.5, 0, 0, 0.5) * balance``.

    Parameters
    ----------
    at : str
        The student's layer that gives the questions' logits, in the order of `kdaudit.networks.soft_trees.SoftTree`.

    References
    ----------
    Frosst and Hinton 2017, equations 4 and 5 (with shares of the batch instead of a running mean).
    """

    def value(student: Tensor, teacher: object) -> Tensor:  # noqa: ARG001 - the shape of every term
        n, questions = len(student), student.shape[1]
        depth = (questions + 1).bit_length() - 1
        if student.ndim != 2 or questions + 1 != 2**depth:
            raise InvalidInput(
                f"balance needs the questions of a whole tree (1, 3, 7, ... of them); {at!r} gives {questions}"
            )
        left, right = functional.sigmoid(-student), functional.sigmoid(student)
        share, total = student.new_ones(n, 1), student.new_zeros(())
        for level in range(depth):
            here = slice(2**level - 1, 2 ** (level + 1) - 1)
            both = [share * left[:, here], share * right[:, here]]
            a = (both[1].sum(dim=0) / share.sum(dim=0).clamp_min(SHARE)).clamp(SHARE, 1 - SHARE)
            total = total - 2.0**-level * (a.log() + (1 - a).log()).sum() / 2
            share = torch.stack(both, dim=2).flatten(1)
        return total.expand(n)

    return Term("balance", value, student=at, pairs=True)
