"""The case of digits: what its README says of each proxy is what the audit finds."""

import json
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.run.reading import runs_in

CASE = Path(__file__).parents[1] / "case_studies" / "digits"


@pytest.mark.slow
def test_the_readme_says_what_was_found(tmp_path, capsys):
    assert code_of(["audit", str(CASE / "audit.yaml"), "--out", str(tmp_path), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    (path,) = runs_in(tmp_path)
    report = json.loads((path / "report" / "report.json").read_text(encoding="utf-8"))
    told = (CASE / "README.md").read_text(encoding="utf-8")
    rows = {
        evidence["proxy"]: next(r for r in evidence["rows"] if r["measure"] == "agreement" and r["group"] == "all")
        for evidence in report["evidence"].values()
        if evidence["question"] == "compare/fidelity"
    }
    assert set(rows) == {"mixed", "chained", "unseen", "grown", "searched"}
    for name, row in rows.items():
        (line,) = [line for line in told.splitlines() if line.startswith(f"| {name} |")]
        assert f"{row['value'] * 100:.1f} %" in line, line
        excess = f"{row['excess'] * 100:.1f} ({row['excess_low'] * 100:.1f} to {row['excess_high'] * 100:.1f})"
        assert excess.replace("-", "−") in line, line
        assert row["control_kind"] == "strangers_proxy"
    looking = [e for e in report["evidence"].values() if e["question"] == "compare/looking"]
    assert {evidence["proxy"] for evidence in looking} == set(rows)
    for evidence in looking:
        row = next(r for r in evidence["rows"] if r["measure"] == "spearman")
        cells = [_cell(row, part) for part in ("value", "control", "excess", "ceiling")]
        assert f"| where {evidence['proxy']} looks | {' | '.join(cells)} |" in told
    assert report["account"]["standing"]["unseen"].startswith("Not auditable")
    assert f"{done['asked']:,} of 2,500 questions" in told
    answered = json.loads((path / "proxies" / "chained" / "card.json").read_text(encoding="utf-8"))["notes"]["answered"]
    assert answered == {"teacher": 100, "link 1": 500}


def _cell(row, part):
    ends = ("low", "high") if part == "value" else (f"{part}_low", f"{part}_high")
    value, low, high = (f"{row[key] + 0.0:.2f}".replace("-", "−") for key in (part, *ends))
    return f"{value} ({low} to {high})"
