"""The case study of a student that reads words where its teacher sees a picture does what its text says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "case_studies" / "digits" / "words.py"


@pytest.fixture(scope="module")
def words():
    spec = importlib.util.spec_from_file_location("words_of_digits", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["words_of_digits"] = module
    spec.loader.exec_module(module)
    return module


def test_words_name_the_squares_with_ink(words):
    rows = words.paired()
    picture, told = rows.columns["digit"][5, 0], set(rows.columns["told"][5].split())
    for row in range(8):
        for column in range(8):
            assert (f"{'abcdefgh'[column]}{row + 1}" in told) == (picture[row, column] > words.INK)


def test_a_few_steps_give_evidence_beside_a_control(words):
    found = words.student(embeddings=True, steps=5)
    row = found.answers.row("agreement", "all", "proxy")
    assert row.value.known
    assert row.control.known
    assert row.control_kind == "strangers_proxy"
    assert found.layers.row("cka", "all", "proxy").control.known


@pytest.mark.slow
def test_learning_vectors_of_pictures_brings_those_of_words_nearer(words):
    for seed in (0, 1):
        plain, learned = (words.student(embeddings=learns, seed=seed) for learns in (False, True))
        alike = [found.layers.row("cka", "all", "proxy").value for found in (plain, learned)]
        assert alike[1].low > alike[0].high
        assert alike[1].value > alike[0].value + 0.08
        for found in (plain, learned):
            assert found.answers.row("agreement", "all", "proxy").value.low > 0.8
