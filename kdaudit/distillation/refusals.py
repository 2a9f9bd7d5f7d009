"""What a student cannot learn from: each told in one sentence, before training."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.distillation.looking import in_evaluation
from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective
from kdaudit.objective.terms import FEWEST
from kdaudit.subject import Subject


def check_objective(goal: Objective, reference: Reference) -> None:
    """Refuse an objective that these answers or outcomes do not allow.

    Raises
    ------
    InvalidInput
        On probabilities of numbers, outcomes that are missing or out of range, or too few classes.
    """
    if "probability" in goal.needs and reference.scale == "value":
        raise InvalidInput(
            f"the objective {goal} matches probabilities, and the teacher answers with numbers; use logit_mse"
        )
    if "classes" in goal.needs and reference.score.shape[1] < FEWEST:
        raise InvalidInput(
            f"the objective {goal} needs at least {FEWEST} classes, and the teacher has "
            f"{max(2, reference.score.shape[1])}; use soft_targets"
        )
    if "outcome" not in goal.needs:
        return
    outcome, classes = reference.outcome, max(2, reference.score.shape[1])
    if outcome is None:
        raise InvalidInput(f"the objective {goal} needs recorded outcomes, and these rows have none; drop labels")
    if reference.scale == "probability" and (int(outcome.min()) < 0 or int(outcome.max()) >= classes):
        raise InvalidInput(
            f"outcomes from {int(outcome.min())} to {int(outcome.max())}; 0 to {classes - 1} were expected"
        )


def check_alone(goal: Objective) -> None:
    """Refuse peers where one student learns.

    Raises
    ------
    InvalidInput
        If the objective names some.
    """
    if "peers" in goal.by:
        raise InvalidInput(
            f"the objective {goal} names peers, and here each student learns alone; in a plan students that learn "
            "together are of kind student, in Python see kdaudit.distillation.peers.mutual"
        )


def check_answers(behaviour: Behaviour, teacher: Subject) -> None:
    """Refuse a behaviour that is a difference, since a student learns answers, and one of other outputs.

    Raises
    ------
    InvalidInput
        If it is, or the teacher's outputs are others or stand in another order.
    """
    if behaviour.contrast is not None:
        raise InvalidInput(
            f"behaviour {behaviour.name!r} is a contrast; a student learns answers, not differences: "
            "use a tree or a rule list"
        )
    check_outputs(behaviour, teacher)


def check_outputs(behaviour: Behaviour, teacher: Subject) -> None:
    """Refuse a teacher whose outputs are not those of the behaviour, in their order.

    Raises
    ------
    InvalidInput
        If they are not: what it says of one class would be taken for another.
    """
    if teacher.outputs != behaviour.outputs:
        raise InvalidInput(
            f"{teacher.identity.name} answers with {', '.join(teacher.outputs)}; the behaviour {behaviour.name!r} "
            f"expects {', '.join(behaviour.outputs)}, in that order"
        )


def check_outside(module: nn.Module, teacher: Subject) -> None:
    """Refuse a student that holds its teacher, or shares weights with it, and a teacher in training mode.

    Raises
    ------
    InvalidInput
        If it does: learning would change the teacher; or the teacher's answers depend on the batch, or the student is
        no module.
    """
    if not isinstance(module, nn.Module):
        raise InvalidInput(f"the student is a {type(module).__name__}; a torch module was expected")
    held = getattr(teacher, "module", None)
    if not isinstance(held, nn.Module):
        return
    name = teacher.identity.name
    in_evaluation(held, name)
    if any(part is held for part in module.modules()):
        raise InvalidInput(f"the student holds its teacher {name} as a part; train a module of its own")
    theirs = {id(tensor) for tensor in (*held.parameters(), *held.buffers())}
    shared = [key for key, tensor in (*module.named_parameters(), *module.named_buffers()) if id(tensor) in theirs]
    if shared:
        raise InvalidInput(
            f"the student shares {', '.join(shared[:3])} with its teacher {name}; copy weights that it starts from"
        )


def check_fit(module: nn.Module, encoded: NDArray[np.float32], outputs: int) -> None:
    """Refuse a module that does not take these rows, gives another number of outputs, or cannot learn."""
    if not any(weights.requires_grad for weights in module.parameters()):
        raise InvalidInput("the student has no weights that could learn; call .requires_grad_() on it")
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
