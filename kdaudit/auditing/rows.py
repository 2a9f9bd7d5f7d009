"""A plan's rows: read, kept to the scope, split into disjoint parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kdaudit.abilities import Supplied
from kdaudit.auditing.plan import Plan
from kdaudit.condition import parse
from kdaudit.data import parts as splitting
from kdaudit.data import readers, sets
from kdaudit.domain import Domain
from kdaudit.errors import OutOfDomain
from kdaudit.samples import Samples


def domain_of(name: str) -> Domain:
    """Return the domain of a named set."""
    return sets.named_set(name).domain


def load(plan: Plan, data: Path | None) -> Samples:
    """Return all rows inside the plan's scope.

    Parameters
    ----------
    plan : Plan
    data : Path, optional
        Folder of public data sets, for named sets that are not bundled.

    Raises
    ------
    InvalidInput
        As the readers do: missing column, unknown level, value out of range.
    """
    rows = plan.rows
    if rows.set:
        samples = sets.load_set(rows.set, data)
    else:
        roles = readers.Roles(
            label=rows.label,
            classes=rows.classes,
            id=rows.ids,
            weight=rows.weights,
            columns=rows.columns,
            levels=rows.levels,
            missing=rows.missing,
        )
        samples = readers.read(plan.folder / rows.file, plan.domain, roles, name=rows.name).samples
    _check_constraints(samples)
    return plan.behaviour.within(samples)


def supplied(plan: Plan, data: Path | None) -> Plan:
    """Return the plan with whatever its questions read from the folder of data sets, such as published sentences.

    Parameters
    ----------
    plan : Plan
    data : Path, optional

    Raises
    ------
    InvalidInput
        If a question needs what is not there.
    """
    found = [
        replace(item, recipe=item.recipe.supplied(data)) if isinstance(item.recipe, Supplied) else item
        for item in plan.questions
    ]
    return replace(plan, questions=tuple(found))


def _check_constraints(samples: Samples) -> None:
    for text in samples.domain.constraints:
        broken = np.flatnonzero(~parse(text, samples.domain).mask(samples))
        if len(broken):
            raise OutOfDomain(
                f"row {samples.ids[broken[0]]} breaks the domain's constraint {text!r} ({len(broken)} such rows); "
                "mend the data or the constraint"
            )


def split(plan: Plan, samples: Samples) -> dict[str, Samples]:
    """Return the disjoint parts that the plan asks for."""
    return splitting.split(samples, plan.rows.parts, seed=plan.seed, name="parts")
