from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from kdaudit.auditing.schema import build
from kdaudit.auditing.source import read_text
from kdaudit.errors import InvalidInput, InvalidPlan


@dataclass(frozen=True)
class Recipe:
    leaves: int
    rate: float = 0.5
    names: tuple[str, ...] = ()
    mode: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        if self.leaves < 1:
            raise InvalidInput(f"leaves is {self.leaves}; at least 1 was expected")


def made(text: str) -> Recipe:
    source = read_text(f"item:\n{text}")
    return build(Recipe, source.data()["item"], source, ("item",))


def test_fields_are_keys() -> None:
    assert made("  leaves: 3\n  rate: 1\n  names: [x, y]\n  mode: b") == Recipe(3, 1.0, ("x", "y"), "b")


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("  leaves: 3\n  leafs: 4", r"unknown key 'item.leafs'; did you mean 'leaves'\?", 3),
        ("  rate: 0.1", "key 'item.leaves' is missing", 1),
        ("  leaves: many", "item.leaves is 'many'; it should be a valid integer", 2),
        ("  leaves: true", "item.leaves is True", 2),
        ("  leaves: 3\n  mode: c", "'a' or 'b'", 3),
        ("  leaves: 3\n  names: [x, 1]", "item.names.1 is 1", 3),
        ("  leaves: 0", "at least 1 was expected", 1),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(text: str, words: str, line: int) -> None:
    with pytest.raises(InvalidPlan, match=words) as caught:
        made(text)
    assert caught.value.line == line
