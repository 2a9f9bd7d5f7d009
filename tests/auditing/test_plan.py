from __future__ import annotations

from pathlib import Path

import pytest

from kdaudit.auditing import catalogue
from kdaudit.auditing.plan import from_source
from kdaudit.auditing.rows import domain_of
from kdaudit.auditing.source import read_text
from kdaudit.cli.demo import PLANS
from kdaudit.errors import InvalidPlan

PLAN = """\
kdaudit: 1
title: Are people treated alike?
seed: 3
samples:
  set: acs_income
  parts: {teacher: 10, fit: 20, select: 10, judge: 30, pool: 40}
teacher:
  name: scorer
  kind: trained
  part: teacher
behaviours:
  - name: scored above the line
    outputs: [above]
    scope: age >= 21
proxies:
  - {name: tree, kind: tree, leaves: 8}
  - {name: student, kind: student}
probes:
  - {name: sex, kind: parity, field: sex}
budget:
  questions: 100
"""


def read(text: str):
    return from_source(read_text(text), Path(), domain_of=domain_of)


def test_a_plan_is_read_whole() -> None:
    plan = read(PLAN)
    assert plan.title == "Are people treated alike?"
    assert plan.seed == 3
    assert plan.domain.protected == ("sex", "race", "age")
    assert [p.name for p in plan.proxies] == ["tree", "student"]
    assert [q.key for q in plan.questions] == ["probes/sex"]
    assert plan.questions[0].proxies == ("tree", "student")
    assert plan.teacher.recipe.name == "scorer"
    assert plan.strangers == ()
    assert plan.limit == 100


def test_every_default_is_written_out() -> None:
    resolved = read(PLAN).resolved()
    assert resolved["probes"][0]["margin"] == 0.05
    assert resolved["proxies"][0]["leaves"] == 8
    assert resolved["samples"]["parts"]["judge"] == 30
    assert resolved == read(PLAN).resolved()


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ("seed: 3", "sede: 3", "unknown key 'sede'; did you mean 'seed'", 3),
        ("seed: 3", "seed: three", "seed is 'three'; a whole number was expected", 3),
        ("kdaudit: 1", "kdaudit: 2", "version 1 is read here", 1),
        ("title: Are people treated alike?\n", "", "key 'title' is missing", 1),
        ("set: acs_income", "set: acs_incme", "there is no data set 'acs_incme'; did you mean", 5),
        ("  set: acs_income\n", "", "either `set` or `file`", 4),
        ("fit: 20, ", "", "part 'fit' is missing", 6),
        ("fit: 20", "fit: -1", "part 'fit' has -1 rows", 6),
        ("fit: 20", "fit: many", "samples.parts.fit is 'many'", 6),
        ("kind: trained", "kind: traind", "kind 'traind' is unknown; did you mean 'trained'", 9),
        ("  kind: trained\n", "", "key 'kind' is missing", 7),
        ("part: teacher", "prt: teacher", "unknown key 'teacher.prt'; did you mean 'part'", 10),
        ("outputs: [above]", "outputs: above", "behaviours.0.outputs is 'above'", 13),
        ("scope: age >= 21", "scope: agee >= 21", "there is no field 'agee'", 12),
        ("scope: age >= 21", "scope: __import__('os')", "is not part of a condition", 12),
        ("leaves: 8", "leafs: 8", "unknown key 'proxies.0.leafs'; did you mean 'leaves'", 16),
        ("name: student", "name: tree", "two items of proxies are called 'tree'", 17),
        ("name: student", "name: ../up", "a name of letters, digits, _ and -", 17),
        ("field: sex", "field: sex, proxies: [forest]", "there is no proxy 'forest'", 19),
        ("field: sex", "feld: sex", "unknown key 'probes.0.feld'; did you mean 'field'", 19),
        ("questions: 100", "questions: lots", "budget.questions is 'lots'", 21),
        ("probes:", "probs:", "unknown key 'probs'; did you mean 'probes'", 18),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, words: str, line: int) -> None:
    assert old in PLAN
    with pytest.raises(InvalidPlan, match=words.replace("(", r"\(").replace("[", r"\[")) as caught:
        read(PLAN.replace(old, new, 1))
    assert caught.value.line == line
    assert "\n" not in str(caught.value)


def test_rows_from_a_file_need_a_domain() -> None:
    text = PLAN.replace("set: acs_income", "file: rows.csv")
    with pytest.raises(InvalidPlan, match="rows from a file need one"):
        read(text)
    domain = "domain:\n  fields:\n    - {kind: category, name: sex, levels: [female, male]}\n"
    domain += "    - {kind: real, name: age, lw: 3}\n"
    with pytest.raises(InvalidPlan, match="unknown key 'domain.fields.1.lw'; did you mean 'low'"):
        read(text + domain)
    with pytest.raises(InvalidPlan, match="field kind 'reel' is unknown; did you mean 'real'"):
        read(text + domain.replace("kind: real", "kind: reel"))
    assert read(text + domain.replace("lw: 3", "low: 3")).domain.names == ("sex", "age")


@pytest.mark.parametrize("name", ["census", "tabular", "recorded"])
def test_every_template_is_a_plan(name: str) -> None:
    plan = from_source(read_text((PLANS / f"{name}.yaml").read_text()), PLANS, domain_of=domain_of)
    assert plan.questions


def test_every_kind_of_the_catalogue_is_there() -> None:
    for table in catalogue.TABLES.values():
        for address in table.values():
            assert catalogue.resolve(address).__dataclass_params__.frozen
