"""A search that dies between two trials goes on where it was, and the run ends in the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("optuna")


@pytest.mark.slow
def test_a_search_killed_in_the_middle_ends_in_the_same_bytes(tmp_path):
    script = Path(__file__).with_name("killing_searches.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout)["kills"]
    # it died in the middle: some trials were told, not all five
    assert all(2 <= kill["left"] < 5 for kill in kills), kills
    assert all(kill["resumed"] and kill["differs"] == [] and kill["benches"] == [] for kill in kills), kills
