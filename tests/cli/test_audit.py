"""The main job at the command line: what it leaves, what it says, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kdaudit.cli.main import code_of
from kdaudit.digest import of_file


def evidence(run: Path) -> dict[str, str]:
    files = [*(run / "evidence").iterdir(), *run.rglob("proxies/*/*.json"), run / "findings.json", run / "account.json"]
    return {file.relative_to(run).as_posix(): of_file(file) for file in files}


def test_two_runs_give_the_same_bytes_and_the_second_asks_nothing(case, capfd):
    assert code_of(case.arguments("--json")) == 0
    first = json.loads(capfd.readouterr().out)
    assert code_of(case.arguments("--json")) == 0
    second = json.loads(capfd.readouterr().out)
    assert first["new"] == first["asked"] == second["asked"] > 0
    assert second["new"] == 0
    assert first["findings"] == second["findings"]
    one, two = case.runs
    assert evidence(one) == evidence(two)
    text = (one / "findings.json").read_text() + (one / "account.json").read_text()
    assert str(case.folder) not in text and one.name not in text


def test_the_verbs_work_on_what_was_left(case, capfd):
    assert code_of(case.arguments()) == 0
    said = capfd.readouterr().out
    (run,) = case.runs
    assert "Is the scorer fair?" in said and "Questions to the teacher" in said and "How far the proxies" in said
    for name in ("report.html", "report.json", "report.md"):
        assert (run / "report" / name).stat().st_size > 1000
    assert code_of(["verify", str(run)]) == 0
    capfd.readouterr()
    assert code_of(["show", str(run)]) == 0
    assert capfd.readouterr().out.strip() in said
    assert code_of(["show", str(run), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["findings"]
    assert code_of(["ls", str(case.out)]) == 0
    assert "complete" in capfd.readouterr().out
    before = of_file(run / "report" / "report.html")
    assert code_of(["report", str(run), "--format", "html"]) == 0
    assert of_file(run / "report" / "report.html") == before
    assert code_of(["check", str(case.plan)]) == 0
    assert "questions at most" in capfd.readouterr().out


def test_check_writes_nothing_and_runs_no_code(case, capfd):
    case.teacher("raise SystemExit('ran')")
    before = sorted(case.folder.rglob("*"))
    assert code_of(["check", str(case.plan)]) == 0
    assert sorted(case.folder.rglob("*")) == before
    assert "--allow-code" in capfd.readouterr().out


def test_every_number_of_a_run_has_an_interval_and_a_control_or_a_reason(case):
    from kdaudit.run.reading import read

    assert code_of(case.arguments()) == 0
    (path,) = case.runs
    run = read(path)
    rows = [row for one in run.evidence.values() for row in one.rows]
    assert len(rows) > 20
    for row in rows:
        assert row.value.known or row.value.method, row
        assert row.control is not None or row.no_control, row
        assert row.ceiling is not None or row.no_ceiling, row
    assert all(finding.sentence and finding.repeat for finding in run.findings)


def test_a_flipped_byte_is_found(case, capfd):
    assert code_of(case.arguments()) == 0
    (run,) = case.runs
    file = next((run / "evidence").glob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    assert code_of(["verify", str(run)]) == 5
    assert file.name in capfd.readouterr().err
    assert code_of(["report", str(run)]) == 5


def test_a_budget_that_ends_early_leaves_undecided_with_the_rows_needed(case, capfd):
    # enough for the proxies and their judging, and for nothing else
    assert code_of(case.arguments("--json", "--set", "budget.questions=485")) == 4
    found = json.loads(capfd.readouterr().out)
    assert found["failed"] == ["probes/sex", "probes/flip"]
    unasked = [f for f in found["findings"] if f["question"].startswith("probes/")]
    assert {f["verdict"] for f in unasked} == {"UNDECIDED"}
    assert all(f["needed"] > 0 and f["reason"] for f in unasked)
    (run,) = case.runs
    assert json.loads((run / "manifest.json").read_text())["status"] == "partial"
    assert code_of(["verify", str(run)]) == 0


def test_a_budget_that_is_short_asks_fewer_rows(case, capfd):
    assert code_of(case.arguments("--json", "--set", "budget.questions=550")) in (0, 4)
    found = json.loads(capfd.readouterr().out)
    sex = [f for f in found["findings"] if f["question"] == "probes/sex"]
    assert 30 <= sex[0]["asked"] < 100
    assert found["asked"] <= 550


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed: 5", "sede: 5", "audit.yaml:2:1: unknown key 'sede'; did you mean 'seed'?"),
        ("seed: 5", "seed: 5\nseed: 6", "stands twice"),
        ("name: hours,", "name: ours,", "'ours'"),
        ("levels: [female, male]", "levels: [female]", "male"),
        ("low: 18", "low: 30", "age"),
        ("fit: 200", "fit: 20000", "20,?000"),
        ("label: above", "label: over", "over"),
        ("file: rows.csv", "file: nothing.csv", "nothing.csv"),
        ("field: sex, questions", "field: race, questions", "race"),
        ("field: sex, questions", "field: sex, given: job, questions", "there is no field 'job'"),
        ("level: female, other: male", "level: woman, other: male", "woman"),
        ("outputs: [above]", "outputs: [below, above, beyond]", "."),
        ("leaves: 4", "leaves: 0", "at least one leaf"),
        ("samples:", "  constraints: [hours < 79]\nsamples:", "breaks the domain's constraint 'hours < 79'"),
        ("samples:", "  constraints: [houres < 79]\nsamples:", "there is no field 'houres'"),
        ("samples:", "  constraints: hours\nsamples:", "a list of conditions was expected"),
    ],
)
def test_a_wrong_plan_gets_one_sentence_and_leaves_nothing(case, capfd, old, new, words):
    import re

    case.change(old, new)
    code = code_of(case.arguments())
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert code == 2, said
    assert re.search(words, said), said
    assert case.runs == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return np.full(len(frame), np.nan)", "answered none of 200 rows"),
        ("return np.full(len(frame), 1.5)", "from 0 to 1"),
        ("return np.full(len(frame) - 1, 0.5)", "rows"),
        ("return np.full((len(frame), 2), 0.7)", "."),
        ("return ['a'] * len(frame)", "."),
        ("raise ValueError('no model')", "no model"),
    ],
)
def test_a_teacher_that_answers_nonsense_is_refused_in_one_sentence(case, capfd, body, words):
    import re

    case.teacher(body)
    code = code_of(case.arguments("--allow-code"))
    said = capfd.readouterr().err.strip().splitlines()[-1]
    assert code == 2, said
    assert re.search(words, said), said
    assert case.runs == []


def test_code_of_a_plan_runs_only_when_allowed(case, capfd):
    case.teacher("return np.full(len(frame), 0.5)")
    assert code_of(case.arguments()) == 2
    assert "--allow-code" in capfd.readouterr().err
    assert case.runs == []


def test_a_teacher_that_moved_begins_a_new_epoch_and_the_report_says_so(case, capfd):
    body = "return 1 / (1 + np.exp(-(frame['age'].to_numpy() - 50) / {}))"
    read = "from pathlib import Path\n    s = float(Path(__file__).with_name('slope').read_text())\n    "
    case.teacher(read + body.format("s"))
    (case.folder / "slope").write_text("10")
    assert code_of(case.arguments("--allow-code")) == 0
    (case.folder / "slope").write_text("3")
    capfd.readouterr()
    assert code_of(case.arguments("--allow-code", "--json")) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["new"] == found["asked"]
    account = json.loads((case.runs[-1] / "account.json").read_text())
    assert account["epoch"]["moved"]
    assert account["epoch"]["sentence"] in (case.runs[-1] / "report" / "report.md").read_text().replace("\\", "")


def test_a_teacher_that_moved_before_a_resume_stops_it(case, capfd):
    from kdaudit.auditing.audits import Options, audit
    from kdaudit.errors import Cancelled

    read = "from pathlib import Path\n    s = float(Path(__file__).with_name('slope').read_text())\n    "
    case.teacher(read + "return 1 / (1 + np.exp(-(frame['age'].to_numpy() - 50) / s))")
    (case.folder / "slope").write_text("10")

    def stop(words: str) -> None:
        if words.startswith("probes/"):
            raise Cancelled("stopped by the test")

    with pytest.raises(Cancelled):
        audit(case.plan, out=case.out, options=Options(allow_code=True, tell=stop))
    (case.folder / "slope").write_text("3")
    assert code_of(case.arguments("--allow-code", "--resume")) == 5
    assert "answers otherwise" in capfd.readouterr().err
    # nothing is lost: with the teacher of before it goes on
    (case.folder / "slope").write_text("10")
    assert code_of(case.arguments("--allow-code", "--resume")) == 0
    assert len(case.runs) == 1


def test_a_pickled_model_is_refused(case, capfd):
    import pickle

    (case.folder / "model").mkdir()
    (case.folder / "model" / "model.safetensors").write_bytes(pickle.dumps({"a": 1}))
    (case.folder / "model" / "arch.json").write_text("{}")
    case.change("kind: trained, part: teacher, hidden: [4], steps: 40", "kind: torch, path: model")
    assert code_of(case.arguments()) == 2
    assert len(capfd.readouterr().err.strip().splitlines()[-1]) > 40
    assert case.runs == []


def test_a_stopped_audit_says_how_to_go_on(case):
    case.teacher("import time\n    time.sleep(0.4)\n    return frame['age'].to_numpy() / 100")
    command = [sys.executable, "-m", "kdaudit", *case.arguments("--allow-code")]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env) as child:
        for line in child.stderr:
            if "distilling" in line:
                break
        time.sleep(0.3)
        child.send_signal(signal.SIGTERM)
        rest = child.stderr.read()
    assert child.returncode == 3, rest
    assert f"kdaudit audit {case.plan} --out {case.out} --resume --allow-code" in rest
    assert code_of(case.arguments("--allow-code", "--resume")) == 0
    assert len(case.runs) == 1
    assert code_of(["verify", str(case.runs[0])]) == 0


def test_resuming_what_is_not_there_is_refused(case, capfd):
    assert code_of(case.arguments("--resume")) == 2
    assert "no unfinished run" in capfd.readouterr().err


def test_usage_faults_are_2(capfd):
    assert code_of(["audit"]) == 2
    assert code_of(["nothing"]) == 2
    assert code_of(["audit", "no.yaml"]) == 2
    assert code_of(["show", "no-run"]) == 2
    assert code_of(["ls", "no-folder"]) == 2
    assert code_of(["--version"]) == 0
    assert code_of(["doctor"]) == 0


def test_init_writes_a_plan_once(tmp_path, capfd):
    file = tmp_path / "audit.yaml"
    assert code_of(["init", str(file)]) == 0
    assert code_of(["init", str(file)]) == 2
    assert code_of(["init", str(tmp_path / "b.yaml"), "--template", "tabuler"]) == 2
    assert "did you mean 'tabular'" in capfd.readouterr().err
