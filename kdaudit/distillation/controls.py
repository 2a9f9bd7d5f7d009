"""The students beside which a student is seen: made in the same way, but from labels, or from another teacher."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from kdaudit.chance import rng as chance
from kdaudit.distillation.loop import Door, Extras, distil, learn, recorded
from kdaudit.distillation.training import Schedule
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network
from kdaudit.objective.sum import Objective
from kdaudit.objective.terms import FAITHFUL
from kdaudit.samples import Samples
from kdaudit.store.answers import Store
from kdaudit.subject import Subject

LABELS = "labels"
"""Name of the control that learned recorded outcomes alone."""


def controls(  # noqa: PLR0913 - what `distil` takes, and who else teaches
    module: nn.Module,
    teacher: Subject,
    objective: Objective | str = FAITHFUL,
    samples: Samples | None = None,
    *,
    strangers: Sequence[Subject] = (),
    store: Door | None = None,
    rng: np.random.Generator | None = None,
    schedule: Schedule | None = None,
    extras: Extras | None = None,
) -> dict[str, Network]:
    """Return control students: handed what `kdaudit.distil` was, they begin and draw as the student did.

    What a student shares with them it does not have from its teacher.

    Parameters
    ----------
    module : Module
    teacher : Subject
        Asked about nothing new where `store` holds what the student learned.
    objective : Objective or str
    samples : Samples
    strangers : sequence of Subject
        Independent teachers, such as the same recipe with another seed or on other rows; each is asked about the rows
        once.
    store, schedule, extras
        As in `kdaudit.distillation.loop.distil`.
    rng : Generator, optional
        In the state in which the student was given it; it is left in that state.

    Returns
    -------
    dict of str to Network
        ``"labels"``, where rows have recorded outcomes: learned these and no answer.  Then one by the name of each
        stranger: learned its answers by the same objective.

    Raises
    ------
    InvalidInput
        If there is nobody to learn from, a stranger has the teacher's or another's name, or is the teacher.

    Examples
    --------
    >>> found = controls(module, teacher, samples=samples, strangers=[other], store=store)  # doctest: +SKIP
    >>> cast = Cast(teacher, student, stranger=found["labels"])  # doctest: +SKIP
    """
    door, draws, plan = store or Store(), rng or chance(0, "distil"), schedule or Schedule()
    if not isinstance(samples, Samples):
        raise InvalidInput(f"rows were expected after the objective, or by name; got {type(samples).__name__}")
    _check(teacher, strangers, samples)
    out = {}
    if samples.labels is not None:
        record = recorded(teacher, samples, door.ask)
        # outcomes are of rows as they are; a changed row would have the teacher run
        plain = replace(extras or Extras(), view=None, recording=None)
        out[LABELS] = learn(module, teacher, LABELS, record, plan, copy.deepcopy(draws), plain)
    for one in strangers:
        keys = {"store": door, "rng": copy.deepcopy(draws), "schedule": plan, "extras": extras}
        out[one.identity.name] = distil(module, one, objective, samples, **keys)  # type: ignore[arg-type]
    return out


def _check(teacher: Subject, strangers: Sequence[Subject], samples: Samples) -> None:
    if samples.labels is None and not strangers:
        raise InvalidInput("these rows have no recorded outcomes; name strangers, or there is no control to be made")
    names = [one.identity.name for one in strangers]
    if len({LABELS, *names}) <= len(names):
        raise InvalidInput(f"strangers {', '.join(names)}: each needs a name of its own, other than {LABELS!r}")
    if any(one.identity.digest == teacher.identity.digest for one in strangers):
        raise InvalidInput(f"{teacher.identity.name} stands among the strangers; they are independent teachers")
