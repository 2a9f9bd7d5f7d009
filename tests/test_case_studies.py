"""The bundled audit and the case studies do what their texts say."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.run.reading import read

ROOT = Path(__file__).parents[1]


def run_of(out: Path):
    (path,) = [path for path in out.glob("0*") if path.is_dir()]
    return read(path)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    assert code_of(["demo", "--out", str(out), "--json"]) == 0
    return run_of(out)


def test_the_demo_decides_within_its_budget(demo):
    about_people = [
        f for f in demo.findings if f.transfer != "NOT APPLICABLE" and f.group.split(":")[0] in ("sex", "race")
    ]
    decided = [f for f in about_people if f.verdict != "UNDECIDED" and f.transfer != "UNDECIDED"]
    assert len(about_people) >= 12
    assert len(decided) >= len(about_people) / 2
    assert all(0 < f.asked <= 1500 for f in about_people)
    assert demo.account["budget"]["used"] <= 12_000
    assert demo.account["budget"]["limit"] == 12_000


def test_the_demo_tells_what_the_teacher_really_does(demo):
    """Every answer of the demo's teacher is to be had: five of six intervals must hold the whole pool's value."""
    from kdaudit.auditing.audits import read_plan
    from kdaudit.auditing.casting import open_teachers
    from kdaudit.auditing.steps import load_parts
    from kdaudit.cli.demo import PLANS
    from kdaudit.measures.strata import stratify
    from kdaudit.signal import SCORE

    plan = read_plan(PLANS / "census.yaml")
    parts = load_parts(plan, None)
    teacher = open_teachers(plan, parts, allow_code=False).teacher
    pool = parts["pool"]
    label = teacher.answer(pool, {SCORE}).label
    held = []
    for finding in demo.findings:
        if finding.proxy_name != "student" or finding.measure != "selection_rate_difference":
            continue
        field = finding.group.split(":")[0]
        strata = stratify(pool, field, (30, 45, 60) if field == "age" else ())
        one, other = finding.group.split(": ")[1].split(" - ")
        truth = label[strata.rows(one)].mean() - label[strata.rows(other)].mean()
        held.append(finding.teacher.low <= truth <= finding.teacher.high)
    assert len(held) == 6
    assert sum(held) >= 5


def test_the_readme_of_the_bundled_case_says_what_the_scorer_does(demo):
    told = (ROOT / "case_studies/census/README.md").read_text(encoding="utf-8")
    student = [f for f in demo.findings if f.proxy_name == "student" and f.question.startswith("probes/")]
    assert len(student) == 10
    for finding in student:
        low, high = sorted(abs(100 * end) for end in (finding.teacher.low, finding.teacher.high))
        said = f"{abs(100 * finding.teacher.value):.1f}", f"({low:.1f} to {high:.1f})", f"| {finding.verdict} |"
        lines = [line for line in told.splitlines() if all(part in line for part in said)]
        assert len(lines) == 1, finding.found


def test_the_demos_report_opens_without_network_and_without_script(demo):
    page = (demo.path / "report" / "report.html").read_text(encoding="utf-8")
    html = unescape(page)
    assert "<script" not in page and "default-src 'none'" in html
    assert not re.search(r"(src|href)=[\"']?https?:", html)
    assert demo.account["title"] in html
    schema = json.loads((demo.path / "report" / "report.json").read_text(encoding="utf-8"))["schema"]
    assert schema == 1


@pytest.mark.data
@pytest.mark.slow
def test_credit_stays_undecided_on_much(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("KDAUDIT_DATA", str(data_folder))
    assert code_of(["audit", str(ROOT / "case_studies/credit/audit.yaml"), "--out", str(tmp_path), "--json"]) == 0
    run = run_of(tmp_path)
    student = [f for f in run.findings if f.proxy_name == "student" and f.transfer != "NOT APPLICABLE"]
    verdicts = {(f.question, f.measure): str(f.verdict) for f in student}
    assert verdicts == {
        ("probes/sex", "selection_rate_difference"): "FAILS",
        ("probes/same-term", "selection_rate_difference"): "FAILS",
        ("probes/alike", "situation_gap"): "FAILS",
        ("probes/sex-flip", "counterfactual_shift"): "UNDECIDED",
        ("probes/sex-flip", "counterfactual_flip_rate"): "UNDECIDED",
    }
    assert all(f.needed for f in student if f.question == "probes/sex-flip")
    told = (ROOT / "case_studies/credit/README.md").read_text(encoding="utf-8")
    for finding in student:
        value = f"{abs(finding.teacher.value) * 100:.1f}"
        assert value in told, f"{finding.measure}: the README does not say {value}"
