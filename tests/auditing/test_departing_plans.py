"""A whole audit: rules say where a proxy is wrong, and what changed since the version before, patch by patch."""

import pytest

from kdaudit.auditing.audits import audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.errors import InvalidInput
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

TRAINED = "kind: trained, hidden: [12], steps: 60, batch: 32"
PLAN = f"""\
title: What changed?
seed: 1
samples:
  set: digits
  parts: {{a: 150, b: 150, fit: 150, select: 80, judge: 120, pool: 10}}
behaviours:
  - {{name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}}
teacher:
  name: this year's reader
  {TRAINED.replace(", ", chr(10) + "  ")}
  part: a
  previous: {{{TRAINED}, part: b}}
proxies:
  - {{name: tree, kind: tree, leaves: 8, read: {{patches: 4}}}}
  - {{name: wrong, kind: departure_tree, minus: tree, of: decision, leaves: 4, read: {{patches: 4}}}}
  - {{name: changed, kind: departure_tree, minus: previous, output: "3", leaves: 4, read: {{segments: 9}}}}
compare:
  - {{name: fidelity, kind: fidelity, worst_slice: false, measures: [agreement]}}
  - {{name: departures, kind: departures}}
  - {{name: rules, kind: rulebook, proxies: [tree]}}
budget:
  questions: 1000
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("departing")
    file = folder / "plan.yaml"
    file.write_text(PLAN)
    estimate = price(read_plan(file), None)
    made = audit(file, out=folder / "runs")
    assert made.asked <= estimate.total == 150 + 80 + 120
    return read(made.path)


def test_each_proxy_answers_the_questions_that_it_can(run):
    assert {e.proxy_name for e in run.evidence.values() if e.question == "compare/departures"} == {"wrong", "changed"}
    assert {e.proxy_name for e in run.evidence.values() if e.question == "compare/fidelity"} == {"tree"}


def test_where_the_tree_is_wrong_adds_up_to_how_often_it_is(run):
    wrong = next(e for e in run.evidence.values() if e.proxy_name == "wrong")
    fidelity = next(e for e in run.evidence.values() if e.question == "compare/fidelity")
    agreement = next(row for row in fidelity.rows if (row.measure, row.group) == ("agreement", "all"))
    told = [row for row in wrong.rows if row.of == "teacher"]
    assert told[0].value.value == pytest.approx(1 - agreement.value.value)
    inside = [row for row in told[1:] if row.value.known]
    assert sum(row.value.value * row.value.n for row in inside) == pytest.approx(told[0].value.value * 120)


def test_the_report_says_who_is_subtracted_and_what_is_read(run):
    text = render(compose(run)).decode()
    assert "the share of rows decided otherwise than tree does" in text
    assert "the teacher's score of 3 minus that of previous" in text
    assert "mean brightness of 16 patches of digit" in text
    assert "segments of digit, row by row" in text
    assert "brightness of" in text
    assert run.account["previous"]["name"] == "this year's reader, version before"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("minus: tree", "minus: tre", "neither a proxy named above"),
        ("minus: tree", "minus: twin", "the plan names no twin"),
        ("minus: tree", "minus: changed", "neither a proxy named above"),
        ("read: {patches: 4}", "read: {patch: 4}", "did you mean 'patches'"),
        ("proxies: [tree]", "proxies: [wrong]", "answer with answers, not with a difference"),
    ],
)
def test_what_does_not_hold_together_is_refused(tmp_path, old, new, says):
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace(old, new, 1))
    with pytest.raises(InvalidInput, match=says):
        read_plan(file)
