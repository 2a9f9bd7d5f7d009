"""The case of recorded scores: what its README says is what the audit finds."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of

CASE = Path(__file__).parents[1] / "case_studies" / "recidivism"


@pytest.mark.data
def test_the_readme_says_what_was_decided(data_folder, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("prepare", CASE / "prepare.py")
    prepare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prepare)
    people, scores = prepare.tables(data_folder)
    assert len(people) == 6172
    folder = tmp_path / "case"
    folder.mkdir()
    shutil.copy(CASE / "audit.yaml", folder)
    people.to_csv(folder / "people.csv", index=False)
    scores.to_csv(folder / "scores.csv", index=False)
    assert code_of(["audit", str(folder / "audit.yaml"), "--out", str(tmp_path / "runs"), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    told = (CASE / "README.md").read_text(encoding="utf-8")
    lines = [line for line in told.splitlines() if line.startswith("| ") and "(" in line]
    student = [f for f in findings if f["proxy_name"] == "student" and f["transfer"] != "NOT APPLICABLE"]
    assert len(student) == 13
    for line in lines:
        verdict = line.split("|")[3].strip()
        ends = line.split("(")[-1].split(")")[0]
        held = [f for f in student if _ends(f) == ends]
        assert held, line
        assert held[0]["verdict"] == verdict, line


def _ends(finding):
    ratio = finding["measure"] == "impact_ratio"
    low, high = finding["teacher"]["low"], finding["teacher"]["high"]
    if low < 0 and high < 0 and not ratio:
        low, high = -high, -low
    told = f"{low:.3f} to {high:.3f}" if ratio else f"{100 * low:.1f} to {100 * high:.1f}"
    return told.replace("-", "\N{MINUS SIGN}")
