"""Terms of the outputs: pure functions of a student's logits and a teacher's answers, one value a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference, log_probabilities
from kdaudit.objective.wide import MANY, cross_entropy

Need = Literal["probability", "outcome", "classes"]
"""What a term needs of a reference: probabilities, true outcomes, or at least `FEWEST` classes."""
By = Literal["teacher", "own", "peers"]
"""Whom a term compares the student with: its teacher, itself (deeper layers teach shallower ones) or its peers."""
Function = Callable[[Tensor, Any], Tensor]
FAITHFUL = "faithful"
"""The objective of students where a plan names none; see `faithful`."""
SOFT = 4.0
"""The temperature of it: of those tried on few digits, students came closest to their teachers at 4."""
FEWEST = 3
"""Classes below which there is nothing to tell apart among those that a row is not."""


@dataclass(frozen=True)
class Term:
    """One thing to match.

    Parameters
    ----------
    name : str
        As in a plan, such as ``"soft_targets"``.
    function : callable
        ``function(student, teacher) -> Tensor of shape (n,)``, not below 0.  Of the outputs: logits of shape
        (n, outputs) and a `Reference` of n rows.  Of layers: two tensors of n rows.
    needs : frozenset of {"probability", "outcome", "classes"}
    numbers : tuple of float
        Of the formula, such as a temperature.
    student : str
        Tap of the student (see `kdaudit.networks.taps`); empty for its outputs.
    teacher : str, optional
        Tap of the teacher; None where the term is of the outputs.
    by : {"teacher", "own", "peers"}
    projects : bool
        Whether a learned map without bias brings the student's width to the teacher's where they differ.
    pairs : bool
        Whether the formula is about pairs of rows: then its value depends on which rows stand together.
    mean : callable, optional
        The mean of `function` over the rows, where it can be had with fewer passes over memory.
    """

    name: str
    function: Function
    needs: frozenset[Need] = frozenset()
    numbers: tuple[float, ...] = ()
    student: str = ""
    teacher: str | None = None
    by: By = "teacher"
    projects: bool = False
    pairs: bool = False
    mean: Function | None = None

    @property
    def text(self) -> str:
        """As it is written in a plan, such as ``"soft_targets(2)"``."""
        taps = [self.student] if self.student and not self.student.startswith(GRADIENT) else []
        if self.teacher is not None and self.teacher != self.student:
            taps = [self.student, self.teacher]
        arguments = [f"{number:g}" for number in self.numbers] + [repr(tap.removeprefix(GRADIENT)) for tap in taps]
        written = f"{self.name}({', '.join(arguments)})" if arguments else self.name
        return written if self.by == "teacher" else f"{self.by}({written})"

    def __call__(self, student: Tensor, teacher: Reference | Tensor) -> Tensor:
        """Return one value a row."""
        return self.function(student, teacher)

    def of(self, student: Mapping[str, Tensor], teacher: Reference) -> tuple[Tensor, Reference | Tensor]:
        """Return what the term compares: of the student by tap, of the teacher the answers or one of its taps.

        Raises
        ------
        InvalidInput
            If either did not give that tap.
        """
        for who, tap, taps in (("student", self.student, student), ("teacher", self.teacher, teacher.taps)):
            if tap is not None and tap not in taps:
                raise InvalidInput(
                    f"{self.text} needs the {who}'s {tap or 'outputs'!r}, which were not taken; "
                    f"there are {', '.join(map(repr, taps)) or 'none'}"
                )
        return student[self.student], teacher if self.teacher is None else teacher.taps[self.teacher]


GRADIENT = "gradient@"
"""What the tap of an input gradient begins with; the layer whose gradient it is follows."""


def temperature_of(name: str, temperature: float) -> float:
    """Return a temperature that is above 0; a sentence otherwise."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise InvalidInput(f"{name}({temperature:g}) is not possible; a temperature is a number above 0")
    return float(temperature)


def soft_targets(temperature: float = 2.0, at: str = "") -> Term:
    """Return the Kullback-Leibler divergence from student to teacher, both softened, times the temperature squared.

    ``T**2 * sum_c p_c * (log p_c - log q_c)`` in nats with p the teacher's and q the student's probabilities at
    temperature T.  The factor keeps gradients on one scale whatever T.  One logit stands for two classes.

    Parameters
    ----------
    temperature : float
        Above 0.  At 1 recorded probabilities are used as they are.
    at : str
        Layer of the student that gives logits, such as an early exit; empty for its outputs.

    References
    ----------
    Hinton, Vinyals and Dean 2015, section 2.
    """
    T = temperature_of("soft_targets", temperature)

    def value(student: Tensor, teacher: Reference) -> Tensor:
        p, negative_entropy = teacher.soft(T)
        if student.shape[1] == 1:
            return T**2 * (negative_entropy - (p * log_probabilities(student, T)).sum(dim=1))
        # neither log-probabilities nor their product with p are kept for the way back
        if student.shape[1] >= MANY and student.requires_grad:
            return T**2 * (negative_entropy + cross_entropy(student, p, T))
        z = student if T == 1 else student / T
        return T**2 * (negative_entropy + functional.cross_entropy(z, p, reduction="none"))

    return Term("soft_targets", value, frozenset({"probability"}), (T,), at)


