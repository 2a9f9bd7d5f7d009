"""Rules as lines of text: a tree with its branches, a list from the top."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from kdaudit.domain import Category, Domain
from kdaudit.rules import Rule, Rules, Test, merged

Line = tuple[str, int | None]
"""A line, and the position of the rule that ends there."""
WIDTH = 100
"""Characters of the longest line."""
NARROWEST = 30
"""Characters that a test has at least, however deep it lies."""


def draw(rules: Rules, domain: Domain, *, width: int = WIDTH) -> list[Line]:
    """Return the rules as lines of at most `width` characters.

    A tree is drawn with box characters, what its leaves share drawn once; a list as "if", "else if", "else".  A test
    that needs several lines ends on the line that carries the rule's position, so that its answer can be set beside it.

    Parameters
    ----------
    rules : Rules
    domain : Domain
        Of the rows; names the levels.
    width : int

    Returns
    -------
    list of (str, int or None)
        Text with its indent, and which of ``rules.rules`` ends on the line.
    """
    if len(rules.rules) == 1:
        return [("every row", 0)]
    if rules.family != "tree":
        return _list(rules.rules, domain, width, votes=rules.family == "set")
    everything = [(position, rule.tests) for position, rule in enumerate(rules.rules)]
    return _branches(everything, domain, width, "", top=True)


def words(test: Test, domain: Domain) -> str:
    """Return a test in plain words; a long list of levels is said by the levels that are not in it."""
    item = domain[test.field]
    if (
        not test.terms
        and isinstance(item, Category)
        and test.levels is not None
        and len(test.levels) > (len(item.levels) + 1) // 2
    ):
        others = [level for level in item.levels if level not in test.levels]
        if others:
            what = f"is not {others[0]}" if len(others) == 1 else f"is none of {', '.join(others)}"
            return f"{test.field.replace('_', ' ')} {what}" + (
                "" if test.missing or not item.missing else " or missing"
            )
    return test.text(domain)


def _list(rules: Sequence[Rule], domain: Domain, width: int, *, votes: bool) -> list[Line]:
    lines: list[Line] = []
    for position, rule in enumerate(rules):
        if not rule.tests:
            lines.append(("votes start from" if votes else "else", position))
            continue
        text = " and ".join(words(test, domain) for test in merged(rule.tests))
        start = "if " if position == 0 or votes else "else if "
        lines += _wrapped(text, start, " " * 8, width, position)
    return lines


def _wrapped(text: str, first: str, rest: str, width: int, position: int | None) -> list[Line]:
    room = max(width, len(rest) + NARROWEST)
    parts = textwrap.wrap(
        text, room, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return [(part, position if part is parts[-1] else None) for part in parts]


def _branches(
    leaves: Sequence[tuple[int, Sequence[Test]]], domain: Domain, width: int, indent: str, *, top: bool = False
) -> list[Line]:
    """Draw the two sides of a split: leaves whose paths begin with the same test lie on the same side."""
    sides: dict[Test, list[tuple[int, Sequence[Test]]]] = {}
    for position, tests in leaves:
        sides.setdefault(tests[0], []).append((position, tests[1:]))
    lines: list[Line] = []
    for number, (test, below) in enumerate(sides.items()):
        last = number == len(sides) - 1
        first, rest = ("", "") if top else (f"{indent}{'└─' if last else '├─'} ", f"{indent}{'   ' if last else '│  '}")
        ends = len(below) == 1 and not below[0][1]
        # further lines of a test keep the bar of the branches below it
        hanging = rest + ("  " if ends else "│   ")
        lines += _wrapped(words(test, domain), first, hanging, width, below[0][0] if ends else None)
        if not ends:
            lines += _branches(below, domain, width, rest)
    return lines
