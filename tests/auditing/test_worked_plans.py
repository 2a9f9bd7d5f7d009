"""Whole audits of digits, a few steps each: who teaches, on which inputs and in which order, all from a plan."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kdaudit.auditing.audits import audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.errors import InvalidInput
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read
from kdaudit.teachers.privacy import epsilon_of, mu_of

HEAD = """\
title: Which digit?
seed: 1
samples:
  set: digits
  parts: {a: 60, b: 60, c: 60, d: 60, fit: 80, select: 40, judge: 100, pool: 10}
behaviours:
  - {name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}
compare:
  - {name: fidelity, kind: fidelity, worst_slice: false, measures: [agreement]}
budget:
  questions: 2000
"""
TRAINED = "kind: trained, hidden: [8], steps: 40, batch: 32"
ORDERS = f"""
teacher:
  kind: ensemble
  name: two readers
  members: [{{{TRAINED}, part: a}}, {{{TRAINED}, part: b}}]
  stranger: {{kind: ensemble, members: [{{{TRAINED}, part: c}}, {{{TRAINED}, part: d}}]}}
proxies:
  - {{name: mixed, kind: student, steps: 8, hidden: [6], inputs: "data + 2 * mixup + 0.5 * jitter(0.2)"}}
  - {{name: peers, kind: student, steps: 8, hidden: [6], peers: 3,
      objective: "soft_targets(2) + peers(soft_targets(2))"}}
  - {{name: own, kind: student, steps: 8, hidden: [6, 5], exits: true,
      objective: "soft_targets(2) + own(soft_targets(2, 'exits.*'))"}}
  - {{name: born-again, kind: chain, steps: 8, hidden: [6], generations: 3}}
  - {{name: chained, kind: chain, steps: 8, hidden: [3], assistants: [[6], [4]], dense: true, inputs: data + jitter}}
  - {{name: drawn, kind: data_free, by: domain, rows: 50, steps: 8, hidden: [6]}}
"""
UNSEEN = f"""
teacher: {{name: reader, {TRAINED}, part: a}}
proxies:
  - {{name: unseen, kind: data_free, steps: 8, batch: 16, hidden: [6]}}
"""
FEDERATION = f"""
teacher:
  kind: consensus
  name: three clinics
  clip: 3.0
  noise: 40.0
  epsilon: 6.0
  clients: [{{{TRAINED}, part: a}}, {{{TRAINED}, part: b}}, {{{TRAINED}, part: c}}]
proxies:
  - {{name: student, kind: student, steps: 8, hidden: [6]}}
