"""Does a student that several processes train together become the one that a single process trains?"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from kdaudit.distillation.processes import Accelerated, Alone, averaged, check_alike, level
from kdaudit.distillation.training import Lesson, Schedule, Told, Training
from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse

SCRIPT = Path(__file__).with_name("learn_together.py")


def start(folder, count, seed=1, steps=60):
    """Start processes that train together, and return how each ended."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    started = []
    for rank in range(count):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank)} | shared if count > 1 else {"OMP_NUM_THREADS": "1"}
        call = [sys.executable, str(SCRIPT), str(folder), str(steps), str(seed), "together" if count > 1 else "alone"]
        started.append(subprocess.Popen(call, env=os.environ | place, stderr=subprocess.PIPE, text=True))
    return [(one.communicate(timeout=240)[1], one.returncode) for one in started]


@pytest.mark.slow
def test_two_processes_train_the_student_that_one_trains(tmp_path):
    pytest.importorskip("accelerate")
    for name, count in (("one", 1), ("two", 2)):
        for told, code in start(tmp_path / name, count):
            assert code == 0, told
    one = load_file(tmp_path / "one" / "weights-0.safetensors")
    first, second = (load_file(tmp_path / "two" / f"weights-{rank}.safetensors") for rank in (0, 1))
    for key, value in one.items():
        assert torch.equal(first[key], second[key])
        torch.testing.assert_close(first[key], value, atol=2e-5, rtol=1e-4)
    # what the first of them left on disk is a training that two go on with, and no other number does
    again = start(tmp_path / "two", 2)
    assert [code for _, code in again] == [0, 0]
    told, code = start(tmp_path / "two", 1)[0]
    assert code != 0
    assert "differs in processes" in told


@pytest.mark.slow
def test_processes_that_begin_with_other_weights_are_refused(tmp_path):
    pytest.importorskip("accelerate")
    for told, code in start(tmp_path / "apart", 2, seed=-7, steps=3):
        assert code != 0
        assert "students of other weights" in told


class Two(Alone):
    """The second of two processes, of which the other has everything twice as large."""

    rank, count = 1, 2

    def mean(self, tensors):
        for tensor in tensors:
            tensor.mul_(1.5)


def test_means_are_over_all_processes():
    assert averaged((2.0, 4.0), Two()) == (3.0, 6.0)
    assert averaged((2.0, 4.0), Alone()) == (2.0, 4.0)
    norm = nn.BatchNorm1d(2)
    level([norm], Two())
    assert norm.running_var.tolist() == [1.5, 1.5]
    with pytest.raises(InvalidInput, match="students of other weights"):
        check_alike([nn.Linear(2, 2)], Two())


def test_a_process_sees_its_share_of_every_batch():
    rows = torch.arange(40.0).reshape(20, 2)
    reference = Reference.from_logits(torch.randn(20, 3), None, "probability")
    seen = []

    def teaching(inputs, chosen):
        seen.append((inputs, chosen))
        return Told(reference)(inputs, chosen)

    class Half(Alone):
        rank, count = 1, 2

    student = nn.Linear(2, 3)
    lesson = Lesson([student], parse("soft_targets(2)"), rows, teaching)
    whole = Lesson([nn.Linear(2, 3)], parse("soft_targets(2)"), rows, teaching)
    Training(lesson, Schedule(1, 7, 1e-2), 0, Half()).run()
    Training(whole, Schedule(1, 6, 1e-2), 0).run()
    (half, at), (_, every) = seen
    # a batch of 7 is cut to 6, which two can share
    assert torch.equal(at, every[1::2])
    assert torch.equal(half, rows[at])
    with pytest.raises(InvalidInput, match="2 processes share each batch of 1 rows"):
        Training(lesson, Schedule(1, 1, 1e-2), 0, Half())


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(InvalidInput, match="device 'cuda:9' cannot be used here"):
        Alone("cuda:9")
    with pytest.raises(InvalidInput, match="device 'gpu' cannot be used here"):
        Alone("gpu")


def test_without_accelerate_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(InvalidInput, match=r"kdaudit\[distributed\]"):
        Accelerated()
