"""Chains that ask the teacher about few rows of a plan, and let assistants answer the others."""

from __future__ import annotations

import pytest

from kdaudit.auditing.audits import audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

TRAINED = "kind: trained, hidden: [8], steps: 40, batch: 32"
PLAN = f"""\
title: Which digit?
seed: 1
samples:
  set: digits
  parts: {{a: 60, b: 60, fit: 80, select: 40, judge: 100, pool: 10}}
teacher: {{name: reader, {TRAINED}, part: a, stranger: {{{TRAINED}, part: b}}}}
behaviours:
  - {{name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}}
proxies:
  - {{name: few, kind: chain, steps: 8, hidden: [3], assistants: [[6]], asked: 30}}
  - {{name: made, kind: chain, steps: 8, hidden: [3], assistants: [[6]], asked: 20, later: data + 2 * mixup}}
  - {{name: again, kind: chain, steps: 8, hidden: [3], generations: 2, asked: 35}}
compare:
  - {{name: fidelity, kind: fidelity, worst_slice: false, measures: [agreement]}}
budget:
  questions: 2000
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assistants")
    (folder / "audit.yaml").write_text(PLAN, encoding="utf-8")
    return read_plan(folder / "audit.yaml"), audit(folder / "audit.yaml", out=folder / "runs")


def test_only_the_rows_that_the_teacher_answers_are_priced_and_asked(done):
    plan, run = done
    lines = {line.what: line.rows for line in price(plan, None).lines}
    # chains share the rows that they ask about: the third adds five to the thirty of the first, the second none
    assert [lines[f"make {name} (some of fit)"] for name in ("few", "made", "again")] == [30, 0, 5]
    assert read(run.path).account["budget"]["used"] == run.asked == price(plan, None).total == 35 + 100
    (told,) = [text for text in price(plan, None).warnings if "one stranger" in text]
    assert told.startswith("one stranger answers some rows, and 3 controls")


def test_cards_tell_who_answered_how_many_rows(done):
    told = read(done[1].path)
    notes = {name: card["notes"]["answered"] for name, card in told.cards.items()}
    assert notes == {
        "few": {"teacher": 30, "link 1": 80},
        "made": {"teacher": 20, "link 1": 240},
        "again": {"teacher": 35, "link 1": 80},
    }
    assert {name: card["cost"] for name, card in told.cards.items()} == {
        "few": {"fit": 30},
        "made": {"fit": 20},
        "again": {"fit": 35},
    }
    text = render(compose(told)).decode()
    assert "teacher answered 20, link 1 answered 240 rows" in text


def test_they_were_made_from_data_and_have_a_control_made_in_the_same_way(done):
    told = read(done[1].path)
    assert not told.account["standing"]
    for evidence in told.evidence.values():
        row = evidence.row("agreement", "all", "proxy")
        assert row.control_kind == "strangers_proxy" and row.control.known
