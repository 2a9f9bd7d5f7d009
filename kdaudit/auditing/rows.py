"""A plan's rows: read, kept to the scope, split into disjoint parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kdaudit.abilities import Supplied
from kdaudit.auditing.items import QuestionItem
from kdaudit.auditing.plan import Plan
from kdaudit.condition import parse
from kdaudit.data import parts as splitting
from kdaudit.data import readers, sets
from kdaudit.domain import Category, Domain
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.measures.strata import UNKNOWN
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
        If a question needs what is not there: a file, a field of the domain, or a level of it.
    """
    for item in plan.questions:
        _check_fields(item, plan.behaviour.domain)
    found = [
        replace(item, recipe=item.recipe.supplied(data)) if isinstance(item.recipe, Supplied) else item
        for item in plan.questions
    ]
    return replace(plan, questions=tuple(found))


NAMING = ("field", "fields", "like", "companions", "plane", "by")
"""Keys of questions that name fields of the domain."""


def _check_fields(item: QuestionItem, domain: Domain) -> None:
    """Refuse a question that names a field which is not among the domain's, or that compares levels it lacks."""
    recipe = item.recipe
    given = (getattr(recipe, name, ()) for name in NAMING)
    names = [one for value in given for one in ((value,) if isinstance(value, str) else value) if one]
    levels = [str(getattr(recipe, name)) for name in ("level", "other", "reference") if getattr(recipe, name, None)]
    try:
        kinds = {name: domain[name] for name in names}
        field = getattr(recipe, "field", ())
        own = (field,) if isinstance(field, str) else tuple(field)
        compared = kinds[own[0]] if len(own) == 1 and own[0] else None
        if isinstance(compared, Category):
            for level in levels:
                # rows without a level are a group of their own, which may be compared with
                if not (level == UNKNOWN and compared.missing):
                    domain.code(compared.name, level)
    except OutOfDomain as error:
        raise InvalidInput(f"{item.key}: {error}") from error


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
