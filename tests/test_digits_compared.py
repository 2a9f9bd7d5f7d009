"""Readers of digits and ten times smaller networks, compared on every question: the READMEs say what is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.run.reading import read

CASES = Path(__file__).parents[1] / "case_studies"
ROWS = (
    ("fidelity", "agreement", "all"),
    ("reasons", "spearman", "all"),
    ("looking", "spearman", "all"),
    ("layers", "cka", "all"),
    ("depths", "cka", "all"),
    ("attention", "attention_likeness", "all"),
    ("attention", "rollout_spearman", "all"),
    ("attention", "attention_ablation", "all"),
    ("turns", "crossing_agreement", "all"),
    ("turns", "reproducibility", "planes through three rows"),
    ("turns", "distance_likeness", "all"),
)
"""Question, measure and group of each line of a README's table."""


def lines_of(run) -> list[str]:
    """Return the lines that a README has of a run, one a proxy and measure."""
    out = []
    for question, measure, group in ROWS:
        for evidence in run.evidence.values():
            if evidence.question != f"compare/{question}":
                continue
            for row in evidence.rows:
                if (row.measure, row.group, row.of) == (measure, group, "proxy"):
                    cells = (question, measure.replace("_", " "), evidence.proxy_name, *map(_told, _intervals(row)))
                    out.append(f"| {' | '.join(cells)} |")
    return out


def _intervals(row):
    return row.value, row.control, row.excess, row.ceiling


def _told(interval) -> str:
    if interval is None or not interval.known:
        return ""
    value, low, high = (f"{x + 0.0:.2f}".replace("-", "−") for x in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


@pytest.mark.slow
@pytest.mark.parametrize("case", ["digits/cnn", "digits/vit"])
def test_smaller_networks_are_compared_on_every_question(case, tmp_path):
    _holds(case, tmp_path)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("case", ["mnist/cnn", "mnist/vit"])
def test_smaller_networks_of_mnist_are_compared_on_every_question(case, data_folder, tmp_path):
    _holds(case, tmp_path)


def _holds(case: str, out: Path) -> None:
    assert code_of(["audit", str(CASES / f"{case}.yaml"), "--out", str(out), "--json"]) == 0
    (path,) = [path for path in out.glob("0*") if path.is_dir()]
    run = read(path)
    told = (CASES / case.split("/")[0] / "README.md").read_text(encoding="utf-8")
    found = lines_of(run)
    assert {line.split(" | ")[0][2:] for line in found} >= {"fidelity", "reasons", "turns"}
    assert [line for line in found if line not in told] == []
    for evidence in run.evidence.values():
        row = next(row for row in evidence.rows if row.of == "proxy" and row.value.known)
        assert (row.control_kind, row.strangers) in (("strangers_proxy", 3), ("randomised_teacher", 8)), (
            evidence.question
        )
