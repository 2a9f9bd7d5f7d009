"""One writer, whole files, names that stay inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.errors import BrokenRun, InvalidInput, KdauditError
from kdaudit.run.folder import LETTERS, RunFolder, is_id, new_id

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2500, 1, 1)), st.integers(0, 2**32))
def test_an_id_holds_its_time_and_its_chance(naive, seed):
    now = naive.replace(tzinfo=UTC)
    name = new_id(now, np.random.default_rng(seed))
    number = 0
    for letter in name:
        number = 32 * number + LETTERS.index(letter)
    assert len(name) == 26 and is_id(name)
    assert number >> 80 == int(now.timestamp() * 1000)
    assert number % 2**80 == int.from_bytes(np.random.default_rng(seed).bytes(10), "big")


def test_ids_sort_by_time_and_no_other_name_is_one():
    names = [new_id(NOW + timedelta(milliseconds=i), np.random.default_rng(99 - i)) for i in range(99)]
    assert names == sorted(names) and len(set(names)) == 99
    assert not any(map(is_id, ("", "answers", names[0].lower(), names[0] + "0", "8" + names[0][1:], names[0] + "\n")))


def test_two_runs_of_one_moment_get_two_folders(tmp_path):
    rng = np.random.default_rng(0)
    first = RunFolder.create(tmp_path / "new" / "runs", now=NOW, rng=rng)
    again = np.random.default_rng(0)  # begins with the name that is taken
    second = RunFolder.create(tmp_path / "new" / "runs", now=NOW, rng=again)
    assert first.path != second.path and first.path.is_dir() and second.path.is_dir()


def test_json_is_the_same_bytes_and_refuses_nan(folder):
    path = folder.write_json("a/b.json", {"b": [1.5, None], "a": "é"})
    assert path.read_bytes() == '{\n  "a": "é",\n  "b": [\n    1.5,\n    null\n  ]\n}\n'.encode()
    assert folder.read_json("a/b.json") == {"b": [1.5, None], "a": "é"}
    for bad in (float("nan"), float("inf"), {1, 2}, np.float32(1)):
        with pytest.raises(KdauditError, match=r"x\.json cannot be written as JSON"):
            folder.write_json("x.json", {"a": bad})
    assert not (folder.path / "x.json").exists()


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"\xff", b"[" * 100_000])
def test_broken_json_is_named(folder, text):
    folder.write_bytes("x.json", text)
    with pytest.raises(BrokenRun, match=r"x\.json is no JSON"):
        folder.read_json("x.json")


def test_a_missing_file_is_named(folder):
    with pytest.raises(BrokenRun, match=r"gone\.json cannot be read: No such file"):
        folder.read_json("gone.json")


@pytest.mark.parametrize(
    "name", ["", "../x", "/etc/x", "a/../x", "a//b", "./a", "a\\..\\b", "C:x", "a\0b", "a/", "x\n"]
)
def test_names_that_would_leave_the_folder_are_refused(folder, name):
    for do in (folder.read_bytes, lambda n: folder.write_bytes(n, b"")):
        with pytest.raises(KdauditError, match="no name for a file of a run"):
            do(name)


def test_links_are_not_followed(folder, tmp_path):
    (tmp_path / "outside").mkdir()
    (folder.path / "proxies").symlink_to(tmp_path / "outside")
    (folder.path / "plan.json").symlink_to(tmp_path / "outside" / "plan.json")
    for name in ("proxies/card.json", "plan.json"):
        with pytest.raises(BrokenRun, match="remove the link"):
            folder.write_bytes(name, b"{}")
    assert not list((tmp_path / "outside").iterdir())


def test_a_failed_write_leaves_the_old_file(folder, monkeypatch):
    folder.write_bytes("x", b"old")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            folder.write_bytes("x", b"new")
    assert [p.name for p in folder.path.iterdir()] == ["x"] and folder.read_bytes("x") == b"old"


def test_the_second_writer_is_told_who_the_first_is(folder):
    code = (
        "import sys, pathlib\nfrom kdaudit.run.folder import RunFolder\n"
        "with RunFolder(pathlib.Path(sys.argv[1])).lock():\n    print('held', flush=True)\n    sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(InvalidInput, match=f"pid {child.pid}") as error, folder:
            pass
        assert error.value.exit_code == 2
        child.kill()
        child.wait()
        # a dead writer holds nothing
        with folder, pytest.raises(InvalidInput, match=f"pid {os.getpid()}"), RunFolder(folder.path):
            pass
    finally:
        child.kill()
        child.communicate()
    assert not (folder.path / "run.pid").exists()


def test_what_a_killed_writer_left_is_swept(folder):
    (folder.path / "evidence").mkdir()
    for name in (".plan.json.abc.tmp", "evidence/.x.parquet.q_1.tmp"):
        (folder.path / name).write_bytes(b"half")
    folder.write_bytes("keep.tmp", b"")
    with folder:
        assert sorted(p.name for p in folder.path.rglob("*.tmp")) == ["keep.tmp"]


def test_the_log_is_a_line_an_entry(folder):
    folder.log(NOW, "first\nwith a break")
    folder.log(NOW, "second")
    lines = (folder.path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["words"] for line in lines] == ["first\nwith a break", "second"]
    assert json.loads(lines[0])["time"] == "2026-01-02T03:04:05.678+00:00"


def test_an_unsealed_run_may_be_discarded_and_a_sealed_one_may_not(folder, run):
    with folder:
        folder.discard()
    assert not folder.path.exists()
    with pytest.raises(KdauditError, match="is sealed"):
        RunFolder(run).discard()
    assert run.exists()


def test_open_says_what_is_no_run(tmp_path, run):
    assert RunFolder.open(run).sealed
    with pytest.raises(InvalidInput, match="is no folder"):
        RunFolder.open(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"holds no plan\.json"):
        RunFolder.open(tmp_path)