def faithful(at: str = "") -> Term:
    """Return what makes a student most like its teacher; by itself `soft_targets` at a temperature of 4.

    `kdaudit.objective.sum.Objective.suited` replaces it by what a teacher allows: where it lies open and its gradients
    can be had, ``soft_targets(4) + 0.2 * explanation``, so that the student also finds its answers for the same
    reasons; ``logit_mse`` where the answers are numbers; else ``soft_targets(4)``.

    Raises
    ------
    InvalidInput
        If a layer is named: it is about what a student gives in the end.

    References
    ----------
    Hinton, Vinyals and Dean 2015; Parchami-Araghi, Böhle, Rao and Schiele 2024 (explanations matched beside answers).
    """
    if at:
        raise InvalidInput(f"faithful({at!r}) is not possible; it is about a student's outputs and takes no layer")
    return replace(soft_targets(SOFT), name=FAITHFUL, numbers=())


def logit_mse(at: str = "") -> Term:
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

    return Term("logit_mse", value, student=at)


def labels(at: str = "") -> Term:
    """Return the cross-entropy to the true outcomes, in nats; the squared error where the outcome is a number.

    It teaches the student the world and not the teacher, so a proxy that is to stand for a teacher goes without.
    """

    def value(student: Tensor, teacher: Reference) -> Tensor:
        outcome = _outcome(teacher)
        if teacher.scale == "value":
            return (student[:, 0] - outcome) ** 2
        return -log_probabilities(student).gather(1, outcome[:, None])[:, 0]

    def mean(student: Tensor, teacher: Reference) -> Tensor:
        if teacher.scale == "value" or student.shape[1] == 1:
            return value(student, teacher).mean()
        return functional.cross_entropy(student, _outcome(teacher))

    return Term("labels", value, frozenset({"outcome"}), student=at, mean=mean)


def _outcome(teacher: Reference) -> Tensor:
    if teacher.outcome is None:
        raise InvalidInput("the term labels needs rows with recorded outcomes, and these have none")
    return teacher.outcome


def decoupled(temperature: float = 4.0, others: float = 8.0, at: str = "") -> Term:
    """Return the divergence in two parts: of the target class against the rest, and among the rest.

    ``T**2 * (KL(b_t || b_s) + others * KL(r_t || r_s))`` with b the two probabilities of the target and of all else,
    and r the probabilities of all else, summing to one.  The target is the teacher's likeliest class, so that no true
    outcome is needed.

    Parameters
    ----------
    temperature : float
        Above 0.
    others : float
        Weight of the second part, above 0.

    References
    ----------
    Zhao, Cui, Song, Qiu and Liang 2022, equation 7 (there the target is the true class).
    """
    T, beta = temperature_of("decoupled", temperature), float(others)
    if not (math.isfinite(beta) and beta > 0):
        raise InvalidInput(f"decoupled({T:g}, {beta:g}) is not possible; the weight of the rest is a number above 0")

    def value(student: Tensor, teacher: Reference) -> Tensor:
        _enough_classes("decoupled", student)
        target = torch.zeros_like(student, dtype=torch.bool).scatter(1, teacher.top[:, None], value=True)
        p, q = (log_probabilities(z, T) for z in (teacher.logit, student))
        parts = [_of_target(x, target) for x in (p, q)]
        binary = (torch.exp(parts[0]) * (parts[0] - parts[1])).sum(dim=1)
        # the target is left out before the logarithm is taken: subtracting it afterwards loses all digits
        rest = [log_probabilities(z.masked_fill(target, -math.inf), T) for z in (teacher.logit, student)]
        among = torch.exp(rest[0]) * (rest[0] - rest[1]).masked_fill(target, 0.0)
        return T**2 * (binary + beta * among.sum(dim=1))

    return Term("decoupled", value, frozenset({"probability", "classes"}), (T, beta), at)


def _of_target(log_p: Tensor, target: Tensor) -> Tensor:
    """Return log-probabilities of the target and of all else, shape (n, 2)."""
    yes = log_p[target]
    rest = torch.logsumexp(log_p.masked_fill(target, -math.inf), dim=1)
    return torch.stack([yes, rest], dim=1)


def correlation(temperature: float = 1.0, at: str = "") -> Term:
    """Return how far probabilities are from moving together: over the classes of a row, and over the rows of a class.

    ``T**2 * ((1 - r(row of s, row of t)) + mean_c(1 - r(class c of s, class c of t)))`` with r Pearson's correlation;
    the second part is one value a batch and stands in every row.

    References
    ----------
    Huang, You, Wang, Qian and Xu 2022, equations 8 to 10.
    """
    T = temperature_of("correlation", temperature)

    def value(student: Tensor, teacher: Reference) -> Tensor:
        _enough_classes("correlation", student)
        p, q = teacher.probabilities(T), torch.softmax(student / T, dim=1)
        return T**2 * (1 - _pearson(q, p) + (1 - _pearson(q.T, p.T)).mean())

    return Term("correlation", value, frozenset({"probability", "classes"}), (T,), at, pairs=True)


def _pearson(a: Tensor, b: Tensor) -> Tensor:
    a, b = (x - x.mean(dim=1, keepdim=True) for x in (a, b))
    return functional.cosine_similarity(a, b, dim=1, eps=1e-8)


def _enough_classes(name: str, student: Tensor) -> None:
    if student.shape[1] < FEWEST:
        raise InvalidInput(
            f"{name} needs at least {FEWEST} classes, and there are {max(2, student.shape[1])}: "
            "with two, nothing is left to compare among the others; use soft_targets"
        )
