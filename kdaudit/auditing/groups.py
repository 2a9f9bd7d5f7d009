"""Teachers that are made of teachers: read from a plan, written out again, and what their answers cost in privacy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

from kdaudit import digest
from kdaudit.abilities import Releasing
from kdaudit.auditing import catalogue
from kdaudit.auditing.source import Path_, Source
from kdaudit.question import TeacherRecipe

Read = Callable[[dict[str, Any], Path_, str], TeacherRecipe]
"""Plain data of a teacher, its place and what it is called where it has no name -> its recipe."""


def keys_of(recipe: type) -> tuple[str, ...]:
    """Return the keys of a teacher's recipe that hold further teachers."""
    return tuple(key for key, hint in get_type_hints(recipe).items() if hint == tuple[TeacherRecipe, ...])


def take(recipe: type, item: dict[str, Any], source: Source, path: Path_, read: Read) -> dict[str, Any]:
    """Take the teachers inside a teacher out of its plain data and return their recipes, by key.

    Raises
    ------
    InvalidPlan
        If a key is missing or holds no list of teachers.
    """
    out = {}
    for key in keys_of(recipe):
        if key not in item:
            raise source.wrong(path, f"key {'.'.join(map(str, (*path, key)))!r} is missing; it lists teachers")
        value = item.pop(key)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise source.wrong((*path, key), f"{key} is {value!r}; a list of teachers was expected, each with its kind")
        called = key.removesuffix("s")
        out[key] = tuple(read(dict(one), (*path, key, at), f"{called} {at + 1}") for at, one in enumerate(value))
    return out


def data_of(recipe: TeacherRecipe) -> dict[str, Any]:
    """Return a teacher's recipe as plain data, with the kinds of the teachers inside it."""
    data = digest.recipe_data(recipe)
    for key in keys_of(type(recipe)):
        data[key] = [{"kind": kind_of(one), **data_of(one)} for one in getattr(recipe, key)]
    return data


def kind_of(recipe: TeacherRecipe) -> str:
    """Return the kind under which a plan names a recipe; its class's name where it is none of the catalogue's."""
    address = f"{type(recipe).__module__}:{type(recipe).__qualname__}"
    return next((kind for kind, known in catalogue.TEACHERS.items() if known == address), type(recipe).__name__)


def all_of(recipe: TeacherRecipe) -> Iterator[TeacherRecipe]:
    """Yield a teacher's recipe and those of all teachers inside it."""
    yield recipe
    for key in keys_of(type(recipe)):
        for one in getattr(recipe, key):
            yield from all_of(one)


def runs_code(recipe: TeacherRecipe) -> bool:
    """Return whether a teacher, or one inside it, is Python code of the plan."""
    return any(kind_of(one) == "python" for one in all_of(recipe))


def releases(recipe: TeacherRecipe) -> int | None:
    """Return the most distinct rows that a teacher may be asked for the sake of privacy; None for any number."""
    allowed = [one.releases for one in all_of(recipe) if isinstance(one, Releasing)]
    return min((most for most in allowed if most is not None), default=None)
