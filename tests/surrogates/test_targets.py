from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.surrogates.targets import Targets


def targets(score, label, rule=0.5):
    return Targets(SimpleNamespace(weights=None), np.asarray(score, float), np.asarray(label), False, rule, 0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30), st.floats(0.1, 0.9))
def test_an_answer_decides_like_most_rows_and_moves_no_further_than_the_rule(pairs, rule):
    score = np.array([[s] for s, _ in pairs])
    label = np.array([int(b) for _, b in pairs])
    given_ = targets(score, label, rule)
    (answer,) = given_.answer(np.arange(len(label)))
    mean = score.mean()
    if 2 * label.sum() != len(label):
        assert (answer > rule) == (2 * label.sum() > len(label))
    assert min(mean, rule) <= answer <= max(mean, np.nextafter(rule, 2))


@given(st.integers(2, 5), st.integers(1, 30), st.integers(0, 1000))
def test_with_several_classes_the_winner_wins_and_scores_sum_to_one(k, n, seed):
    rng = np.random.default_rng(seed)
    score, label = rng.dirichlet(np.ones(k), n), rng.integers(0, k, n)
    answer = np.array(targets(score, label).answer(np.arange(n)))
    counts = np.bincount(label, minlength=k)
    assert counts[answer.argmax()] == counts.max()
    assert answer.sum() == pytest.approx(1)
    assert answer.min() >= 0
