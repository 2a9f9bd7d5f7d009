"""A plan: what is audited, through which proxies, with which questions, for how many answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kdaudit import digest
from kdaudit.abilities import Choosy, Particular
from kdaudit.auditing import catalogue, groups, pairing, sections
from kdaudit.auditing.items import BudgetKeys, ProxyItem, QuestionItem, Rows, TeacherItem
from kdaudit.auditing.schema import build
from kdaudit.auditing.seating import STRANGERS, seated
from kdaudit.auditing.sections import DomainOf
from kdaudit.auditing.source import Path_, Source, close_to
from kdaudit.behaviour import Behaviour
from kdaudit.domain import Domain
from kdaudit.question import ProxyRecipe, Question

VERSION = 1
KEYS = (
    "kdaudit", "title", "seed", "domain", "teacher", "behaviours", "samples", "proxies", "compare", "probes", "budget",
    "not_tested",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A plan that was read and holds together."""

    title: str
    source: Source
    folder: Path
    seed: int
    domain: Domain
    teacher: TeacherItem
    strangers: tuple[TeacherItem, ...]
    twin: TeacherItem | None
    behaviour: Behaviour
    rows: Rows
    proxies: tuple[ProxyItem, ...]
    questions: tuple[QuestionItem, ...]
    limit: int
    not_tested: tuple[str, ...] = ()
    previous: TeacherItem | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def resolved(self) -> dict[str, Any]:
        """Return the plan with every default written out, as plain data."""
        items = {
            "proxies": [{"name": p.name, "kind": p.kind, **digest.recipe_data(p.recipe)} for p in self.proxies],
            "compare": [self._question(q) for q in self.questions if q.section == "compare"],
            "probes": [self._question(q) for q in self.questions if q.section == "probes"],
        }
        seats = {
            "teacher": self._seat(self.teacher),
            "strangers": [self._seat(item) for item in self.strangers],
            "twin": None if self.twin is None else self._seat(self.twin),
            **({} if self.previous is None else {"previous": self._seat(self.previous)}),
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
    def _seat(item: TeacherItem) -> dict[str, Any]:
        return {"name": item.name, "kind": item.kind, **groups.data_of(item.recipe)}

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
    rows = build(Rows, sections.mapping(source, data, ("samples",)), source, ("samples",))
    sections.check_rows(rows, source)
    domain = sections.domain(data, rows, source, domain_of)
    behaviour = sections.behaviour(data, domain, source)
    seats = seated(data, source, rows)
    proxies = _proxies(data, source, domain)
    return Plan(
        title=sections.text(source, data, "title"),
        source=source,
        folder=folder,
        seed=sections.whole(source, data, "seed"),
        domain=domain,
        teacher=seats.teacher,
        strangers=seats.strangers,
        twin=seats.twin,
        previous=seats.previous,
        behaviour=behaviour,
        rows=seats.rows,
        proxies=proxies,
        questions=_questions(data, source, {p.name: p.recipe for p in proxies}),
        limit=build(BudgetKeys, sections.mapping(source, data, ("budget",)), source, ("budget",)).questions,
        not_tested=tuple(sections.text_list(source, data, "not_tested")),
        data=data,
    )


def _proxies(data: dict[str, Any], source: Source, domain: Domain) -> tuple[ProxyItem, ...]:
    out: list[ProxyItem] = []
    named = {*data["teacher"], *(["stranger"] if STRANGERS in data["teacher"] else [])}
    for path, name, item in sections.items(data, source, "proxies"):
        kind, address = sections.kind(item, source, path, catalogue.PROXIES)
        recipe: ProxyRecipe = build(catalogue.resolve(address), item, source, path)
        _check_reads(recipe, domain, (source, path))
        if isinstance(recipe, Particular) and (why := recipe.unfit(domain)):
            raise source.wrong(path, f"proxy {name!r}: {why}")
        pairing.check_other(recipe, {p.name: p.recipe for p in out}, named, (source, path))
        out.append(ProxyItem(name, kind, recipe))
    if not out:
        raise source.wrong(("proxies",), f"an audit needs at least one proxy; kinds are {', '.join(catalogue.PROXIES)}")
    return tuple(out)


def _check_reads(recipe: ProxyRecipe, domain: Domain, place: tuple[Source, Path_]) -> None:
    reads = recipe.reads if isinstance(recipe, Choosy) else ()
    for name in (reads,) if isinstance(reads, str) and reads else reads:
        if name not in domain:
            message = f"there is no field {name!r} to read; the fields are {', '.join(domain.names)}"
            raise place[0].wrong((*place[1], "reads"), message)


def _questions(data: dict[str, Any], source: Source, proxies: dict[str, ProxyRecipe]) -> tuple[QuestionItem, ...]:
    out = []
    for section, table in (("compare", catalogue.COMPARE), ("probes", catalogue.PROBES)):
        for path, name, item in sections.items(data, source, section):
            named = item.pop("proxies", None)
            kind, address = sections.kind(item, source, path, table)
            recipe: Question = build(catalogue.resolve(address), item, source, path)
            about = pairing.chosen(named, recipe, proxies, (source, path))
            out.append(QuestionItem(section, name, kind, recipe, about))
    if not out:
        raise source.wrong((), "an audit needs at least one question; add an item to `compare` or `probes`")
    return tuple(out)
