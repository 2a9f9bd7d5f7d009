"""A plan: what is audited, through which proxies, with which questions, for how many answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from kdaudit import digest
from kdaudit.auditing import catalogue, groups, pairing
from kdaudit.auditing.schema import build
from kdaudit.auditing.source import Path_, Source, close_to
from kdaudit.behaviour import Behaviour
from kdaudit.condition import parse
from kdaudit.domain import KINDS, Domain, Field
from kdaudit.errors import InvalidInput
from kdaudit.question import ProxyRecipe, Question, TeacherRecipe

DomainOf = Callable[[str], Domain]
"""Name of a set -> its domain."""
VERSION = 1
KEYS = (
    "kdaudit", "title", "seed", "domain", "teacher", "behaviours", "samples", "proxies", "compare", "probes", "budget",
    "not_tested",
)  # fmt: skip
PARTS = ("fit", "select", "judge", "pool")
"""The disjoint parts that every audit has; further ones may be set aside for teachers trained in place."""


@dataclass(frozen=True)
class BehaviourKeys:
    """Keys of an item of `behaviours`; see `kdaudit.behaviour.Behaviour`."""

    name: str
    outputs: tuple[str, ...]
    scope: str = ""
    scale: Literal["probability", "value"] = "probability"
    rule: float = 0.5


@dataclass(frozen=True)
class Rows:
    """Which rows: the section `samples`.

    Parameters
    ----------
    parts : dict of str to int
        Rows of ``fit``, ``select``, ``judge`` and ``pool``, and of parts set aside for teachers trained in place.
    set : str
        A named set (``acs_income``, ``german_credit``), or
    file : str
        a Parquet or CSV file, relative to the plan.
    label, ids, weights : str
        Columns of the file with recorded outcomes, row ids and sampling weights.
    name : str
        The population in words.
    classes, columns, levels, missing
        How the file writes labels, fields, levels and missing values; see `kdaudit.data.readers.Roles`.
    """

    parts: dict[str, int]
    set: str = ""
    file: str = ""
    label: str = ""
    ids: str = ""
    weights: str = ""
    name: str = ""
    classes: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class BudgetKeys:
    """Most distinct teacher rows that the whole audit may use, those that make and judge the proxies included."""

    questions: int


@dataclass(frozen=True)
class TeacherItem:
    """Teacher, stranger or twin."""

    name: str
    kind: str
    recipe: TeacherRecipe


@dataclass(frozen=True)
class ProxyItem:
    """A student or a surrogate."""

    name: str
    kind: str
    recipe: ProxyRecipe


@dataclass(frozen=True)
class QuestionItem:
    """A comparison or a probe.

    Parameters
    ----------
    section : {"compare", "probes"}
    name, kind : str
    recipe : Question
    proxies : tuple of str
        Whom it is asked about; the first one sharpens the teacher's interval.
    """

    section: str
    name: str
    kind: str
    recipe: Question
    proxies: tuple[str, ...]

    @property
    def key(self) -> str:
        """``section/name``, as findings cite it."""
        return f"{self.section}/{self.name}"


@dataclass(frozen=True)
class Plan:
    """A plan that was read and holds together."""

    title: str
    source: Source
    folder: Path
    seed: int
    domain: Domain
    teacher: TeacherItem
    stranger: TeacherItem | None
    twin: TeacherItem | None
    behaviour: Behaviour
    rows: Rows
    proxies: tuple[ProxyItem, ...]
    questions: tuple[QuestionItem, ...]
    limit: int
    not_tested: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def resolved(self) -> dict[str, Any]:
        """Return the plan with every default written out, as plain data."""
        items = {
            "proxies": [{"name": p.name, "kind": p.kind, **digest.recipe_data(p.recipe)} for p in self.proxies],
            "compare": [self._question(q) for q in self.questions if q.section == "compare"],
            "probes": [self._question(q) for q in self.questions if q.section == "probes"],
        }
        seats = {
            seat: None if item is None else {"name": item.name, "kind": item.kind, **groups.data_of(item.recipe)}
            for seat, item in (("teacher", self.teacher), ("stranger", self.stranger), ("twin", self.twin))
        }
        b = self.behaviour
        return {
            "kdaudit": VERSION,
            "title": self.title,
            "seed": self.seed,
            "domain": self.domain.to_data(),
            **seats,
            "behaviour": {
                "name": b.name,
                "outputs": list(b.outputs),
                "scope": b.scope,
                "scale": b.scale,
                "rule": b.rule,
            },
            "samples": digest.recipe_data(self.rows),
            **items,
            "budget": {"questions": self.limit},
            "not_tested": list(self.not_tested),
        }

    @staticmethod
    def _question(item: QuestionItem) -> dict[str, Any]:
        return {"name": item.name, "kind": item.kind, "proxies": list(item.proxies), **digest.recipe_data(item.recipe)}


def from_source(source: Source, folder: Path, *, domain_of: DomainOf) -> Plan:
    """Return the plan that a text describes.

    Parameters
    ----------
    source : Source
    folder : Path
        The plan's folder: relative paths start here.
    domain_of : callable
        Name of a set -> its domain; used where the plan gives none.

    Raises
    ------
    InvalidPlan
        With file, line and column, on whatever does not hold together.
    """
    data = source.data()
    for key in data:
        if key not in KEYS:
            raise source.wrong((key,), f"unknown key {key!r}{close_to(key, KEYS)}")
    if data.get("kdaudit", VERSION) != VERSION:
        raise source.wrong(
            ("kdaudit",), f"this plan is written for version {data['kdaudit']!r}; version {VERSION} is read here"
        )
    for key in ("title", "teacher", "behaviours", "samples", "proxies", "budget"):
        if key not in data:
            raise source.wrong((), f"key {key!r} is missing")
    rows = build(Rows, _mapping(source, data, ("samples",)), source, ("samples",))
    _check_rows(rows, source)
    domain = _domain(data, rows, source, domain_of)
    behaviour = _behaviour(data, domain, source)
    teacher, stranger, twin = _teachers(data, source)
    proxies = _proxies(data, source)
    return Plan(
        title=_text(source, data, "title"),
        source=source,
        folder=folder,
        seed=_whole(source, data, "seed"),
        domain=domain,
        teacher=teacher,
        stranger=stranger,
        twin=twin,
        behaviour=behaviour,
        rows=rows,
        proxies=proxies,
        questions=_questions(data, source, {p.name: p.recipe for p in proxies}),
        limit=build(BudgetKeys, _mapping(source, data, ("budget",)), source, ("budget",)).questions,
        not_tested=tuple(_text_list(source, data, "not_tested")),
        data=data,
    )


def _mapping(source: Source, data: Any, path: Path_) -> dict[str, Any]:  # noqa: ANN401 - plain data
    for step in path:
        data = data[step]
    if not isinstance(data, dict):
        raise source.wrong(path, f"{'.'.join(map(str, path))} is {data!r}; keys and values were expected")
    return data


def _text(source: Source, data: dict[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise source.wrong((key,), f"{key} is {value!r}; a text was expected")
    return value


def _text_list(source: Source, data: dict[str, Any], key: str) -> list[str]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise source.wrong((key,), f"{key} is {value!r}; a list of texts was expected")
    return value


def _whole(source: Source, data: dict[str, Any], key: str) -> int:
    value = data.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise source.wrong((key,), f"{key} is {value!r}; a whole number was expected")
    return value


def _check_rows(rows: Rows, source: Source) -> None:
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


def _domain(data: dict[str, Any], rows: Rows, source: Source, domain_of: DomainOf) -> Domain:
    if "domain" not in data:
        if not rows.set:
            raise source.wrong((), "key 'domain' is missing; rows from a file need one")
        try:
            return domain_of(rows.set)
        except InvalidInput as error:
            raise source.wrong(("samples", "set"), str(error)) from error
    section = _mapping(source, data, ("domain",))
    for key in section:
        if key not in ("fields", "constraints"):
            raise source.wrong(("domain", key), f"unknown key 'domain.{key}'{close_to(key, ('fields', 'constraints'))}")
    fields: list[Field] = []
    for at, _ in enumerate(section.get("fields", [])):
        path = ("domain", "fields", at)
        item = dict(_mapping(source, data, path))
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


def _behaviour(data: dict[str, Any], domain: Domain, source: Source) -> Behaviour:
    items = data["behaviours"]
    if not isinstance(items, list) or len(items) != 1:
        raise source.wrong(("behaviours",), "behaviours is no list of one item; an audit is about one behaviour")
    path = ("behaviours", 0)
    keys = build(BehaviourKeys, _mapping(source, data, path), source, path)
    try:
        return Behaviour(keys.name, keys.outputs, domain, scope=keys.scope, scale=keys.scale, rule=keys.rule)
    except InvalidInput as error:
        raise source.wrong(path, str(error)) from error


def _teachers(data: dict[str, Any], source: Source) -> tuple[TeacherItem, TeacherItem | None, TeacherItem | None]:
    section = dict(_mapping(source, data, ("teacher",)))
    others = {seat: section.pop(seat, None) for seat in ("stranger", "twin")}
    teacher = _teacher(section, source, ("teacher",), "teacher")
    seats: dict[str, TeacherItem | None] = {"stranger": None, "twin": None}
    for seat, item in others.items():
        if item is not None:
            path = ("teacher", seat)
            seats[seat] = _teacher(dict(_mapping(source, data, path)), source, path, f"{teacher.name}'s {seat}")
    return teacher, seats["stranger"], seats["twin"]


def _teacher(item: dict[str, Any], source: Source, path: Path_, name: str) -> TeacherItem:
    name = item.pop("name", name)
    kind, address = _kind(item, source, path, catalogue.TEACHERS)
    kind_of_teacher = catalogue.resolve(address)
    if "name" in (f.name for f in fields(kind_of_teacher)):
        item["name"] = name
    inner = groups.take(kind_of_teacher, item, source, path, lambda one, *at: _teacher(one, source, *at).recipe)
    recipe: TeacherRecipe = build(kind_of_teacher, item, source, path, inner)
    return TeacherItem(str(name), kind, recipe)


def _kind(item: dict[str, Any], source: Source, path: Path_, table: dict[str, str]) -> tuple[str, str]:
    kind = item.pop("kind", None)
    if kind is None:
        raise source.wrong(path, f"key 'kind' is missing; kinds are {', '.join(table)}")
    if kind not in table:
        raise source.wrong((*path, "kind"), f"kind {kind!r} is unknown{close_to(str(kind), table)}")
    return str(kind), table[kind]


def _items(data: dict[str, Any], source: Source, section: str) -> list[tuple[Path_, str, dict[str, Any]]]:
    """Return path, unique name and remaining keys of each item of a section."""
    items = data.get(section, [])
    if not isinstance(items, list):
        raise source.wrong(
            (section,), f"{section} is {items!r}; a list of items was expected (lines that start with -)"
        )
    out: list[tuple[Path_, str, dict[str, Any]]] = []
    for at, _ in enumerate(items):
        path = (section, at)
        item = dict(_mapping(source, data, path))
        name = item.pop("name", None)
        if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
            raise source.wrong(
                path, f"an item of {section} is called {name!r}; a name of letters, digits, _ and - was expected"
            )
        if name in (seen for _, seen, _ in out):
            raise source.wrong((*path, "name"), f"two items of {section} are called {name!r}; names must differ")
        out.append((path, name, item))
    return out


def _proxies(data: dict[str, Any], source: Source) -> tuple[ProxyItem, ...]:
    out: list[ProxyItem] = []
    for path, name, item in _items(data, source, "proxies"):
        kind, address = _kind(item, source, path, catalogue.PROXIES)
        recipe: ProxyRecipe = build(catalogue.resolve(address), item, source, path)
        pairing.check_other(recipe, {p.name: p.recipe for p in out}, data["teacher"], (source, path))
        out.append(ProxyItem(name, kind, recipe))
    if not out:
        raise source.wrong(("proxies",), f"an audit needs at least one proxy; kinds are {', '.join(catalogue.PROXIES)}")
    return tuple(out)


def _questions(data: dict[str, Any], source: Source, proxies: dict[str, ProxyRecipe]) -> tuple[QuestionItem, ...]:
    out = []
    for section, table in (("compare", catalogue.COMPARE), ("probes", catalogue.PROBES)):
        for path, name, item in _items(data, source, section):
            named = item.pop("proxies", None)
            kind, address = _kind(item, source, path, table)
            recipe: Question = build(catalogue.resolve(address), item, source, path)
            about = pairing.chosen(named, recipe, proxies, (source, path))
            out.append(QuestionItem(section, name, kind, recipe, about))
    if not out:
        raise source.wrong((), "an audit needs at least one question; add an item to `compare` or `probes`")
    return tuple(out)
