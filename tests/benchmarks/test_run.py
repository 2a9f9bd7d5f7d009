"""The runner of benches: each figure is a line with its target, also where a bench is stopped."""

import importlib.util
import json
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("bench_runner", Path(__file__).with_name("run.py"))
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)

BENCH = """
import numpy as np

def run(report, full):
    report.figure("seconds", np.float64(3.0 if full else 1.0), low=0.5, high=4.0, n=7, target="<= 2", peer=9.0)
    report.figure("gain", float("nan"))
    if full:
        raise RuntimeError("stopped")
"""


@pytest.fixture
def bench(tmp_path):
    (tmp_path / "bench_audit.py").write_text(BENCH)
    file = tmp_path / "benchmarks.jsonl"
    return lambda *arguments: runner.main(list(arguments), here=tmp_path, file=file), file


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_figures_are_appended_as_lines(bench, capsys):
    main, file = bench
    assert main("--only", "audit") == 0 and main() == 0
    rows = lines(file)
    assert len(rows) == 4 and list(rows[0]) == list(runner.COLUMNS)
    expected = {"bench": "audit", "measure": "seconds", "value": 1.0, "low": 0.5, "high": 4.0, "n": 7, "target": "<= 2"}
    assert rows[0] == {**expected, "met": True, "peer": 9.0, "commit": rows[0]["commit"]}
    assert rows[1]["value"] is None and rows[1]["met"] is None
    assert "seconds" in capsys.readouterr().out


def test_a_missed_target_shows_and_what_came_before_a_stop_stays(bench, capsys):
    main, file = bench
    with pytest.raises(RuntimeError, match="stopped"):
        main("--full")
    assert [row["met"] for row in lines(file)] == [False, None]
    assert "NO" in capsys.readouterr().out


def test_a_bench_that_is_not_there_is_said_to_be_missing(bench, capsys):
    main, file = bench
    assert main("--only", "probe") == 2 and not file.exists()
    assert "there is no bench probe; there are audit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [(5, "<= 5", True), (5, "< 5", False), (5, ">= 5", True), (5.1, "> 5", True), (float("nan"), "<= 5", False)],
)
def test_targets(value, target, met):
    assert runner.meets(value, target) == met
