"""A whole audit beside three strangers: what lies in its folder, what its evidence rests on, what is decided."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from kdaudit.auditing import casting, steps
from kdaudit.auditing.audits import audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.cast import Empty
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

PLAN = """\
title: Which digit?
seed: 1
samples:
  set: digits
  parts: {teacher: 80, strangers: 240, fit: 80, select: 40, judge: 120, pool: 10}
behaviours:
  - {name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}
teacher: {name: reader, kind: trained, part: teacher, hidden: [8], steps: 40, batch: 32, strangers: 3}
proxies:
  - {name: student, kind: student, steps: 20, hidden: [6]}
compare:
  - {name: fidelity, kind: fidelity, worst_slice: false, measures: [agreement, kl]}
  - {name: representation, kind: representation, rows: 100, batch: 20}
budget: {questions: 1000}
"""
ONE = PLAN.replace("strangers: 3", "stranger: {kind: trained, part: strangers, hidden: [8], steps: 40, batch: 32}")
CONTROLS = ("control", "control-2", "control-3")


def run(folder, text):
    (folder / "audit.yaml").write_text(text, encoding="utf-8")
    return read(audit(folder / "audit.yaml", out=folder / "runs").path)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return run(tmp_path_factory.mktemp("three"), PLAN)


def test_each_stranger_gives_a_control_of_its_own(told):
    folder = told.path / "proxies" / "student"
    weights = {(folder / name / "model.safetensors").read_bytes() for name in CONTROLS}
    assert len(weights) == 3
    assert not (folder / "control-4").exists()
    control = {"kind": "strangers_proxy", "reason": "", "count": 3, "outcomes": {"made": True, "reason": ""}}
    assert told.cards["student"]["control"] == control
    assert [one["name"] for one in told.account["strangers"]] == ["stranger 1", "stranger 2", "stranger 3"]
    assert len({one["digest"] for one in told.account["strangers"]}) == 3
    assert told.account["budget"]["used"] == 80 + 40 + 120


def test_every_excess_is_over_rows_and_strangers(told):
    rows = [
        row for evidence in told.evidence.values() for row in evidence.rows if row.control_kind == "strangers_proxy"
    ]
    assert {row.measure for row in rows} >= {"agreement", "kl", "cka"}
    assert {row.strangers for row in rows} == {3}
    fidelity = told.evidence["compare.fidelity.student"]
    assert "the proxies of three independent teachers" in fidelity.claims[0].text
    arrays = told.evidence["compare.representation.student"].arrays
    for name in ("cka_proxy", "cka_stranger"):
        assert (arrays[f"{name}_low"] <= arrays[name]).all()
        assert (arrays[name] <= arrays[f"{name}_high"]).all()


def test_a_student_of_recorded_outcomes_stands_beside_the_strangers_and_decides_nothing(told):
    folder = told.path / "proxies" / "student"
    assert (folder / "control-outcomes" / "model.safetensors").read_bytes() not in {
        (folder / name / "model.safetensors").read_bytes() for name in CONTROLS
    }
    fidelity = told.evidence["compare.fidelity.student"]
    among, outcomes = (fidelity.row(name, "all", "proxy") for name in ("agreement", "agreement_beside_outcomes"))
    assert outcomes.value == among.value
    assert (outcomes.control_kind, outcomes.strangers) == ("label_only", 1)
    assert outcomes.excess.value == pytest.approx(outcomes.value.value - outcomes.control.value)
    assert {claim.measure for claim in fidelity.claims} == {"agreement"}
    text = render(compose(told)).decode()
    assert "beside one that learned recorded outcomes alone" in text
    assert "fitted to recorded outcomes and no teacher" in text


def test_where_no_outcomes_are_recorded_the_card_and_the_report_say_why(tmp_path):
    (tmp_path / "audit.yaml").write_text(PLAN, encoding="utf-8")
    plan = read_plan(tmp_path / "audit.yaml")
    parts = {name: replace(part, labels=None) for name, part in steps.load_parts(plan, None).items()}
    found = casting.untaught(plan, plan.proxies[0], "strangers_proxy", parts)
    assert found == Empty("these rows have no recorded outcomes")
    assert steps._told(found) == {"outcomes": {"made": False, "reason": found.reason}}
    # where outcomes are the control itself, or nobody is, none is missed
    for kind in ("label_only", "none"):
        assert casting.untaught(plan, plan.proxies[0], kind, parts) == Empty("")


def test_the_report_names_the_strangers(told):
    text = render(compose(told)).decode()
    for words in ("stranger 3", "one from each independent teacher", "the proxies of three independent teachers"):
        assert words in text


def test_beside_one_stranger_numbers_are_shown_and_nothing_is_decided(tmp_path):
    found = run(tmp_path, ONE)
    row = found.evidence["compare.fidelity.student"].row("agreement", "all", "proxy")
    assert row.excess.known and row.strangers == 1
    closer = [one for one in found.findings if one.form == "above control"]
    assert len(closer) == 2
    assert {str(one.verdict) for one in closer} == {"UNDECIDED"}
    assert {one.reason for one in closer} == {
        "one stranger says nothing of the spread among strangers; name at least three"
    }


def test_check_tells_what_strangers_cost_and_cannot_show(tmp_path):
    for text, words in (
        (PLAN, "each of 3 strangers answers fit and select (120 rows), and 3 controls are made from them"),
        (PLAN, "student: made once more from recorded outcomes alone, which asks nobody"),
        (ONE, "beside one stranger no proxy is found to be closer than a stranger's: name at least three"),
        (PLAN.replace("strangers: 3", "strangers: 2"), "two strangers tell little of how strangers differ"),
        (PLAN.replace(", strangers: 3", ""), "made again from them 3 times as its control"),
    ):
        (tmp_path / "audit.yaml").write_text(text, encoding="utf-8")
        estimate = price(read_plan(tmp_path / "audit.yaml"), None)
        assert any(words in warning for warning in estimate.warnings), estimate.warnings
        assert estimate.total == 80 + 40 + 120


def test_an_audit_that_stopped_between_two_controls_goes_on_to_the_same_files(tmp_path, told, monkeypatch):
    (tmp_path / "audit.yaml").write_text(PLAN, encoding="utf-8")
    kept = steps._control

    def dies(stage, item, source, kind):
        if source.name == "control-3":
            raise KeyboardInterrupt
        kept(stage, item, source, kind)

    monkeypatch.setattr(steps, "_control", dies)
    with pytest.raises(KeyboardInterrupt):
        audit(tmp_path / "audit.yaml", out=tmp_path / "runs")
    monkeypatch.setattr(steps, "_control", kept)
    (stopped,) = (path for path in (tmp_path / "runs").glob("0*") if path.is_dir())
    # what a dead maker left half done does not count
    shutil.rmtree(stopped / "proxies" / "student" / "control-2")
    again = read(audit(tmp_path / "audit.yaml", out=tmp_path / "runs", resume=stopped).path)
    for name in ("findings.json", "account.json", *(f"proxies/student/{one}/model.safetensors" for one in CONTROLS)):
        assert (again.path / name).read_bytes() == (told.path / name).read_bytes(), name
