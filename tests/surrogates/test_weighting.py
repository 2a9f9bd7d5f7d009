"""Rows that count for many: answers by a loop over weights, shares that add up, and a sample drawn askew set right."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.samples import concat
from kdaudit.signal import SCORE
from kdaudit.surrogates.lists import rule_list
from kdaudit.surrogates.targets import ask_for_targets
from kdaudit.surrogates.trees import tree
from kdaudit.surrogates.votes import RuleSet
from kdaudit.surrogates.weighting import _times, repeated


def heavy(samples, seed=0):
    return replace(samples, weights=np.random.default_rng(seed).integers(0, 5, len(samples)).astype(float))


def noisy(samples):
    hours, school = samples.columns["hours"], samples.columns["school"]
    wave = np.sin(hours * 12.9898 + samples.columns["sex"]) * 0.3
    return np.clip(0.2 + 0.005 * hours + 0.1 * school + wave, 0, 1)[:, None]


@given(st.lists(st.floats(0, 50), min_size=1, max_size=40).filter(lambda x: sum(x) > 1e-6), st.integers(1, 200))
def test_shares_add_up_and_are_off_by_less_than_one(weights, total):
    weights = np.array(weights)
    times = _times(weights, total)
    assert times.sum() == total
    assert (np.abs(times - weights / weights.sum() * total) < 1 + 1e-6).all()


def test_answers_are_weighted_means_of_the_rows_of_a_leaf(behaviour, draw_rows, answer_with):
    fit, select = heavy(draw_rows(600)), heavy(draw_rows(300, 1), 1)
    numbers = replace(behaviour, scale="value")
    found = tree(numbers, fit, answer_with(noisy), leaves=6, select=select, slack=0.0, rng=np.random.default_rng(0))
    # what is chosen is made again from all rows
    samples = concat([fit, select])
    which, score = found.rules.which(samples), noisy(samples)[:, 0]
    assert len(found.rules.rules) > 2
    for place, rule in enumerate(found.rules.rules):
        total = weight = 0.0
        n = 0
        for at in np.flatnonzero(which == place):
            total, weight, n = total + samples.weights[at] * score[at], weight + samples.weights[at], n + 1
        assert rule.score[0] == pytest.approx(total / weight)
        assert rule.n == n


def test_a_sample_drawn_askew_is_set_right(behaviour, draw_rows, answer_with):
    # the teacher says yes to women in the upper half of hours; the sample holds few women, each for ten
    everybody = draw_rows(4000, 3)
    drawn = np.random.default_rng(0).random(4000) < np.where(everybody.columns["sex"] == 0, 0.05, 0.5)
    askew = everybody.take(drawn)
    weighted = replace(askew, weights=np.where(askew.columns["sex"] == 0, 10.0, 1.0))
    ask = answer_with(lambda s: np.where((s.columns["sex"] == 0) & (s.columns["hours"] > 50), 0.9, 0.45)[:, None])
    truth = ask(everybody, (SCORE,)).score.mean()
    right = {}
    for name, rows in (("askew", askew), ("weighted", weighted)):
        numbers = replace(behaviour, scale="value")
        found = rule_list(numbers, rows, ask, rules=1, rng=np.random.default_rng(0))
        right[name] = float(found.rules.rules[0].score[0])
    assert right["weighted"] == pytest.approx(truth, abs=0.03)
    assert right["askew"] < right["weighted"] - 0.05


def test_sets_and_lists_take_weights(behaviour, draw_rows, planted_ask):
    parts = {"fit": heavy(draw_rows(300)), "select": heavy(draw_rows(150, 1))}
    teacher = type("Teacher", (), {"identity": None})()

    def ask(subject, samples, signals):
        return planted_ask(samples, signals)

    found = RuleSet(rules=5).make(behaviour, teacher, parts, ask, np.random.default_rng(0))
    assert found.rules.rules[-1].n == 450


def test_no_weights_change_nothing(behaviour, draw_rows, planted_ask):
    rows = ask_for_targets(behaviour, draw_rows(50), planted_ask)
    assert repeated(rows) is rows
    assert rows.weight is None


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_weights_that_weigh_nothing_are_refused(behaviour, draw_rows, planted_ask, bad):
    samples = replace(draw_rows(60), weights=np.full(60, bad))
    with pytest.raises(InvalidInput, match="sampling weights are finite"):
        tree(Behaviour("yes", ("yes",), behaviour.domain), samples, planted_ask, rng=np.random.default_rng(0))
