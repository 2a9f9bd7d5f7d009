"""Is a training that the system killed gone on with to the same bits?"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("learn_together.py")
STEPS = 3000


def start(folder):
    folder.mkdir(exist_ok=True)
    call = [sys.executable, str(SCRIPT), str(folder), str(STEPS), "1", "alone"]
    return subprocess.Popen(call, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True)


def finish(folder):
    process = start(folder)
    told = process.communicate(timeout=240)[1]
    assert process.returncode == 0, told
    return (folder / "weights-0.safetensors").read_bytes()


@pytest.mark.slow
def test_a_training_that_is_killed_ends_in_the_same_bytes(tmp_path):
    whole = finish(tmp_path / "whole")
    folder, reached = tmp_path / "killed", []
    for step in (200, 900):
        process = start(folder)
        deadline = time.monotonic() + 200
        while not any(int(p.stem.partition("-")[2]) >= step for p in folder.glob("training/training-*.safetensors")):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stderr.close()
        reached += [int(p.stem.partition("-")[2]) for p in folder.glob("training/training-*.safetensors")]
    assert 0 < min(reached) <= max(reached) < STEPS
    assert not (folder / "weights-0.safetensors").exists()
    assert finish(folder) == whole
