"""Whole audits, a few steps each, of students that read other fields than their teacher, and of trees that are read."""

from __future__ import annotations

import csv

import pytest
from sklearn.datasets import load_digits

from kdaudit.auditing.audits import audit, read_plan
from kdaudit.errors import InvalidInput
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

PIXELS = tuple(f"p{i}" for i in range(64))
PLAN = """\
title: Which digit is told?
seed: 1
domain:
  fields:
    - {{kind: text, name: told}}
{reals}
samples:
  file: digits.csv
  label: digit
  classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
  parts: {{own: 150, other: 150, fit: 150, select: 60, judge: 120, pool: 10}}
behaviours:
  - {{name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}}
teacher:
  {{kind: trained, part: own, hidden: [16, 12], steps: 60, batch: 64, reads: {pixels},
    stranger: {{kind: trained, part: other, hidden: [16, 12], steps: 60, batch: 64, seed: 7, reads: {pixels}}}}}
proxies:
  - {{name: told, kind: student, network: cnn, hidden: [16], width: 8, steps: 40, batch: 64, reads: {told},
      objective: "soft_targets(4) + hint('layers.0', 'layers.1')"}}
  - {{name: asked, kind: student, network: soft_tree, depth: 2, steps: 40, batch: 64, reads: {pixels}}}
compare:
  - {{name: fidelity, kind: fidelity, worst_slice: false, measures: [agreement]}}
  - {{name: layers, kind: representation, proxies: [told]}}
budget:
  questions: 1000
"""


def squares(image):
    """The squares with ink, as on a chess board."""
    return " ".join(f"{'abcdefgh'[c]}{r + 1}" for r in range(8) for c in range(8) if image[r, c] > 6)


def written(folder, told="[told]"):
    data = load_digits()
    with (folder / "digits.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["told", *PIXELS, "digit"])
        for image, digit in zip(data.images[:700], data.target[:700], strict=True):
            writer.writerow([squares(image), *image.ravel(), digit])
    reals = "\n".join(f"    - {{kind: real, name: {name}, low: 0, high: 16}}" for name in PIXELS)
    plan = folder / "audit.yaml"
    plan.write_text(PLAN.format(reals=reals, pixels=f"[{', '.join(PIXELS)}]", told=told), encoding="utf-8")
    return plan


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    return read(audit(written(folder), out=folder / "runs").path)


def test_a_student_of_words_stands_beside_its_control(done):
    for evidence in done.evidence.values():
        if evidence.question == "compare/fidelity":
            row = evidence.row("agreement", "all", "proxy")
            assert row.value.known
            assert row.control_kind == "strangers_proxy"
    notes = done.cards["told"]["notes"]
    assert notes["objective"] == "soft_targets(4) + hint('layers.0', 'layers.1')"
    assert notes["terms"][1]["projected"]
    assert done.cards["told"]["recipe"]["reads"] == ["told"]
    layers = [e for e in done.evidence.values() if e.question == "compare/layers"]
    assert layers
    assert any(row.value.known for e in layers for row in e.rows)


def test_the_report_reads_the_leaves_of_a_soft_tree(done):
    tree = done.cards["asked"]["notes"]["tree"]
    assert tree["rows"] == 150
    assert sum(leaf["rows"] for leaf in tree["leaves"]) == 150
    assert 1 <= len(tree["leaves"]) <= 4
    assert all(len(leaf["way"]) == 2 for leaf in tree["leaves"])
    assert "balance('questions')" in done.cards["asked"]["notes"]["objective"]
    told = render(compose(done)).decode()
    assert "What asked, a soft tree, asks" in told
    assert f"{tree['leaves'][0]['rows']} rows: {tree['leaves'][0]['says'][0]}" in told
    assert tree["leaves"][0]["way"][0].split()[1] in ("high,", "low,")


def test_a_field_that_is_not_there_is_told(tmp_path):
    plan = written(tmp_path, told="[says]")
    with pytest.raises(InvalidInput, match="no field 'says'"):
        read_plan(plan)
