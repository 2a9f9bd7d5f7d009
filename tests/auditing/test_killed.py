"""A run that dies loses nothing: killed at random moments and resumed, it ends in the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

KILLS = 20


def test_a_killed_audit_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(KILLS), "11"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"undisturbed: {found['length']:.2f} s, {found['rows']} teacher rows")
    assert found["once"] == 1, "an undisturbed run asks a row twice"
    assert all(kill["resumed"] for kill in found["kills"]), done.stderr
    # what differs stands in the message, with the moment of its kill
    assert [(kill["moment"], kill["differs"]) for kill in found["kills"] if kill["differs"]] == []
    assert all(kill["all_asked"] for kill in found["kills"])
    assert all(kill["twice_outside_the_batch_in_flight"] == 0 for kill in found["kills"]), found["kills"]
    # the moments are worth something only if most of them fell into the run
    assert sum(kill["died"] for kill in found["kills"]) >= KILLS // 2
