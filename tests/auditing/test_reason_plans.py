"""Whole audits of a few steps: which reasons a plan can ask for, and where the report says what came of them."""

from __future__ import annotations

from kdaudit.auditing.audits import audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

TRAINED = "kind: trained, steps: 30, batch: 32"
PICTURES = f"""\
title: Where do they look?
seed: 1
samples:
  set: digits
  parts: {{a: 80, strangers: 240, fit: 100, select: 40, judge: 60, pool: 10}}
behaviours:
  - {{name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}}
teacher: {{name: reader, {TRAINED}, part: a, network: cnn, hidden: [6, 6], strangers: 3}}
proxies:
  - {{name: small, kind: student, network: cnn, hidden: [4, 4], steps: 20}}
compare:
  - {{name: maps, kind: attribution, method: grad_cam, rows: 40}}
  - {{name: fields, kind: attribution, method: permutation, rows: 20, draws: 2}}
budget:
  questions: 1500
"""
FIELDS = """\
title: Which fields?
seed: 1
samples: {set: acs_income, parts: {a: 90, strangers: 270, fit: 150, select: 50, judge: 100, pool: 10}}
behaviours:
  - {name: high pay, outputs: ["above 50,000"]}
teacher: {name: scorer, kind: trained, steps: 200, batch: 32, part: a, hidden: [6], strangers: 3}
proxies:
  - {name: small, kind: student, hidden: [4], steps: 20}
  - {name: tree, kind: tree, leaves: 4}
compare:
  - {name: fields, kind: attribution, method: permutation, rows: 40, draws: 2}
  - {name: pairs, kind: attribution, method: interactions, rows: 6, background: 2}
budget:
  questions: 6000
"""


def told(path, plan):
    path.mkdir()
    file = path / "audit.yaml"
    file.write_text(f"kdaudit: 1\n{plan}", encoding="utf-8")
    done = audit(file, out=path / "runs")
    found = read(done.path)
    assert done.asked <= price(read_plan(file), None).total
    return found, render(compose(found)).decode().replace("\\", "")


def test_a_plan_asks_where_convolutions_look(tmp_path):
    run, text = told(tmp_path / "maps", PICTURES)
    evidence = run.evidence["compare.maps.small"]
    row = evidence.row("spearman", "all", "proxy")
    assert row.value.known
    assert row.strangers == 3
    assert "Grad-CAM at the last convolution" in evidence.context["method"]
    assert "Grad-CAM at the last convolution" in text
    assert "Order of importance over all rows" in text
    random = evidence.row("spearman_beside_random", "all", "proxy")
    # a network that learned nothing may see nothing at all, and an empty map is like no other
    assert random.control_kind == "randomised_teacher" or "rows lack" in random.no_control
    alone = run.evidence["compare.fields.small"].row("importance_order", "all", "proxy")
    assert not alone.value.known
    assert "one field" in alone.value.method


def test_a_plan_asks_which_fields_count_and_which_work_together(tmp_path):
    run, text = told(tmp_path / "fields", FIELDS)
    for proxy in ("small", "tree"):
        row = run.evidence[f"compare.fields.{proxy}"].row("importance_order", "all", "proxy")
        assert row.value.known and row.control.known and row.strangers == 3
        pairs = run.evidence[f"compare.pairs.{proxy}"]
        assert pairs.row("cosine", "all", "proxy").value.n <= 6
        assert all(" × " in unit for unit in pairs.context["units"])
    assert "permutation importance" in text
    assert "Shapley interactions of pairs" in text
