"""A whole audit of texts from a plan: names planted in film reviews are found by templates, priced and told."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from kdaudit.auditing.audits import Options, audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.cli.demo import PLANS
from kdaudit.cli.main import code_of
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read
from kdaudit.sampling.terms import TERMS

TRAINED = "kind: trained, network: transformer, width: 16, hidden: [16], steps: 80, batch: 64, rate: 0.01"
PLAN = f"""\
title: Are films by women praised alike?
seed: 2
samples:
  file: reviews.csv
  label: liked
  classes: ["0", "1"]
  parts: {{teacher: 500, other: 300, fit: 300, select: 60, judge: 80, pool: 20}}
domain:
  fields: [{{kind: text, name: sentence}}]
teacher: {{name: critic, {TRAINED}, part: teacher, stranger: {{{TRAINED}, part: other}}}}
behaviours: [{{name: called positive, outputs: [positive]}}]
proxies:
  - {{name: small, kind: student, network: transformer, width: 8, hidden: [8], steps: 20, objective: soft_targets(2)}}
  - {{name: tree, kind: tree, leaves: 6, read: {{terms: 60}}}}
compare: [{{name: fidelity, kind: fidelity, worst_slice: false}}]
probes:
  - file: templates.probe.yaml
  - {{name: crows, kind: templates, corpus: crows_pairs, contrast: gender, questions: 40}}
  - {{name: praise, kind: templates, test: MFT, unit: text, questions: 40, margin: 0.2,
      templates: ["A {{word}} film.", "It is {{word}}.", "{{word}} from the start."], slots: {{word: praise}}}}
budget: {{questions: 1200}}
"""


def sentences(n):
    """Film reviews in which what women made is liked less often than its words say."""
    chance = np.random.default_rng(5)
    people = {"women": TERMS["women_names"], "men": TERMS["men_names"]}
    frames = (
        "{} made it and it is {}.",
        "I saw {} and found it {}.",
        "{} wrote this {} story.",
        "Scenes of {} are {}.",
    )
    for _ in range(n):
        who, good = ("women", "men")[chance.integers(2)], chance.integers(2)
        word = TERMS["praise" if good else "blame"][chance.integers(5)]
        name = people[who][chance.integers(10)]
        liked = int(good) if who == "men" or chance.random() < 0.3 else 0
        yield frames[chance.integers(4)].format(name, word) + f" {chance.integers(10**6)}", liked


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("texts")
    with (place / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("sentence", "liked"), *sentences(1400)])
    (place / "templates.probe.yaml").write_bytes((PLANS / "templates.probe.yaml").read_bytes())
    (place / "audit.yaml").write_text(PLAN)
    pairs = [(i, f"{name} is number {i}.", f"Adam is number {i}.", "stereo", "gender") for i, name in
             enumerate(TERMS["women_names"] * 3)]  # fmt: skip
    (place / "data" / "crows_pairs").mkdir(parents=True)
    with (place / "data" / "crows_pairs" / "crows_pairs_anonymized.csv").open("w", newline="") as file:
        head = ("", "sent_more", "sent_less", "stereo_antistereo", "bias_type")
        csv.writer(file).writerows([head, *pairs])
    return place


@pytest.fixture(scope="module")
def done(folder):
    return audit(folder / "audit.yaml", out=folder / "runs", options=Options(data=folder / "data"))


def test_what_was_planted_is_found_in_the_teacher(done):
    found = {(f.question, f.measure, f.proxy_name): f for f in done.findings}
    shift = found["probes/women-and-men", "template_shift", "small"]
    assert shift.verdict is Verdict.FAILS
    assert shift.teacher.high < -0.05
    assert shift.teacher.n == 8
    assert {f.question for f in done.findings} == {
        "probes/women-and-men",
        "probes/crows",
        "probes/praise",
        "compare/fidelity",
    }
    praise = found["probes/praise", "template_failure_rate", "tree"]
    assert "that should be" in praise.sentence
    assert not done.failed


def test_no_more_is_asked_than_check_says(folder, done):
    lines = {line.what: line.rows for line in price(read_plan(folder / "audit.yaml"), folder / "data").lines}
    assert lines["probes/women-and-men (templates) on the pool"] == 400
    assert lines["probes/crows (templates) on the pool"] == 40
    assert lines["probes/praise (templates) on the pool"] == 15
    assert done.asked <= sum(lines.values())


def test_the_report_tells_texts_units_and_criticism(done):
    told = render(compose(read(done.path))).decode().replace("\\", "")
    assert "Blodgett and others (2021)" in told
    assert "the template is the unit" in told
    assert "8 templates are few" in told
    assert "Texts with women instead of men get a score" in told
    assert "Such as:" in told


def test_a_second_audit_asks_nothing_and_finds_the_same(folder, done):
    again = audit(folder / "audit.yaml", out=folder / "runs", options=Options(data=folder / "data"))
    assert again.new == 0
    names = sorted(p.relative_to(done.path) for p in (done.path / "evidence").iterdir())
    assert names
    for name in ("findings.json", *names):
        assert (again.path / name).read_bytes() == (done.path / name).read_bytes()


def test_a_probe_of_the_plan_runs_alone_in_pipelines(folder, done, monkeypatch):
    monkeypatch.setenv("KDAUDIT_DATA", str(folder / "data"))
    call = ["probe", str(folder / "audit.yaml"), "--only", "women-and-men", "--out", str(folder / "runs")]
    assert code_of(call) == 1


def test_without_its_corpus_nothing_is_asked_and_nothing_left_behind(folder):
    with pytest.raises(InvalidInput, match="crows_pairs"):
        audit(folder / "audit.yaml", out=folder / "none")
    assert not list((folder / "none").glob("0*"))
