"""Terms: pure functions of a student's logits and a teacher's answers, one value a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference, log_probabilities

Need = Literal["probability", "outcome"]
"""What a term needs of a reference beyond logits or numbers: probabilities, or true outcomes."""
Function = Callable[[Tensor, Reference], Tensor]


@dataclass(frozen=True)
class Term:
    """One thing to match.

    Parameters
    ----------
    text : str
        As it is written in a plan, such as ``"soft_targets(2)"``.
    function : callable
        ``function(student logits of shape (n, outputs), reference of n rows) -> Tensor of shape (n,)``, not below 0 and
        0 where the student answers as it should.
    needs : frozenset of {"probability", "outcome"}
    """

    text: str
    function: Function
    needs: frozenset[Need] = frozenset()

    def __call__(self, student: Tensor, teacher: Reference) -> Tensor:
        """Return one value a row."""
        return self.function(student, teacher)


def soft_targets(temperature: float = 2.0) -> Term:
    """Return the Kullback-Leibler divergence from student to teacher, both softened, times the temperature squared.

    ``T**2 * sum_c p_c * (log p_c - log q_c)`` in nats with p the teacher's and q the student's probabilities at
    temperature T.  The factor keeps gradients on one scale whatever T.  One logit stands for two classes.

    Parameters
    ----------
    temperature : float
        Above 0.  At 1 recorded probabilities are used as they are.

    References
    ----------
    Hinton, Vinyals and Dean 2015, section 2.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise InvalidInput(f"soft_targets({temperature:g}) is not possible; a temperature is a number above 0")
    T = float(temperature)

    def value(student: Tensor, teacher: Reference) -> Tensor:
        p = teacher.probabilities(T)
        q = log_probabilities(student, T)
        # xlogy is 0 where p is 0, as the limit is
        return T**2 * (torch.xlogy(p, p) - p * q).sum(dim=1)

    return Term(f"soft_targets({T:g})", value, frozenset({"probability"}))


def logit_mse() -> Term:
    """Return the squared difference of logits, averaged over the outputs.

    Logits of several classes are centred first, since adding a number to all of them changes nothing.  Where the
    score is a number and no probability, it is the squared difference of the numbers.

    References
    ----------
    Ba and Caruana 2014, section 2.2.
    """

    def value(student: Tensor, teacher: Reference) -> Tensor:
        difference = student - teacher.logit
        if student.shape[1] > 1 and teacher.scale == "probability":
            difference = difference - difference.mean(dim=1, keepdim=True)
        return (difference**2).mean(dim=1)

    return Term("logit_mse", value)


def labels() -> Term:
    """Return the cross-entropy to the true outcomes, in nats; the squared error where the outcome is a number.

    It teaches the student the world and not the teacher, so a proxy that is to stand for a teacher goes without.
    """

    def value(student: Tensor, teacher: Reference) -> Tensor:
        if teacher.outcome is None:
            raise InvalidInput("the term labels needs rows with recorded outcomes, and these have none")
        if teacher.scale == "value":
            return (student[:, 0] - teacher.outcome) ** 2
        return -log_probabilities(student).gather(1, teacher.outcome[:, None])[:, 0]

    return Term("labels", value, frozenset({"outcome"}))
