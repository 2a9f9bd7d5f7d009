"""A run comes back typed, and what is no run says so."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.finding import Verdict
from kdaudit.run.reading import read, runs_in


def test_everything_is_read_typed(run):
    found = read(run)
    assert found.plan == {"title": "a plan", "seed": 3} and found.environment == {"python": "3"}
    assert found.findings[0].verdict is Verdict.UNDECIDED and found.findings[0].teacher.n == 800
    assert list(found.evidence) == ["probes.parity.list", "probes.parity.tree"]
    assert found.evidence["probes.parity.tree"].row("agreement", "all", "teacher-proxy").control.value == 0.7
    assert list(found.cards) == ["tree", "list"] and list(found.rules) == ["tree"]
    assert found.rules["tree"].rules[0].score == (0.25,)
    assert found.manifest["status"] == "complete"


def test_an_unfinished_run_is_read_as_far_as_it_is(run):
    for name in ("manifest.json", "account.json", "findings.json", "environment.json"):
        (run / name).unlink()
    found = read(run)
    assert (found.manifest, found.account, found.findings, found.environment) == (None, {}, (), {})
    assert list(found.cards) == ["list", "tree"]


@pytest.mark.parametrize("name", ["account.json", "findings.json", "environment.json"])
def test_a_complete_run_that_lacks_a_file_is_broken(run, name):
    (run / name).unlink()
    with pytest.raises(BrokenRun, match=name):
        read(run)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("findings.json", '{"schema": 2, "findings": []}', "has schema 2; this version reads schema 1"),
        ("findings.json", '{"schema": 1, "findings": [{}]}', "holds no findings"),
        ("findings.json", '{"schema": 1, "findings": 3}', "holds no findings"),
        ("findings.json", "[]", "an object was expected"),
        ("account.json", "3", "an object was expected"),
        ("proxies/tree/rules.json", "{}", "rules of format None"),
        ("proxies/tree/card.json", "{", "is no JSON"),
        ("evidence/probes.parity.tree.json", '{"schema": 9}', "schema 9"),
        ("evidence/probes.parity.tree.json", "[]", "schema None"),
    ],
)
def test_what_cannot_be_read_is_named(run, name, text, words):
    (run / name).write_text(text)
    with pytest.raises(BrokenRun, match=f"{name.split('/')[-1]}.*{words}|{words}"):
        read(run)


def test_what_is_no_run_says_so(tmp_path):
    with pytest.raises(InvalidInput, match="is no folder"):
        read(tmp_path / "x")
    with pytest.raises(InvalidInput, match="is no run folder"):
        read(tmp_path)


def test_runs_are_listed_newest_first_and_other_folders_are_not(run):
    older = run.parent / ("0" + run.name[1:-1] + "0")
    shutil.copytree(run, older)
    (run.parent / "answers").mkdir()
    (run.parent / "notes.txt").write_text("")
    assert runs_in(run.parent) == tuple(sorted((run, older), reverse=True))
    assert runs_in(run.parent / "nowhere") == ()


def test_reading_needs_no_torch(run):
    code = (
        "import sys, pathlib\nfrom kdaudit.run.reading import read\nread(pathlib.Path(sys.argv[1]))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(run)], check=True)
