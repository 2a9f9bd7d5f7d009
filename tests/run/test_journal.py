"""A finished step stays finished, as long as its files are what they were."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest

from kdaudit.errors import BrokenRun
from kdaudit.run.journal import Journal


def test_finished_steps_survive_and_unfinished_ones_are_not_there(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    (tmp_path / "y").write_bytes(b"2")
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal.finished("one") is None
        journal.finish("one", ["a/x", tmp_path / "y"])
        journal.finish("empty")
    with Journal(tmp_path / "journal.sqlite") as journal:
        digests = {"a/x": hashlib.sha256(b"1").hexdigest(), "y": hashlib.sha256(b"2").hexdigest()}
        assert journal.finished("one") == digests and journal.finished("empty") == {}


def test_a_step_whose_files_changed_is_done_again(tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.finish("one", ["x"])
        (tmp_path / "x").write_bytes(b"2")
        assert journal.finished("one") is None
        journal.finish("one", ["x"])
        assert journal.finished("one") is not None
        (tmp_path / "x").unlink()
        assert journal.finished("one") is None
        with pytest.raises(FileNotFoundError):
            journal.finish("two", ["x"])
        with pytest.raises(ValueError, match="not in the subpath"):
            journal.finish("two", [tmp_path.parent / "z"])
        assert journal.finished("two") is None


def test_commits_are_on_disk_when_they_return(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        journal.finish("one")
        other = sqlite3.connect(tmp_path / "journal.sqlite")
        assert other.execute("SELECT step FROM steps").fetchall() == [("one",)]
        other.close()


def test_a_broken_journal_says_how_to_go_on(tmp_path):
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(BrokenRun, match="delete it and resume"):
        Journal(tmp_path / "journal.sqlite")
