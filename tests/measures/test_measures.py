"""Measures against their formulas written out row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdaudit.errors import InvalidAnswers, InvalidInput
from kdaudit.measures.agreement import AGREEMENT
from kdaudit.measures.calibration import BRIER
from kdaudit.measures.divergence import FLOOR, KL, LARGEST, SCORE_ERROR
from kdaudit.measures.named import MEASURES, measure
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers


def answers(score, failed=()):
    return Answers({SCORE: np.asarray(score, dtype=np.float64)}, dict.fromkeys(failed, "no answer"))


def classes(n, k, seed):
    raw = np.random.default_rng(seed).dirichlet(np.ones(k), n)
    return raw / raw.sum(axis=1, keepdims=True)


yes = st.integers(1, 30).flatmap(lambda n: arrays(np.float64, (n, 1), elements=st.floats(0, 1)))


def textbook_kl(p, q):
    total = 0.0
    for a, b in zip(p, q, strict=True):
        if a > 0:
            total += a * math.log(a / b)
    return total


@given(st.integers(0, 50))
@settings(max_examples=15)
def test_kl_is_the_textbook_sum_for_several_classes(seed):
    p, q = classes(7, 4, seed), classes(7, 4, seed + 1000)
    got = KL.function(answers(p), answers(q))
    assert np.allclose(got, [textbook_kl(a, b) for a, b in zip(p, q, strict=True)], atol=1e-5)


def test_kl_of_one_output_is_that_of_the_pair():
    p, q = np.array([[0.2], [0.9], [0.5]]), np.array([[0.3], [0.6], [0.5]])
    expected = [textbook_kl((a, 1 - a), (b, 1 - b)) for a, b in zip(p[:, 0], q[:, 0], strict=True)]
    assert np.allclose(KL.function(answers(p), answers(q)), expected, atol=1e-9)


@given(yes)
def test_kl_is_exactly_nothing_for_equal_scores_and_never_negative(score):
    assert (KL.function(answers(score), answers(score)) == 0).all()
    other = np.random.default_rng(0).random(score.shape)
    both = KL.function(answers(score), answers(other))
    assert (both >= 0).all()
    assert (both <= LARGEST + 1e-6).all()


def test_kl_of_sure_and_wrong_is_finite():
    worst = KL.function(answers([[1.0]]), answers([[0.0]]))[0]
    assert worst == pytest.approx(-math.log(FLOOR), rel=1e-3)


@given(yes)
def test_agreement_is_symmetric_and_whole_with_oneself(score):
    a, b = answers(score), answers(1 - score)
    assert (AGREEMENT.function(a, a) == 1).all()
    assert np.array_equal(AGREEMENT.function(a, b), AGREEMENT.function(b, a))


def test_agreement_counts_decisions_not_scores():
    a, b = answers([[0.51], [0.49], [0.9]]), answers([[0.99], [0.51], [0.6]])
    assert AGREEMENT.function(a, b).tolist() == [1, 0, 1]


def test_labels_alone_have_an_agreement():
    a = Answers({LABEL: np.array([0, 1, 2])})
    b = Answers({LABEL: np.array([0, 2, 2])})
    assert AGREEMENT.function(a, b).tolist() == [1, 0, 1]


@given(yes)
def test_brier_is_least_for_a_score_that_is_the_decision(score):
    teacher = answers(score)
    sure = answers((score > 0.5).astype(float))
    assert (BRIER.function(teacher, sure) == 0).all()
    expected = [(s - (1.0 if s > 0.5 else 0.0)) ** 2 for s in score[:, 0]]
    assert np.allclose(BRIER.function(teacher, teacher), expected)


def test_brier_of_classes_is_against_the_one_hot_decision():
    teacher, other = answers([[0.2, 0.7, 0.1]]), answers([[0.5, 0.3, 0.2]])
    assert BRIER.function(teacher, other)[0] == pytest.approx(0.5**2 + (0.3 - 1) ** 2 + 0.2**2)


def test_score_error_is_the_mean_absolute_difference():
    assert SCORE_ERROR.function(answers([[0.2], [0.9]]), answers([[0.5], [0.7]])).tolist() == pytest.approx([0.3, 0.2])


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_failed_row_has_no_value(name):
    score = np.array([[0.2], [np.nan], [0.7], [0.4]])
    got = measure(name).function(answers(score, failed=[1]), answers(np.array([[0.3], [0.1], [np.nan], [0.4]]), [2]))
    assert np.isnan(got).tolist() == [False, True, True, False]


@pytest.mark.parametrize("name", list(MEASURES))
def test_answers_to_other_rows_are_refused(name):
    with pytest.raises(InvalidAnswers, match="same rows"):
        measure(name).function(answers([[0.2]]), answers([[0.2], [0.3]]))


def test_an_unknown_measure_names_those_that_there_are():
    with pytest.raises(InvalidInput, match="agreement, kl"):
        measure("accuracy")
