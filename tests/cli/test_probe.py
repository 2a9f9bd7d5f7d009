"""``kdaudit probe``: exit codes, JUnit, probe files."""

import shutil
from xml.etree import ElementTree

import pytest

from kdaudit.auditing.audits import read_plan
from kdaudit.cli.demo import PLANS
from kdaudit.cli.main import code_of
from kdaudit.digest import of_file
from kdaudit.errors import InvalidPlan
from kdaudit.report.document import Document
from kdaudit.report.junit import render

PLAN = """
title: Is it fair?
samples: {set: acs_income, parts: {teacher: 1500, fit: 500, select: 200, judge: 300, pool: 2000}}
teacher: {kind: trained, part: teacher, hidden: [8], steps: 60}
behaviours: [{name: above, outputs: [above]}]
proxies: [{name: tree, kind: tree, leaves: 8}]
compare: [{name: fidelity, kind: fidelity}]
probes:
  - {name: far, kind: parity, field: sex, reference: male, margin: 0.9, questions: 300}
  - {name: near, kind: parity, field: sex, reference: male, margin: 0.001, questions: 60}
  - file: own.probe.yaml
    margin: 0.02
budget: {questions: 3000}
"""
OWN = "kind: parity\nfield: sex\nreference: male\nmeasure: error_rate\nquestions: 200\n"


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "audit.yaml").write_text(PLAN)
    (tmp_path / "own.probe.yaml").write_text(OWN)
    return tmp_path / "audit.yaml"


def test_exit_codes_say_what_was_found(plan, tmp_path, capsys):
    out = tmp_path / "runs"
    assert code_of(["probe", str(plan), "--only", "far", "--out", str(out)]) == 0
    assert code_of(["probe", str(plan), "--only", "far", "--only", "near", "--out", str(out)]) in (1, 4)
    assert "JUnit" in capsys.readouterr().out
    files = sorted(out.glob("0*/report/report.junit.xml"))
    roots = [ElementTree.parse(file).getroot() for file in files]
    assert sorted(int(root.get("tests")) for root in roots) == [1, 2]
    assert sum(int(root.get("failures")) + int(root.get("errors")) for root in roots) == 1
    run = files[0].parents[1]
    assert code_of(["verify", str(run)]) == 0
    assert code_of(["report", str(run), "--format", "junit"]) == 0


def test_a_probe_file_stands_in_the_plan_with_its_digest(plan):
    read = read_plan(plan, only=())
    assert [item.key for item in read.questions] == ["probes/far", "probes/near", "probes/own"]
    own = read.questions[-1].recipe
    assert (own.measure, own.margin) == ("error_rate", 0.02)
    assert of_file(plan.parent / "own.probe.yaml") in read.source.text
    assert "file:" not in read.source.text.split("probes")[1]


@pytest.mark.parametrize(
    ("name", "part"),
    [("gone.probe.yaml", "no file"), ("own.yaml", "ends in"), ("../own.probe.yaml", "outside")],
)
def test_a_probe_file_that_does_not_fit_is_refused(plan, name, part):
    plan.write_text(PLAN.replace("file: own.probe.yaml", f"file: {name}"))
    with pytest.raises(InvalidPlan, match=part):
        read_plan(plan)


def test_unknown_probes_are_named(plan, capsys):
    assert code_of(["probe", str(plan), "--only", "nearr"]) == 2
    assert "did you mean 'near'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["groups", "counterfactual", "templates", "slices", "vulnerability"])
def test_init_writes_probe_files_that_a_plan_can_name(plan, tmp_path, monkeypatch, name, capsys):
    monkeypatch.chdir(tmp_path)
    assert code_of(["init", "--probe", name]) == 0
    assert (PLANS / f"{name}.probe.yaml").read_text() == (tmp_path / f"{name}.probe.yaml").read_text()
    plan.write_text(PLAN.replace("file: own.probe.yaml", f"file: {name}.probe.yaml"))
    assert len(read_plan(plan).questions) == 4
    written = (tmp_path / f"{name}.probe.yaml").read_text()
    more = [line.removeprefix("# - ").split("}")[0] + "}" for line in written.splitlines() if line.startswith("# - {")]
    plan.write_text(PLAN.replace("  - file: own.probe.yaml\n    margin: 0.02\n", "".join(f"  - {m}\n" for m in more)))
    assert len(read_plan(plan).questions) == 3 + len(more)
    if name != "templates":  # there, the plan has no texts
        assert code_of(["check", str(plan)]) == 0
    assert code_of(["init", "other.yaml", "--probe", "grops"]) == 2
    shutil.rmtree(tmp_path / "runs", ignore_errors=True)


def test_names_of_probe_files_go_in_either_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert code_of(["init", "--probe", "template"]) == 0
    assert (tmp_path / "templates.probe.yaml").is_file()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: parity\nfield: sexx\n", "sexx"),
        ("kind: flip\nfield: sex\nlevel: femal\nother: male\n", "femal"),
        ("kind: parity\nfield: sex\nreference: mail\n", "mail"),
        ("kind: slices\nfields: [ag]\n", "ag"),
        ("kind: situation\nfield: sex\nlevel: female\nother: male\nlike: [age, ours]\n", "'ours'"),
        ("kind: situation\nfield: sex\nlevel: female\nother: mole\nlike: [age]\n", "mole"),
        ("kind: flip\nfield: sex\nlevel: female\nother: male\ncompanions: [jobs]\n", "'jobs'"),
        ("kind: attack\nfields: [wages]\n", "wages"),
        ("kind: templates\ntemplates: ['{who} is here.']\n", "who"),
        (
            "kind: templates\ntemplates: ['{who} is.']\nslots: {who: {a: [x], b: [y]}}\nreference: a\n",
            "no field of texts",
        ),
    ],
)
def test_a_probe_file_about_what_the_plan_lacks_is_refused_by_check(plan, text, told, capsys):
    (plan.parent / "own.probe.yaml").write_text(text)
    plan.write_text(PLAN.replace("    margin: 0.02\n", ""))
    assert code_of(["check", str(plan)]) == 2
    assert told in capsys.readouterr().err


def test_junit_escapes_what_data_say():
    finding = {
        "question": "probes/<x>", "claim": "a & \x1b[31m", "proxy_name": "", "sentence": "s", "verdict": "UNDECIDED",
        "transfer": "UNDECIDED", "asked": 3, "needed": 70, "reason": "few", "repeat": "again",
    }  # fmt: skip
    root = ElementTree.fromstring(render(Document("t", "k", "l", (), {"findings": [finding]})))
    case = root.find("testsuite/testcase")
    assert case.get("classname") == "probes/<x>"
    assert "\x1b" not in case.get("name")
    assert "70" in case.find("error").text
