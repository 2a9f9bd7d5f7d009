"""What recipes may have beside: each kind of the catalogue keeps to the protocols; one that has nothing is plain."""

import ast
import inspect
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints

import pytest

from kdaudit import abilities
from kdaudit.auditing import benches, beyond, casting, catalogue, pairing
from kdaudit.auditing.items import ProxyItem

AUDITING = Path(inspect.getfile(casting)).parent
OF = {
    "teacher": ("Releasing",),
    "proxies": (
        "Contrasting", "Departing", "Blindable", "Elsewhere", "Using", "Sparing", "Foretelling", "Beyond", "Choosy",
        "Dataless", "Particular", "Redirecting", "Showing", "Benched", "Measuring",
    ),
    "compare": ("ReadingOf", "PerProxy", "MakingRows", "Bounded", "Supplied", "Toiling", "Measuring"),
}  # fmt: skip
OF["probes"] = OF["compare"]


def members_of(protocol):
    return [name for name in vars(protocol) if not name.startswith("_")]


def kinds():
    for section, table in catalogue.TABLES.items():
        for kind, address in table.items():
            yield pytest.param(section, catalogue.resolve(address), id=f"{section}-{kind}")


@pytest.mark.parametrize(("section", "recipe"), list(kinds()))
def test_every_kind_keeps_to_the_abilities_that_it_has(section, recipe):
    for name in OF[section]:
        protocol = getattr(abilities, name)
        for member in members_of(protocol):
            declared = inspect.getattr_static(protocol, member)
            held = inspect.getattr_static(recipe, member, None)
            if isinstance(declared, property):
                own = {f.name for f in fields(recipe)}
                assert not inspect.isfunction(held), f"{member} of {recipe.__name__} is a value"
                assert held is None or member in own or not callable(held)
            elif held is not None:
                assert list(inspect.signature(held).parameters) == list(inspect.signature(declared).parameters)


@pytest.mark.parametrize(("section", "recipe"), list(kinds()))
def test_no_ability_is_had_by_half(section, recipe):
    for name in OF[section]:
        names = members_of(getattr(abilities, name))
        had = [member for member in names if hasattr(recipe, member) or member in get_type_hints(recipe)]
        assert len(had) in (0, len(names)), f"{recipe.__name__} has {had} of {names}"


@dataclass(frozen=True)
class Plain:
    """A recipe with no ability."""

    size: int = 1


def test_a_recipe_with_no_ability_is_plain():
    item = ProxyItem("one", "plain", Plain())
    assert casting.parts_of(item) == ("fit", "select")
    assert casting.further(None, item, {}) is None
    assert beyond.extra(item, {}) == 0
    assert pairing.kind_of(item.recipe) == "answers"
    assert benches.at(item, Path("nowhere")) is item.recipe


@dataclass(frozen=True)
class Able(Plain):
    """A recipe of somebody else's with some."""

    minus: str = "tree"
    uses: tuple[str, ...] = ("fit",)

    def against(self, other):
        return self

    def extra(self, parts):
        return 7


def test_an_ability_is_had_by_its_name_alone():
    item = ProxyItem("one", "able", Able())
    assert casting.parts_of(item) == ("fit",)
    assert beyond.extra(item, {}) == 7
    assert pairing.kind_of(item.recipe) == "minus"
    assert pairing.kind_of(Able(minus="")) == "answers"


def test_nothing_else_is_read_off_recipes():
    # a name in a string is an ability that nobody could find
    found = []
    rooms = [AUDITING, *(AUDITING.parent / room for room in ("compare", "cost", "probe"))]
    for file in sorted(one for room in rooms for one in room.glob("*.py") if one.name != "__init__.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr"):
                name = node.args[1]
                if isinstance(name, ast.Constant) and (file.name, name.value) != ("seating.py", "seed"):
                    found.append((file.name, name.value))
    assert found == []
