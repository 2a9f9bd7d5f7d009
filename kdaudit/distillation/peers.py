"""Who teaches: peers.  Several students learn at once and from each other."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from kdaudit.chance import rng as chance
from kdaudit.distillation.loop import Record, drawn, named, told
from kdaudit.distillation.refusals import check_fit, check_objective, check_outside
from kdaudit.distillation.training import Lesson, Schedule, Told, Training
from kdaudit.encoders import Encoder, fitted
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective, parse
from kdaudit.samples import Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers, Subject


def mutual(  # noqa: PLR0913 - what `learn` takes, and how rows are seen
    modules: Sequence[nn.Module],
    objective: Objective | str,
    record: Record,
    outputs: Sequence[str],
    *,
    schedule: Schedule | None = None,
    rng: np.random.Generator | None = None,
    teacher: Subject | None = None,
    encoding: Encoder | None = None,
) -> tuple[Network, ...]:
    """Return students that learned together: each from the record, and from what the others say at the same step.

    Every step takes one pass through each network; what a network says is cut off from its gradients where others
    learn from it.  Where there are more than two, each learns from the mean of the others' probabilities.

    Parameters
    ----------
    modules : sequence of Module
        At least two, of any architectures; copies of them learn.
    objective : Objective or str
        With peers in it, such as ``"labels + peers(soft_targets(1))"``.
    record : Record
        Rows with a teacher's answers (see `kdaudit.distillation.loop.recorded`), or with outcomes alone (see
        `outcomes`).
    outputs : sequence of str
    schedule : Schedule, optional
    rng : Generator, optional
        None stands for the stream "mutual" of seed 0.
    teacher : Subject, optional
        Whose answers the record holds; only to refuse students that hold it.
    encoding : Encoder, optional
        How all of them see rows; None leaves it to the rows.

    Returns
    -------
    tuple of Network
        One a module, in their order.

    Raises
    ------
    InvalidInput
        If there are fewer than two modules, two share weights, or the objective names no peers.

    References
    ----------
    Zhang, Xiang, Hospedales and Lu 2018 (deep mutual learning); Guo et al. 2020 (the mean of several).
    """
    goal = parse(objective) if isinstance(objective, str) else objective
    goal = goal.suited(record.reference.scale, opened=False)
    check_objective(goal, record.reference)
    _check_apart(modules, goal)
    if teacher is not None:
        for module in modules:
            check_outside(module, teacher)
    seen = encoding or fitted(record.samples)
    encoded = seen.encode(record.samples)
    students = [copy.deepcopy(module) for module in modules]
    for student in students:
        check_fit(student, encoded, len(outputs))
    names = {str(named(goal, student, None)) for student in students}
    if len(names) > 1:
        raise InvalidInput(f"the objective {goal} stands for other layers in each student; name layers that all have")
    full = named(goal, students[0], None)
    told_by = Told(record.reference.single())
    plan, draws = schedule or Schedule(), rng or chance(0, "mutual")
    reach = drawn(record.reference, plan, len(encoded))
    lesson = Lesson(students, full, torch.from_numpy(encoded), told_by, record.reference.scale, chances=reach)
    training = Training(lesson, plan, int(draws.integers(2**62)))
    curve = training.run()
    out = []
    for i, student in enumerate(students):
        network = Network(f"peer {i + 1}", student, seen, outputs, scale=record.reference.scale)
        terms = training.bound[i].account()
        network.notes = told(full, training, curve) | {"terms": terms, "peers": len(students) - 1}
        network.notes |= {"fitted": len(record.samples), "failed": record.failed}
        out.append(network)
    return tuple(out)


def outcomes(samples: Samples, outputs: Sequence[str]) -> Record:
    """Return recorded outcomes as if a teacher had given them: for students that have none but each other.

    Raises
    ------
    InvalidInput
        If the rows have no outcomes, or some that are no class.
    """
    if samples.labels is None:
        raise InvalidInput("students without a teacher learn from outcomes, and these rows have none")
    labels, classes = samples.labels, max(2, len(outputs))
    if labels.min() < 0 or labels.max() >= classes:
        raise InvalidInput(f"outcomes from {labels.min()} to {labels.max()}; 0 to {classes - 1} were expected")
    score = np.eye(classes)[labels]
    answers = Answers({SCORE: score if len(outputs) > 1 else score[:, 1:]})
    reference = Reference.of(answers, labels, scale="probability")
    return Record(samples, reference, 0)


def _check_apart(modules: Sequence[nn.Module], goal: Objective) -> None:
    if len(modules) < 2:
        raise InvalidInput(f"{len(modules)} student has no peers; give at least two")
    if "peers" not in goal.by:
        raise InvalidInput(f"the objective {goal} names no peers, such as peers(soft_targets(1))")
    if goal.taught_by("teacher"):
        raise InvalidInput(
            f"the objective {goal} looks into the teacher, and students that learn together match its answers only; "
            "take terms of the outputs, such as soft_targets(2) + peers(soft_targets(2))"
        )
    if any(tap.startswith("gradient@") for tap in goal.taught_by("peers")):
        raise InvalidInput("peers have no gradient of one class in common; match explanations of a teacher")
    seen: dict[int, int] = {}
    for i, module in enumerate(modules):
        for name, weights in module.named_parameters():
            if seen.setdefault(id(weights), i) != i:
                raise InvalidInput(f"students {seen[id(weights)] + 1} and {i + 1} share {name}; each learns its own")
