"""A plan's rows: read, kept to the scope, split into disjoint parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

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
from kdaudit.question import Question
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

COMPARING = ("level", "other", "reference")
"""Keys of questions that name levels of their field."""


def _check_fields(item: QuestionItem, domain: Domain) -> None:
    """Refuse a question that names a field which is not among the domain's, or that compares levels it lacks."""
    given = _keys(item.recipe)
    names = [one for key in NAMING for one in _several(given.get(key)) if one]
    factor = given.get("given")
    if isinstance(factor, str) and factor:
        # one legitimate factor; of a backdoor they are several words
        names.append(factor)
    levels = [str(given[key]) for key in COMPARING if given.get(key)]
    try:
        kinds = {name: domain[name] for name in names}
        own = _several(given.get("field"))
        compared = kinds[own[0]] if len(own) == 1 and own[0] else None
        if isinstance(compared, Category):
            for level in levels:
                # rows without a level are a group of their own, which may be compared with
                if not (level == UNKNOWN and compared.missing):
                    domain.code(compared.name, level)
    except OutOfDomain as error:
        raise InvalidInput(f"{item.key}: {error}") from error


def _keys(recipe: Question) -> dict[str, Any]:
    """Return what a plan may say of the question, under the plan's own keys."""
    return {one.name: getattr(recipe, one.name) for one in fields(recipe)} if is_dataclass(recipe) else {}


def _several(value: object) -> tuple[str, ...]:
    """Return one name, several or none as several."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else ()


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
