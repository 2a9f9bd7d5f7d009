"""Files are there whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kdaudit import durable
from kdaudit.durable import write_durably

WRITER = """
import sys
from pathlib import Path
from kdaudit.durable import write_durably
letter = 0
while True:
    write_durably(Path(sys.argv[1]), bytes([97 + letter]) * 300_000)
    letter = (letter + 1) % 26
"""


def test_a_file_is_written_with_its_folders_replaced_and_readable_by_others(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    write_durably(path, b"old")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new" and [p.name for p in path.parent.iterdir()] == ["file"]
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("fails", ["fsync", "fdopen"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(fails, tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_durably(path, b"old")

    def full(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(durable.os, fails, full)
    with pytest.raises(OSError, match="disk full"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file"
    for start in range(6):
        write_durably(path, b"-")
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
            while path.read_bytes() == b"-":
                assert writer.poll() is None
            for _ in range(50 * start):  # another moment each time
                path.read_bytes()
            writer.kill()
        data = path.read_bytes()
        assert len(data) == 300_000 and len(set(data)) == 1
