"""Sections of a plan, each read and held against what it should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kdaudit.auditing.items import BehaviourKeys, Rows
from kdaudit.auditing.schema import build
from kdaudit.auditing.source import Path_, Source, close_to
from kdaudit.behaviour import Behaviour
from kdaudit.condition import parse
from kdaudit.domain import KINDS, Domain, Field
from kdaudit.errors import InvalidInput

DomainOf = Callable[[str], Domain]
"""Name of a set -> its domain."""
PARTS = ("fit", "select", "judge", "pool")
"""The disjoint parts that every audit has; further ones may be set aside for teachers trained in place."""


def mapping(source: Source, data: Any, path: Path_) -> dict[str, Any]:  # noqa: ANN401 - plain data
    """Return the mapping at `path` of plain data."""
    for step in path:
        data = data[step]
    if not isinstance(data, dict):
        raise source.wrong(path, f"{'.'.join(map(str, path))} is {data!r}; keys and values were expected")
    return data


def text(source: Source, data: dict[str, Any], key: str) -> str:
    """Return the text at `key`, empty where there is none."""
    value = data.get(key, "")
    if not isinstance(value, str):
        raise source.wrong((key,), f"{key} is {value!r}; a text was expected")
    return value


def text_list(source: Source, data: dict[str, Any], key: str) -> list[str]:
    """Return the texts at `key`."""
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise source.wrong((key,), f"{key} is {value!r}; a list of texts was expected")
    return value


def whole(source: Source, data: dict[str, Any], key: str) -> int:
    """Return the whole number at `key`, 0 where there is none."""
    value = data.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise source.wrong((key,), f"{key} is {value!r}; a whole number was expected")
    return value


def check_rows(rows: Rows, source: Source) -> None:
    """Refuse rows from nowhere or from two places, and a plan without one of its `PARTS`."""
    if bool(rows.set) == bool(rows.file):
        raise source.wrong(("samples",), "samples need either `set` or `file`")
    for part in PARTS:
        if part not in rows.parts:
            raise source.wrong(("samples", "parts"), f"part {part!r} is missing; parts are {', '.join(PARTS)}")
    for part, size in rows.parts.items():
        if size < 0:
            raise source.wrong(
                ("samples", "parts", part), f"part {part!r} has {size} rows; a positive number was expected"
            )


def domain(data: dict[str, Any], rows: Rows, source: Source, domain_of: DomainOf) -> Domain:
    """Return the domain that the plan writes, else that of its named set."""
    if "domain" not in data:
        if not rows.set:
            raise source.wrong((), "key 'domain' is missing; rows from a file need one")
        try:
            return domain_of(rows.set)
        except InvalidInput as error:
            raise source.wrong(("samples", "set"), str(error)) from error
    section = mapping(source, data, ("domain",))
    for key in section:
        if key not in ("fields", "constraints"):
            raise source.wrong(("domain", key), f"unknown key 'domain.{key}'{close_to(key, ('fields', 'constraints'))}")
    fields: list[Field] = []
    for at, _ in enumerate(section.get("fields", [])):
        path = ("domain", "fields", at)
        item = dict(mapping(source, data, path))
        kind = item.pop("kind", None)
        if kind not in KINDS:
            raise source.wrong((*path, "kind"), f"field kind {kind!r} is unknown{close_to(str(kind), KINDS)}")
        fields.append(build(KINDS[kind], item, source, path))
    return _constrained(tuple(fields), section.get("constraints", []), source)


def _constrained(fields: tuple[Field, ...], texts: object, source: Source) -> Domain:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        message = f"domain.constraints is {texts!r}; a list of conditions was expected"
        raise source.wrong(("domain", "constraints"), message)
    try:
        domain = Domain(fields, tuple(texts))
        for text in texts:
            parse(text, domain)
    except InvalidInput as error:
        raise source.wrong(("domain",), str(error)) from error
    return domain


def behaviour(data: dict[str, Any], domain: Domain, source: Source) -> Behaviour:
    """Return the one behaviour that an audit is about."""
    items = data["behaviours"]
    if not isinstance(items, list) or len(items) != 1:
        raise source.wrong(("behaviours",), "behaviours is no list of one item; an audit is about one behaviour")
    path = ("behaviours", 0)
    keys = build(BehaviourKeys, mapping(source, data, path), source, path)
    try:
        return Behaviour(keys.name, keys.outputs, domain, scope=keys.scope, scale=keys.scale, rule=keys.rule)
    except InvalidInput as error:
        raise source.wrong(path, str(error)) from error


def kind(item: dict[str, Any], source: Source, path: Path_, table: dict[str, str]) -> tuple[str, str]:
    """Take an item's kind out of its plain data; return it with the place of its recipe."""
    kind = item.pop("kind", None)
    if kind is None:
        raise source.wrong(path, f"key 'kind' is missing; kinds are {', '.join(table)}")
    if kind not in table:
        raise source.wrong((*path, "kind"), f"kind {kind!r} is unknown{close_to(str(kind), table)}")
    return str(kind), table[kind]


def items(data: dict[str, Any], source: Source, section: str) -> list[tuple[Path_, str, dict[str, Any]]]:
    """Return path, unique name and remaining keys of each item of a section."""
    items = data.get(section, [])
    if not isinstance(items, list):
        raise source.wrong(
            (section,), f"{section} is {items!r}; a list of items was expected (lines that start with -)"
        )
    out: list[tuple[Path_, str, dict[str, Any]]] = []
    for at, _ in enumerate(items):
        path = (section, at)
        item = dict(mapping(source, data, path))
        name = item.pop("name", None)
        if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
            raise source.wrong(
                path, f"an item of {section} is called {name!r}; a name of letters, digits, _ and - was expected"
            )
        if name in (seen for _, seen, _ in out):
            raise source.wrong((*path, "name"), f"two items of {section} are called {name!r}; names must differ")
        out.append((path, name, item))
    return out
