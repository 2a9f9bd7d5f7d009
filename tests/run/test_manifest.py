"""Whatever is done to a sealed run is found and named."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from kdaudit.digest import of_data, of_file
from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.run.files import json_bytes
from kdaudit.run.folder import RunFolder
from kdaudit.run.journal import Journal
from kdaudit.run.manifest import Problem, seal, seal_report, verify


def names_of(problems) -> list[str]:
    return [problem.file for problem in problems]


def test_a_run_as_sealed_has_no_problems_and_its_manifest_lists_its_files(run):
    assert verify(run) == ()
    content = json.loads((run / "manifest.json").read_text())
    own = {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()}
    apart = {"manifest.json", "run.lock"} | {name for name in own if name.startswith("report/")}
    assert set(content["files"]) == own - apart and content["status"] == "complete"


def test_a_flipped_bit_in_any_file_is_named(run):
    rng, seen = np.random.default_rng(0), 0
    for path in sorted(run.rglob("*")):
        if not path.is_file() or path.name == "run.lock":
            continue
        data = path.read_bytes()
        for at in {0, len(data) - 1, *rng.integers(len(data), size=6).tolist()}:
            flipped = bytearray(data)
            flipped[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            assert path.relative_to(run).as_posix() in names_of(verify(run)), (path, at)
            seen += 1
        path.write_bytes(data)
    assert seen > 80 and verify(run) == ()


def test_every_bit_of_the_manifest_counts(run):
    path = run / "manifest.json"
    data = path.read_bytes()
    for at in range(0, len(data), 5):
        path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        assert "manifest.json" in names_of(verify(run)), (at, data[at - 20 : at + 20])


def test_a_manifest_that_says_the_same_in_other_bytes_is_named(run):
    path = run / "manifest.json"
    content = json.loads(path.read_text())
    for text in (json.dumps(content), path.read_text() + "\n", path.read_text().replace("  ", "\t", 1)):
        path.write_text(text)
        assert names_of(verify(run)) == ["manifest.json"]


def test_missing_added_cut_and_moved_files_are_named(run):
    (run / "plan.json").unlink()
    (run / "evidence" / "extra.json").write_text("{}")
    (run / "proxies" / "tree" / "card.json").write_bytes(b"")
    (run / "report" / "report.html").rename(run / "report" / "other.html")
    os.mkfifo(run / "pipe")
    assert [(p.file, p.what.split(":")[0].split(";")[0]) for p in verify(run)] == [
        ("evidence/extra.json", "is not listed in manifest.json"),
        ("pipe", "is neither a file nor a folder"),
        ("plan.json", "is missing"),
        ("proxies/tree/card.json", "was changed"),
        ("report/other.html", "is not listed in report/manifest.json"),
        ("report/report.html", "is missing"),
    ]


def test_links_are_named_and_not_followed(run, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(run / "proxies", outside)
    shutil.rmtree(run / "proxies")
    (run / "proxies").symlink_to(outside)
    (run / "reviews").mkdir()
    (run / "reviews" / "1.json").symlink_to(run / "plan.json")
    problems = {p.file: p.what for p in verify(run)}
    assert "outside the run" in problems["proxies"] and "inside the run" in problems["reviews/1.json"]
    assert "is missing" in problems["proxies/tree/card.json"]
    with pytest.raises(BrokenRun, match="proxies: is a link"):
        seal(RunFolder(run), "complete")


@pytest.mark.parametrize("name", ["../secret", "/etc/hosts", "a/../../secret", "..\\secret", "C:secret", "./x", "a//b"])
def test_a_name_that_leads_out_is_named_and_nothing_is_read_there(run, name, monkeypatch):
    (run.parent / "secret").write_text("secret")
    content = json.loads((run / "manifest.json").read_text())
    content["files"][name] = {"bytes": 6, "sha256": "0" * 64}
    content["digest"] = of_data({k: v for k, v in content.items() if k != "digest"})
    (run / "manifest.json").write_bytes(json_bytes("", content))

    def inside(path):
        assert path.resolve().is_relative_to(run.resolve())
        return of_file(path)

    monkeypatch.setattr("kdaudit.run.manifest.of_file", inside)
    assert [p for p in verify(run) if "lead out" in p.what] == [
        Problem(name, "is listed in manifest.json and would lead out of the run folder")
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"schema": 1}', '{"schema": 1, "files": {"a": 3}, "digest": "", "status": ""}']
)
def test_what_is_no_manifest_is_named(run, text):
    (run / "manifest.json").write_text(text)
    assert names_of(verify(run)) == ["manifest.json"]


def test_a_run_without_seal_and_a_report_without_seal(run):
    (run / "report" / "manifest.json").unlink()
    assert [str(p) for p in verify(run)] == [
        "report/manifest.json: is missing: this was never sealed, or its seal was taken away"
    ]
    shutil.rmtree(run / "report")
    assert verify(run) == ()
    (run / "manifest.json").unlink()
    assert names_of(verify(run)) == ["manifest.json"]
    with pytest.raises(InvalidInput, match="is no folder"):
        verify(run / "nowhere")


def test_the_report_may_be_drawn_again(run):
    folder = RunFolder(run)
    folder.write_bytes("report/report.md", b"# again")
    assert names_of(verify(run)) == ["report/report.md"]
    seal_report(folder)
    assert verify(run) == ()


def test_the_journal_is_gone_when_sealed_and_sealing_twice_gives_the_same_bytes(run):
    first = (run / "manifest.json").read_bytes()
    with Journal(run / "journal.sqlite") as journal:
        journal.finish("one", ["plan.json"])
        seal(RunFolder(run), "complete")
    assert not list(run.glob("journal*")) and (run / "manifest.json").read_bytes() == first
    seal(RunFolder(run), "partial")
    assert json.loads((run / "manifest.json").read_text())["status"] == "partial" and verify(run) == ()


def test_a_run_may_be_moved(run, tmp_path):
    shutil.move(run, tmp_path / "elsewhere")
    assert verify(tmp_path / "elsewhere") == ()


def test_names_are_printed_without_control_characters():
    assert str(Problem("a\x1b[2J", "is new")) == "'a\\x1b[2J': is new"
