"""Recipes from plain data: the fields of a frozen dataclass are the keys that a plan may write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from kdaudit.abilities import Redirecting
from kdaudit.auditing.source import Path_, Source, close_to
from kdaudit.errors import InvalidInput

Recipe = TypeVar("Recipe")


@cache
def model_of(recipe: Any, without: tuple[str, ...] = ()) -> type[BaseModel]:  # noqa: ANN401 - any dataclass
    """Return the pydantic model whose keys, types and defaults are those of the dataclass `recipe`.

    Keys in `without` are left out: what they hold was read before.
    """
    hints = get_type_hints(recipe)
    definitions: dict[str, Any] = {
        f.name: (hints[f.name], _default(f)) for f in fields(recipe) if f.init and f.name not in without
    }
    model: type[BaseModel] = create_model(
        recipe.__name__,
        __config__=ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True),
        **definitions,
    )
    return model


def _default(item: Field[Any]) -> Any:  # noqa: ANN401 - whatever the default is
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else ...


def build(
    recipe: type[Recipe], data: dict[str, Any], source: Source, path: Path_, given: Mapping[str, Any] | None = None
) -> Recipe:
    """Return the recipe that a plan's mapping describes.

    Parameters
    ----------
    recipe : type
        A frozen dataclass.
    data : dict
        Plain data at `path` of the plan.
    source : Source
        For the place in messages.
    path : tuple
        Keys and positions that lead to `data`.
    given : mapping, optional
        Values of keys that were read before, such as further recipes.

    Raises
    ------
    InvalidPlan
        With file, line and column: an unknown key (and the nearest known one), a missing key, a value of another type,
        or a value that the recipe refuses.
    """
    read = dict(given or {})
    try:
        # by way of JSON, where strict types still admit a list for a tuple and 1 for 1.0
        model: Any = model_of(recipe, tuple(read)).model_validate_json(json.dumps(data))  # type: ignore[arg-type]
    except ValidationError as error:
        # a misspelt key is told before the one that is missing on its account
        first = min(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
        raise source.wrong((*path, *first["loc"]), _sentence(first, recipe, path)) from error
    try:
        values = {f.name: getattr(model, f.name) for f in fields(recipe) if f.init and f.name not in read}  # type: ignore[arg-type]
        return recipe(**values, **read)
    except (InvalidInput, ValueError, TypeError) as error:
        raise source.wrong(path, f"{'.'.join(map(str, path))}: {error}") from error


def _sentence(error: Any, recipe: type, path: Path_) -> str:  # noqa: ANN401 - pydantic's own mapping
    where = ".".join(str(step) for step in (*path, *error["loc"]))
    known = [f.name for f in fields(recipe) if f.init]
    match error["type"]:
        case "extra_forbidden" if isinstance(recipe, Redirecting) and error["loc"][-1] in recipe.instead:
            return f"unknown key {where!r}; {recipe.instead[error['loc'][-1]]}"
        case "extra_forbidden":
            return f"unknown key {where!r}{close_to(str(error['loc'][-1]), known)}"
        case "missing":
            return f"key {where!r} is missing"
        case "json_invalid":
            return f"{where}: a value is not finite; write a plain number"
        case _:
            text = str(error["msg"]).replace("Input should be", "should be")
            return f"{where} is {error['input']!r}; it {text[0].lower()}{text[1:]}"
