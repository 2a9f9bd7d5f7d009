"""Distilling: the teacher is recorded first, then the student learns from the record."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.chance import rng as chance
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import Mlp
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective, parse
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.store.answers import Store
from kdaudit.subject import Answers, Ask, Scale, Subject


class Door(Protocol):
    """Whatever subjects are asked through, such as a store."""

    def ask(self, subject: Subject, samples: Samples, signals: Signals) -> Answers:
        """Return answers aligned with the rows."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a student learns.

    Parameters
    ----------
    steps : int
    batch : int
        Rows a step.
    rate : float
        Learning rate at the start; it falls along half a cosine.
    """

    steps: int = 1500
    batch: int = 256
    rate: float = 3e-3

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or not self.rate > 0:
            raise InvalidInput(
                f"steps {self.steps}, batch {self.batch}, rate {self.rate:g}: a student learns where each is above 0"
            )


@dataclass(frozen=True, eq=False)
class Record:
    """Rows with what the teacher said about them.

    Parameters
    ----------
    samples : Samples
        n answered rows.
    reference : Reference
        Of n rows.
    failed : int
        Rows that the teacher could not answer, left out.
    """

    samples: Samples
    reference: Reference
    failed: int


def distil(
    module: nn.Module,
    teacher: Subject,
    objective: Objective | str,
    samples: Samples,
    *,
    store: Door | None = None,
    rng: np.random.Generator | None = None,
    schedule: Schedule | None = None,
) -> Network:
    """Return a student that learned a teacher's answers.

    The teacher is asked once about every row, through the store, and is no part of the student.  Numbers are
    standardised by `samples` (see `kdaudit.encoding.Encoding`).

    Parameters
    ----------
    module : Module
        From (batch, columns of the encoding) to (batch, outputs) logits; a copy of it learns, it stays as it is.
    teacher : Subject
    objective : Objective or str
        Such as ``"soft_targets(2) + 0.5 * logit_mse"``.
    samples : Samples
        n rows; those that the teacher could not answer are left out.
    store : Store, optional
        Keeps the answers; None keeps them in memory for this call.
    rng : Generator, optional
        Draws batches; None stands for the stream "distil" of seed 0.
    schedule : Schedule, optional

    Returns
    -------
    Network
        The same bits for the same module, answers and `rng`.  Its `notes` tell rows used, rows failed and the loss.

    Raises
    ------
    InvalidInput
        If the objective cannot be used with these answers, the module does not fit rows or outputs, it holds the
        teacher, or no row was answered.

    Examples
    --------
    >>> distil(module, teacher, "soft_targets(2)", samples, store=store, rng=rng)  # doctest: +SKIP
    """
    ask = Store().ask if store is None else store.ask
    record = recorded(teacher, samples, ask)
    return learn(module, teacher, objective, record, schedule or Schedule(), rng or chance(0, "distil"))


def recorded(teacher: Subject, samples: Samples, ask: Ask) -> Record:
    """Ask a teacher about rows: scores where it gives them, else logits, else decisions as scores of 0 and 1.

    Raises
    ------
    InvalidInput
        If no row was answered.
    InvalidAnswers
        If it decides for classes that it does not name, or scores another number of them.
    """
    wanted = next((signal for signal in (SCORE, LOGIT, LABEL) if signal in teacher.offers), None)
    if wanted is None:
        raise NoSuchSignal(f"{teacher.identity.name} gives neither scores, logits nor labels to learn from")
    answers = ask(teacher, samples, (wanted,))
    rows = np.flatnonzero(answers.answered)
    if not len(rows):
        raise InvalidInput(
            f"{teacher.identity.name} answered none of {len(samples)} rows; a student learns from answers"
        )
    kept, given = samples.take(rows), answers.take(rows)
    reference = Reference.of(_scored(teacher, given, wanted), kept.labels, scale=teacher.scale)
    return Record(kept, reference, len(samples) - len(rows))


def _scored(teacher: Subject, answers: Answers, wanted: Signal) -> Answers:
    k, name = len(teacher.outputs), teacher.identity.name
    if wanted == LABEL:
        if answers.label.min() < 0 or answers.label.max() >= max(2, k):
            raise InvalidAnswers(
                f"{name} gave labels from {answers.label.min()} to {answers.label.max()}; "
                f"0 to {max(2, k) - 1} were expected"
            )
        one: NDArray[np.float64] = answers.label[:, None].astype(np.float64)
        return Answers({SCORE: np.eye(k)[answers.label] if k > 1 else one})
    if answers.values[wanted].shape != (len(answers), k):
        raise InvalidAnswers(
            f"{name} gave answers of shape {answers.values[wanted].shape}; ({len(answers)}, {k}) was expected, "
            f"one column for each of {', '.join(teacher.outputs)}"
        )
    return Answers({signal: answers.values[signal] for signal in (SCORE, LOGIT) if signal in answers.values})


def learn(
    module: nn.Module,
    teacher: Subject,
    objective: Objective | str,
    record: Record,
    schedule: Schedule,
    rng: np.random.Generator,
) -> Network:
    """Return the student that learned a record; see `distil`."""
    goal = parse(objective) if isinstance(objective, str) else objective
    _check_objective(goal, record, teacher.scale)
    _check_outside(module, teacher)
    encoding = Encoding.fitted(record.samples)
    encoded = encoding.encode(record.samples)
    student = copy.deepcopy(module)
    _check_fit(student, encoded, len(teacher.outputs))
    reference, unscale = _on_one_scale(student, record.reference)
    losses = fit(
        student,
        encoded,
        _loss(goal, reference),
        steps=schedule.steps,
        batch=schedule.batch,
        rate=schedule.rate,
        seed=int(rng.integers(2**62)),
    )
    unscale()
    network = Network("student", student, encoding, teacher.outputs, scale=teacher.scale)
    notes = {
        "objective": str(goal),
        "steps": schedule.steps,
        "fitted": len(record.samples),
        "failed": record.failed,
        "loss": float(losses[-max(1, len(losses) // 10) :].mean()),
    }
    network.notes = notes  # type: ignore[attr-defined]
    return network


def _loss(goal: Objective, reference: Reference) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    k, outcome = reference.score.shape[1], reference.outcome
    if outcome is not None and reference.scale == "value":
        outcome = outcome.float()
    single = Reference(reference.logit.float(), reference.score.float(), outcome, reference.scale)

    def loss(given: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return goal(given.reshape(len(rows), k), single.take(rows)).mean()

    return loss


def _on_one_scale(module: nn.Module, reference: Reference) -> tuple[Reference, Callable[[], None]]:
    """Return numbers standardised, and what puts the module's last layer back on their own scale.

    A rate that suits numbers around one never reaches numbers around 50,000.  Only a module whose last layer is known
    can be put back; others learn the numbers as they are.
    """
    last = module.layers[-1] if isinstance(module, Mlp) else None
    if reference.scale != "value" or not isinstance(last, nn.Linear):
        return reference, lambda: None
    middle, spread = reference.score.mean(dim=0), reference.score.std(dim=0, correction=0)
    spread = torch.where(spread > 0, spread, torch.ones_like(spread))
    outcome = None if reference.outcome is None else (reference.outcome - middle[0]) / spread[0]
    scaled = (reference.score - middle) / spread

    def unscale() -> None:
        with torch.no_grad():
            last.weight.mul_(spread[:, None])
            last.bias.mul_(spread).add_(middle)

    return Reference(scaled, scaled, outcome, "value"), unscale


def _check_objective(goal: Objective, record: Record, scale: Scale) -> None:
    if "probability" in goal.needs and scale == "value":
        raise InvalidInput(
            f"the objective {goal} matches probabilities, and the teacher answers with numbers; use logit_mse"
        )
    if "outcome" in goal.needs and record.reference.outcome is None:
        raise InvalidInput(f"the objective {goal} needs recorded outcomes, and these rows have none; drop labels")
    if "outcome" in goal.needs and scale == "probability":
        outcome, classes = record.samples.labels, max(2, record.reference.score.shape[1])
        if outcome is not None and (outcome.min() < 0 or outcome.max() >= classes):
            raise InvalidInput(f"outcomes from {outcome.min()} to {outcome.max()}; 0 to {classes - 1} were expected")


def _check_outside(module: nn.Module, teacher: Subject) -> None:
    held = getattr(teacher, "module", None)
    if held is not None and any(part is held for part in module.modules()):
        raise InvalidInput(
            f"the student holds its teacher {teacher.identity.name} as a part; train a module of its own"
        )


def _check_fit(module: nn.Module, encoded: NDArray[np.float32], outputs: int) -> None:
    module.eval()
    try:
        with torch.no_grad():
            given = module(torch.from_numpy(encoded[:2]))
    except RuntimeError as error:
        raise InvalidInput(
            f"the student cannot take rows of {encoded.shape[1]} encoded columns: {str(error).splitlines()[0]}"
        ) from error
    rows = min(2, len(encoded))
    if tuple(given.shape) != (rows, outputs) and not (outputs == 1 and tuple(given.shape) == (rows,)):
        raise InvalidInput(
            f"the student gives an array of shape {tuple(given.shape)} for {rows} rows and the teacher has {outputs} "
            f"outputs; ({rows}, {outputs}) was expected"
        )
