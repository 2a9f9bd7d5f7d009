"""Strangers in a plan: one, a list, or a number of the teacher's own kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdaudit.auditing.plan import from_source
from kdaudit.auditing.rows import domain_of
from kdaudit.auditing.source import read_text
from kdaudit.errors import InvalidPlan

PLAN = """\
title: Are people treated alike?
samples:
  set: acs_income
  parts: {teacher: 10, strangers: 32, fit: 20, select: 10, judge: 30, pool: 40}
teacher:
  name: scorer
  kind: trained
  part: teacher
  steps: 7
  strangers: 3
behaviours:
  - {name: scored above the line, outputs: [above]}
proxies:
  - {name: tree, kind: tree, leaves: 8}
probes:
  - {name: sex, kind: parity, field: sex}
budget: {questions: 100}
"""
ONE = "{kind: trained, part: strangers, steps: 7}"


def read(text):
    return from_source(read_text(text), Path(), domain_of=domain_of)


def with_strangers(words):
    return PLAN.replace("strangers: 3\n", f"{words}\n")


def test_a_number_of_strangers_share_out_their_part_and_share_nothing_else():
    plan = read(PLAN)
    recipes = [one.recipe for one in plan.strangers]
    assert [one.part for one in recipes] == ["strangers-1", "strangers-2", "strangers-3"]
    assert [plan.rows.parts[one.part] for one in recipes] == [10, 10, 10]
    assert "strangers" not in plan.rows.parts
    # parts are drawn in their order: the new ones stand where theirs stood
    assert list(plan.rows.parts) == ["teacher", "strangers-1", "strangers-2", "strangers-3", "fit", "select", "judge",
                                     "pool"]  # fmt: skip
    assert {one.steps for one in recipes} == {plan.teacher.recipe.steps}
    assert len({one.seed for one in (plan.teacher.recipe, *recipes)}) == 4
    assert [one.name for one in plan.strangers] == ["stranger 1", "stranger 2", "stranger 3"]
    assert [one["part"] for one in plan.resolved()["strangers"]] == ["strangers-1", "strangers-2", "strangers-3"]


def test_a_list_of_strangers_and_a_single_one_are_taken_as_they_stand():
    plan = read(with_strangers(f"strangers: [{ONE}, {ONE.replace('steps', 'seed: 4, steps')}]"))
    assert [one.recipe.seed for one in plan.strangers] == [0, 4]
    assert [one.name for one in plan.strangers] == ["scorer's stranger 1", "scorer's stranger 2"]
    assert len(read(with_strangers(f"stranger: {ONE}")).strangers) == 1
    assert read(with_strangers("seed: 1")).strangers == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("strangers: many", "teacher.strangers is 'many'; a list of teachers was expected, or how many"),
        ("strangers: 0", "teacher.strangers is 0"),
        ("strangers: true", "teacher.strangers is True"),
        (f"strangers: 3\n  stranger: {ONE}", "keep the list"),
        (f"strangers: [{ONE}, {ONE}]", "stranger 2 is the same as the teacher or as another stranger"),
        ("strangers: [{kind: trained, part: teacher, steps: 7}]", "stranger 1 is the same as the teacher"),
        ("strangers: [{kind: traind, part: teacher}]", "kind 'traind' is unknown"),
    ],
)
def test_what_is_no_seat_is_told_with_its_place(words, told):
    with pytest.raises(InvalidPlan, match=told) as caught:
        read(with_strangers(words))
    assert caught.value.line in (10, 11)


def test_strangers_that_are_counted_need_rows_and_a_teacher_trained_here():
    with pytest.raises(InvalidPlan, match="no part 'strangers' of at least 3 rows"):
        read(PLAN.replace(" strangers: 32,", ""))
    recorded = PLAN.replace(
        "kind: trained\n  part: teacher\n  steps: 7", "kind: recorded\n  path: a.csv\n  scores: [s]"
    )
    with pytest.raises(InvalidPlan, match="this one is 'recorded': list"):
        read(recorded)
