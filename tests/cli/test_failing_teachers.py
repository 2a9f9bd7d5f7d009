"""A teacher that cannot answer some rows, or none from some moment on: nothing is lost, and it is told."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kdaudit.auditing.audits import Options, audit
from kdaudit.cli.main import code_of
from kdaudit.errors import InvalidAnswers
from kdaudit.run.reading import read
from kdaudit.store import parts

SCORE = "1 / (1 + np.exp(-(frame.age / 15 + frame.hours / 20 - 6 + (frame.sex == 'male'))))"


def quick(case):
    case.change("  - {name: student, kind: student, hidden: [4], steps: 40}\n", "")


def test_rows_that_are_given_no_number_have_failed_and_the_audit_goes_on(case, capfd):
    quick(case)
    case.teacher(f"return np.where(frame.hours % 1 > 0.95, np.nan, {SCORE})")
    assert code_of(case.arguments("--allow-code")) == 0
    (path,) = case.runs
    run = read(path)
    (card,) = path.glob("proxies/tree/card.json")
    assert '"failed": 8' in card.read_text()
    # the run keeps which rows failed, and why; the store asks them again
    kept = [parts.decode(file.read_bytes()) for file in (path / "answers").rglob("score.parquet")]
    lost = [part for part in kept if part.failed]
    assert len(lost) == 1 and set(lost[0].failed.values()) == {"it was given no number (NaN)"}
    assert np.isnan(lost[0].values[list(lost[0].failed)]).all()
    assert "Rows that the teacher failed to answer" in (path / "report" / "report.md").read_text()
    methods = {row.value.method for key, one in run.evidence.items() if "probes" in str(key) for row in one.rows}
    assert any("widened for failed rows" in method for method in methods)
    # the same failures give the same findings
    assert code_of(case.arguments("--allow-code")) == 0
    one, two = case.runs
    assert (one / "findings.json").read_bytes() == (two / "findings.json").read_bytes()


def test_a_teacher_that_answers_nothing_is_one_sentence(case, capfd):
    quick(case)
    case.teacher("return np.full(len(frame), np.nan)")
    assert code_of(case.arguments("--allow-code")) == 2
    assert "none of 200 rows was answered" in capfd.readouterr().err
    assert case.runs == []


def test_a_teacher_that_raises_stops_the_audit_which_goes_on_where_it_stood(case, capfd):
    quick(case)
    broken = (
        "from pathlib import Path\n    if Path(__file__).with_name('broken').exists(): raise OSError('no line')\n    "
    )
    case.teacher(f"{broken}return {SCORE}")

    def tell(words):
        if words.startswith("probes/"):
            (case.folder / "broken").touch()

    with pytest.raises(InvalidAnswers, match=r"failed on rows from \d+ on: OSError\('no line'\).* go on with --resume"):
        audit(case.plan, out=case.out, options=Options(allow_code=True, tell=tell))
    assert len(case.runs) == 1
    (case.folder / "broken").unlink()
    assert code_of(case.arguments("--allow-code", "--resume", "--json")) == 0
    found = json.loads(capfd.readouterr().out)
    assert len(case.runs) == 1
    # proxies and judging were answered before: only the probes ask
    assert 0 < found["new"] < 200 < found["asked"] - found["new"]
    assert code_of(["verify", str(case.runs[0])]) == 0
