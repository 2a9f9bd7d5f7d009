"""Tests that miss their data sets are counted, and with ``--require-data`` they fail the run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os
import pytest

def test_fixture(data_folder):
    assert data_folder.is_dir()

@pytest.mark.data
def test_marked():
    if not os.environ.get("KDAUDIT_DATA"):
        pytest.skip("no folder")

def test_other():
    pytest.skip("no browser")
"""


@pytest.mark.parametrize(
    ("arguments", "data", "code", "counted"),
    [([], False, 0, True), (["--require-data"], False, 1, True), (["--require-data"], True, 0, False)],
)
def test_a_test_without_its_data_is_counted_or_fails(arguments, data, code, counted, tmp_path):
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = data\n")
    environment = {k: v for k, v in os.environ.items() if k != "KDAUDIT_DATA"}
    environment |= {"KDAUDIT_DATA": str(tmp_path)} if data else {}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("2 tests skipped for want of data: set KDAUDIT_DATA" in done.stdout) == counted
    assert ("this counts as failed" in done.stdout) == (code == 1)
