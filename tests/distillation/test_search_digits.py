"""The search on real pictures: families of students, layers paired across them, and better than a guess."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.distillation.growing import Growing
from kdaudit.distillation.loop import Extras, Schedule, learn, recorded
from kdaudit.distillation.searching import Searching, distance
from kdaudit.networks.architectures import build
from kdaudit.store.answers import Store

pytest.importorskip("optuna")
_spec = importlib.util.spec_from_file_location("digits", Path(__file__).with_name("digits.py"))
digits = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(digits)
BEHAVIOUR = Behaviour("digit", digits.CLASSES, digits.DOMAIN)


@pytest.fixture(scope="module")
def teacher():
    return digits.trained(digits.pictures()[0].take(np.arange(600)), 48, 24)


@pytest.fixture(scope="module")
def parts():
    learn, judge = digits.pictures()
    return {"fit": learn.take(np.arange(400, 1000)), "select": judge.take(np.arange(360))}


def make(recipe, teacher, parts, seed=0):
    ask = BEHAVIOUR.through(Store().ask)
    return recipe.make(BEHAVIOUR, teacher, parts, ask, rng(seed, "search"))


def test_layers_of_a_cnn_learn_from_those_of_a_perceptron(teacher, parts):
    recipe = Searching(
        network="cnn", sizes=[[4], [4, 6]], terms=[], match=["similarity", "cka"], layers=["blocks.*"],
        teacher_layers=["0", "2"], trials=9, steps=6, batch=64, multiply_adds=60_000,
    )  # fmt: skip
    found = make(recipe, teacher, parts)
    tried = " ".join(point["plan"] for point in found.notes["search"])
    assert "network: cnn" in tried and found.architecture == "cnn" and not found.notes["without_student"]
    assert all(point["costs"]["multiply-adds"]["value"] <= 60_000 for point in found.notes["search"])
    made = Searching(network="transformer", sizes=[[8]], widths=[8, 16], trials=2, steps=3, batch=64)
    assert make(made, teacher, parts).architecture == "patch_transformer"
    grown = make(Growing(network="cnn", sizes=[[2], [4]], seeds=1, steps=3, batch=64), teacher, parts)
    assert grown.architecture == "cnn" and grown.shown[0].shows == "curve"


@pytest.mark.slow
def test_what_the_search_finds_is_nearer_than_a_guess(teacher, parts):
    """On rows that neither saw: the best of 20 policies against the policies that a search would begin with."""
    away = digits.pictures()[1].take(np.arange(360, 719))
    truth = recorded(teacher, away, Store().ask)
    gains = []
    for seed in range(4):
        found = make(Searching(sizes=[[16]], trials=20, steps=150, batch=64), teacher, parts, seed)
        guesses = []
        for trial in range(5):
            fit = recorded(teacher, parts["fit"], Store().ask)
            module = build(found.architecture, found.arguments, trial)
            goal, schedule = "soft_targets(2)", Schedule(150, 64, 3e-3)
            guess = learn(module, teacher, goal, fit, schedule, rng(trial, "guess"), Extras(encoding=found.encoding))
            guesses.append(distance(guess, truth))
        gains.append(np.mean(guesses) - distance(found, truth))
    assert min(gains) > 0, gains
