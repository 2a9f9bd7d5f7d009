"""The case of recorded scores: what its README says is what the audit finds."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of

CASE = Path(__file__).parents[1] / "case_studies" / "recidivism"


@pytest.fixture
def case(data_folder, tmp_path):
    spec = importlib.util.spec_from_file_location("prepare", CASE / "prepare.py")
    prepare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prepare)
    people, scores = prepare.tables(data_folder)
    assert len(people) == 6172
    folder = tmp_path / "case"
    folder.mkdir()
    people.to_csv(folder / "people.csv", index=False)
    scores.to_csv(folder / "scores.csv", index=False)
    return folder


def _audited(case, plan, capsys):
    shutil.copy(CASE / plan, case)
    assert code_of(["audit", str(case / plan), "--out", str(case / "runs"), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["findings"]


def _lines(part):
    told = (CASE / "README.md").read_text(encoding="utf-8").split("## A model trained on outcomes")[part]
    return [line for line in told.splitlines() if line.startswith("| ") and "(" in line]


@pytest.mark.data
def test_the_readme_says_what_was_decided(case, capsys):
    findings = _audited(case, "audit.yaml", capsys)
    lines = _lines(0)
    student = [f for f in findings if f["proxy_name"] == "student" and f["transfer"] != "NOT APPLICABLE"]
    assert len(student) == 13
    for line in lines:
        verdict = line.split("|")[3].strip()
        ends = line.split("(")[-1].split(")")[0]
        held = [f for f in student if _ends(f) == ends]
        assert held, line
        assert held[0]["verdict"] == verdict, line


@pytest.mark.slow
@pytest.mark.data
def test_the_readme_says_what_a_model_of_outcomes_does(case, capsys):
    findings = [f for f in _audited(case, "outcomes.yaml", capsys) if f["transfer"] != "NOT APPLICABLE"]
    lines, told = _lines(1), 0
    for finding in findings:
        if finding["proxy_name"] == "tree" or "flip_rate" in finding["measure"] or finding["asked"] < 30:
            continue
        said = _told(finding)
        line = [one for one in lines if said in one]
        assert [one.split("|")[3].strip() for one in line] == [finding["verdict"]], finding["claim"]
        told += 1
    assert told == len(lines) == 9
    hidden = {f["measure"] for f in findings if f["proxy_name"] == "tree" and f["transfer"] == "MASKED"}
    assert hidden == {"counterfactual_shift", "counterfactual_flip_rate", "false_positive_rate_difference"}


def _ends(finding):
    ratio = finding["measure"] == "impact_ratio"
    low, high = finding["teacher"]["low"], finding["teacher"]["high"]
    if low < 0 and high < 0 and not ratio:
        low, high = -high, -low
    told = f"{low:.3f} to {high:.3f}" if ratio else f"{100 * low:.1f} to {100 * high:.1f}"
    return told.replace("-", "\N{MINUS SIGN}")


def _told(finding):
    low, value, high = (100 * finding["teacher"][end] for end in ("low", "value", "high"))
    unit = "%" if finding["measure"] == "sure_outside" else "points"
    if low == high:
        return f"{abs(value):.1f} {unit} (exact)"
    if low < 0 < high:
        return f"{abs(value):.1f} {unit} ({-low:.1f} lower to {high:.1f} higher)"
    return f"{abs(value):.1f} {unit} ({min(abs(low), abs(high)):.1f} to {max(abs(low), abs(high)):.1f})"