"""


def run(folder, text, out="runs"):
    plan = folder / "audit.yaml"
    plan.write_text(HEAD + text, encoding="utf-8")
    done = audit(plan, out=folder / out)
    return read_plan(plan), done, read(done.path)


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    return run(tmp_path_factory.mktemp("orders"), ORDERS)


def words(done):
    return render(compose(done)).decode()


def test_every_way_ends_as_a_proxy_with_a_control_made_in_the_same_way(orders):
    plan, done, told = orders
    assert {e.proxy_name for e in told.evidence.values()} == {p.name for p in plan.proxies}
    for evidence in told.evidence.values():
        row = evidence.row("agreement", "all", "proxy")
        assert row.control_kind == "strangers_proxy"
        assert row.value.known and row.control.known and row.excess is not None
    for name in told.cards:
        assert (done.path / "proxies" / name / "control" / "model.safetensors").is_file()
    notes = {name: card["notes"] for name, card in told.cards.items()}
    assert notes["peers"]["peers"] == 2
    assert notes["born-again"]["taught_by"] == ["link 2"]
    assert notes["chained"]["taught_by"] == ["two readers", "link 1", "link 2"]
    assert "own(" in notes["own"]["objective"]
    assert notes["mixed"]["fitted"] == 80 + 160 + 40


def test_no_more_is_asked_than_check_said(orders):
    plan, done, told = orders
    estimate = price(plan, None)
    lines = {line.what: line.rows for line in estimate.lines}
    assert lines["make mixed (rows of its own)"] == 200
    assert lines["make drawn (rows of its own)"] == 50
    assert lines["make chained (rows of its own)"] == 80
    assert told.account["budget"]["used"] == done.asked == estimate.total == 80 + 40 + 200 + 50 + 80 + 100


def test_a_second_audit_asks_nothing_and_finds_the_same(orders):
    plan, done, _ = orders
    again = audit(plan.folder / "audit.yaml", out=done.path.parent)
    assert again.new == 0
    for name in ("findings.json", "account.json"):
        assert (again.path / name).read_bytes() == (done.path / name).read_bytes()


def test_a_student_without_data_is_told_for_what_it_is(orders):
    _, _, told = orders
    assert set(told.account["standing"]) == {"drawn"}
    sentence = told.account["standing"]["drawn"]
    excess = next(e for e in told.evidence.values() if e.proxy_name == "drawn").row("agreement", "all", "proxy").excess
    assert sentence.startswith("Evidence about" if excess.known and excess.low > 0 else "Not auditable: drawn was made")
    assert sentence in words(told).replace("\\", "")


def test_a_generators_student_spends_no_question_on_its_making(tmp_path):
    plan, done, told = run(tmp_path, UNSEEN)
    assert told.account["budget"]["proxies"] == 0
    assert done.asked == 100
    assert any(
        "unseen shows the teacher's network 192 made rows in place" in text for text in price(plan, None).warnings
    )
    assert told.cards["unseen"]["notes"]["made"] == 192
    # outcomes cannot be asked about made rows, and no stranger is named
    assert told.cards["unseen"]["control"]["kind"] == "none"
    assert told.account["standing"]["unseen"].startswith("Not auditable")
    assert "unseen 192" in words(told)


def test_privacy_is_a_budget_and_its_loss_stands_in_the_account(tmp_path):
    plan, _, told = run(tmp_path, FEDERATION)
    (lost,) = told.account["privacy"]
    allowed = plan.teacher.recipe.releases
    assert (
        epsilon_of(1e-5, mu_of(allowed, 40.0, "replaced"))
        <= 6.0
        < epsilon_of(1e-5, mu_of(allowed + 1, 40.0, "replaced"))
    )
    assert (lost["seat"], lost["unit"], lost["clients"]) == ("teacher", "client", 3)
    assert lost["releases"] == told.account["budget"]["used"] == 220
    assert lost["epsilon"] == pytest.approx(epsilon_of(1e-5, 2 * 220**0.5 / 40))
    assert "in_all" not in lost
    assert "whoever reads the plan can take the noise away" in lost["added_by"]
    assert f"{lost['epsilon']:.3g}" in words(told)
    assert any("three clinics: 220 rows released cost epsilon" in text for text in price(plan, None).warnings)
    text = json.dumps(told.account)
    assert "client 1" not in text


def test_an_audit_ends_where_privacy_does(tmp_path):
    plan, done, told = run(tmp_path, FEDERATION.replace("epsilon: 6.0", "epsilon: 2.5"))
    assert 120 < plan.teacher.recipe.releases < 220
    # too little is left for judging: it stays undecided, and nobody is asked beyond
    assert done.failed == ("compare/fidelity",)
    (finding,) = told.findings
    assert "three clinics loses more privacy than its epsilon allows" in finding.reason
    assert told.account["privacy"][0]["releases"] == 120
    assert any("privacy ends the audit after" in text for text in price(plan, None).warnings)


def test_later_audits_of_a_federation_add_to_its_loss(tmp_path):
    _, _, first = run(tmp_path, FEDERATION)
    (tmp_path / "audit.yaml").unlink()
    plan = tmp_path / "second.yaml"
    plan.write_text((HEAD + FEDERATION).replace("judge: 100", "judge: 70"), encoding="utf-8")
    told = read(audit(plan, out=tmp_path / "runs").path)
    assert told.account["teacher"]["digest"] == first.account["teacher"]["digest"]
    (lost,) = told.account["privacy"]
    assert lost["releases"] == 190
    # the rows of the first audit were released as well
    assert lost["in_all"]["releases"] == 220
    assert lost["in_all"]["epsilon"] > lost["epsilon"]
    assert "With the audits whose answers lie in the same folder, 220 rows" in words(told)


def test_a_secret_is_kept_in_a_file_of_its_own(tmp_path):
    plan = FEDERATION.replace("  epsilon: 6.0\n", "  epsilon: 6.0\n  secret: secret\n")
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(InvalidInput, match="has 5 bytes; at least 16 random ones"):
        run(tmp_path, plan)
    (tmp_path / "secret").write_bytes(np.random.default_rng(0).bytes(32))
    _, done, told = run(tmp_path, plan)
    (lost,) = told.account["privacy"]
    assert "whoever holds the secret" in lost["added_by"]
    written = b"".join(path.read_bytes() for path in done.path.rglob("*") if path.is_file())
    assert (tmp_path / "secret").read_bytes() not in written
