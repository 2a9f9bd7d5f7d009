"""The case of the soft tree of digits: it stands beside strangers' trees, and the report tells its leaves."""

import json
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.run.reading import read, runs_in

CASE = Path(__file__).parents[1] / "case_studies" / "digits" / "tree.yaml"


@pytest.mark.slow
def test_a_soft_tree_of_digits_is_read_leaf_by_leaf(tmp_path, capsys):
    assert code_of(["audit", str(CASE), "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["asked"] <= 1000
    (path,) = runs_in(tmp_path)
    run = read(path)
    (fidelity,) = run.evidence.values()
    row = fidelity.row("agreement", "all", "proxy")
    assert row.value.value > 0.8
    assert row.control.known
    assert row.control_kind == "strangers_proxy"
    tree = run.cards["tree"]["notes"]["tree"]
    assert 10 <= len(tree["leaves"]) <= 16
    assert tree["alone"] >= 0.95 * tree["rows"]
    assert "What tree, a soft tree, asks" in (path / "report" / "report.html").read_text(encoding="utf-8")
