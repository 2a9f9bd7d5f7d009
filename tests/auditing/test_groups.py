"""Teachers that are made of teachers, as a plan names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdaudit.auditing import groups
from kdaudit.auditing.plan import from_source
from kdaudit.auditing.rows import domain_of
from kdaudit.auditing.source import read_text
from kdaudit.errors import InvalidPlan

PLAN = """\
title: Which digit?
samples:
  set: digits
  parts: {a: 10, b: 10, c: 10, fit: 20, select: 10, judge: 30, pool: 0}
teacher:
  kind: ensemble
  name: three
  weights: [1, 2]
  members:
    - {kind: trained, part: a, hidden: [4]}
    - kind: consensus
      clip: 4.0
      noise: 60.0
      epsilon: 4.0
      clients:
        - {kind: trained, part: b, name: first}
        - {kind: trained, part: c}
behaviours:
  - {name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}
proxies:
  - {name: student, kind: student}
compare:
  - {name: fidelity, kind: fidelity}
budget:
  questions: 100
"""


def read(text=PLAN):
    return from_source(read_text(text), Path(), domain_of=domain_of)


def test_members_are_read_to_any_depth_and_written_out_with_their_kinds():
    plan = read()
    one, other = plan.teacher.recipe.members
    assert (one.part, one.hidden, one.name) == ("a", (4,), "member 1")
    assert [client.name for client in other.clients] == ["first", "client 2"]
    assert [groups.kind_of(r) for r in groups.all_of(plan.teacher.recipe)] == [
        "ensemble",
        "trained",
        "consensus",
        "trained",
        "trained",
    ]
    seat = plan.resolved()["teacher"]
    assert [member["kind"] for member in seat["members"]] == ["trained", "consensus"]
    assert [client["kind"] for client in seat["members"][1]["clients"]] == ["trained", "trained"]
    assert not groups.runs_code(plan.teacher.recipe)


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ("  members:\n", "  membrs:\n", "key 'teacher.members' is missing", 5),
        ("part: a, hidden: [4]", "part: a, hiden: [4]", "unknown key 'teacher.members.0.hiden'; did you mean", 10),
        ("- {kind: trained, part: a, hidden: [4]}", "- trained", "a list of teachers was expected, each with", 9),
        ("kind: trained, part: c", "kind: traind, part: c", "kind 'traind' is unknown", 17),
        ("weights: [1, 2]", "weights: [1, 0]", "2 numbers above 0 were expected", 5),
        ("epsilon: 4.0", "epsilon: 0.001", "one row alone costs more than epsilon 0.001", 11),
        ("noise: 60.0", "noise: -1", "noise from 0 up", 11),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(old, new, words, line):
    with pytest.raises(InvalidPlan, match=words) as caught:
        read(PLAN.replace(old, new))
    assert caught.value.line == line
