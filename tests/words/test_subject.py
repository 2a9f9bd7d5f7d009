"""Answers: scores, logits and labels follow from each other as the textbook says; wrong ones are refused in words."""

import warnings

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdaudit.errors import InvalidAnswers, NoSuchSignal
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers, Subject, check_answers, concat_answers

floats = st.floats(-800, 800, width=64)
one = arrays(np.float64, st.tuples(st.integers(1, 8), st.just(1)), elements=floats)
several = arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 5)), elements=floats)


@given(one)
def test_one_logit_gives_the_logistic(logit):
    answers = Answers({LOGIT: logit})
    np.testing.assert_allclose(answers.score, scipy.special.expit(logit), rtol=1e-12, atol=1e-300)
    assert answers.label.tolist() == [int(x > 0.5) for x in scipy.special.expit(logit)[:, 0]]
    assert answers.logit is logit


@given(several)
def test_several_logits_give_the_softmax(logit):
    answers = Answers({LOGIT: logit})
    np.testing.assert_allclose(answers.score, scipy.special.softmax(logit, axis=1), rtol=1e-11, atol=1e-300)
    assert answers.label.tolist() == [max(range(len(row)), key=row.__getitem__) for row in answers.score.tolist()]


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(1)), elements=st.floats(0, 1)))
def test_one_score_gives_the_logit_clipped(score):
    expected = scipy.special.logit(np.clip(score, 1e-7, 1 - 1e-7))
    np.testing.assert_allclose(Answers({SCORE: score}).logit, expected, rtol=1e-9, atol=1e-12)


@given(several)
def test_scores_give_back_logits_up_to_a_constant(logit):
    score = scipy.special.softmax(np.clip(logit, -5, 5), axis=1)
    np.testing.assert_allclose(scipy.special.softmax(Answers({SCORE: score}).logit, axis=1), score, rtol=1e-9)


def test_failed_rows_are_neither_answered_nor_labelled_and_warn_of_nothing():
    for values in (np.array([[0.9], [np.nan], [0.1]]), np.array([[0.1, 0.9], [np.nan] * 2, [0.7, 0.3]])):
        for signal in (SCORE, LOGIT):
            answers = Answers({signal: values}, {1: "timed out"})
            assert answers.answered.tolist() == [True, False, True]
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                label = answers.label
            assert label[1] == -1 and label[0] == 1


def test_a_given_label_wins_and_labels_alone_have_no_score():
    answers = Answers({LABEL: np.array([0, 1]), SCORE: np.array([[0.9], [0.1]])})
    assert answers.label.tolist() == [0, 1]
    with pytest.raises(NoSuchSignal, match="labels only"):
        Answers({LABEL: np.array([0, 1])}).score  # noqa: B018


@given(st.integers(0, 100), st.lists(st.integers(0, 5), max_size=9))
def test_taking_and_joining_carry_failures_along(seed, rows):
    score = np.random.default_rng(seed).random((6, 1))
    answers = Answers({SCORE: score}, {1: "one", 4: "four"})
    taken = answers.take(np.array(rows, dtype=int))
    assert taken.values[SCORE].tolist() == [score[r].tolist() for r in rows]
    assert taken.failed == {new: answers.failed[old] for new, old in enumerate(rows) if old in answers.failed}
    both = concat_answers([answers, taken])
    assert both.failed == {**answers.failed, **{6 + k: v for k, v in taken.failed.items()}}
    assert both.values[SCORE].tolist() == score.tolist() + taken.values[SCORE].tolist()


GOOD = np.array([[0.25], [0.5], [1.0]])
WRONG = [
    ({LOGIT: GOOD}, SCORE, ("yes",), "the parrot was asked for score and did not give it"),
    ({SCORE: GOOD[:2]}, SCORE, ("yes",), "gave 2 answers to 3 rows; one answer a row"),
    ({SCORE: GOOD}, SCORE, ("a", "b"), r"shape \(3, 1\); \(3, 2\) was expected, one column for each of a, b"),
    ({SCORE: GOOD[:, 0]}, SCORE, ("yes",), r"shape \(3,\)"),
    ({SCORE: GOOD * [[1], [np.nan], [1]]}, SCORE, ("yes",), "answered row 101 with score nan; a number from 0 to 1"),
    ({SCORE: GOOD * 1.5}, SCORE, ("yes",), "row 102 with score 1.5"),
    ({SCORE: GOOD - 0.3}, SCORE, ("yes",), "row 100 with score -0.05"),
    ({SCORE: np.full((3, 2), 0.4)}, SCORE, ("a", "b"), r"2 numbers from 0 to 1 that sum to one.*\(3 such rows of 3\)"),
    ({LOGIT: GOOD + np.inf}, LOGIT, ("yes",), "row 100 with logit inf; a number was expected"),
    ({LABEL: np.array([0, 1, 2])}, LABEL, ("yes",), "row 102 with label 2; a class from 0 to 1"),
    ({LABEL: np.array([0, -1, 1])}, LABEL, ("a", "b", "c"), "row 101 with label -1; a class from 0 to 2"),
    ({LABEL: np.array([0.0, 1.0, 1.0])}, LABEL, ("yes",), "labels of type float64"),
    ({LABEL: np.zeros((3, 1), int)}, LABEL, ("yes",), r"shape \(3, 1\)"),
]


@pytest.mark.parametrize(("values", "signal", "outputs", "sentence"), WRONG)
def test_wrong_answers_are_refused_in_words(values, signal, outputs, sentence, people, told):
    answers = Answers(values)
    with pytest.raises(InvalidAnswers, match=sentence):
        check_answers(answers, people(3), [signal], told(answers, outputs))


def test_right_answers_pass_as_they_are(people, told):
    for values, signal, outputs, scale in [
        ({SCORE: GOOD}, SCORE, ("yes",), "probability"),
        ({SCORE: np.array([[0.2, 0.8004], [1.0, 0.0], [0.5, 0.5]])}, SCORE, ("a", "b"), "probability"),
        ({SCORE: GOOD * 1000 - 5}, SCORE, ("pay",), "value"),
        ({LOGIT: GOOD * 1000 - 5}, LOGIT, ("yes",), "probability"),
        ({LABEL: np.array([0, 1, 2])}, LABEL, ("a", "b", "c"), "probability"),
    ]:
        answers = Answers(values)
        assert check_answers(answers, people(3), [signal], told(answers, outputs, scale)) is answers


def test_failed_rows_may_hold_anything_but_must_have_been_asked(people, told):
    answers = Answers({SCORE: np.array([[0.5], [np.nan], [7.0]]), LABEL: np.array([0, -1, -1])}, {1: "busy", 2: "busy"})
    assert check_answers(answers, people(3), [SCORE, LABEL], told(answers)) is answers
    for row in (3, -1):
        wrong = Answers({SCORE: GOOD}, {row: "busy"})
        with pytest.raises(InvalidAnswers, match="rows 0 to 2 were asked"):
            check_answers(wrong, people(3), [SCORE], told(wrong))


def test_whoever_has_the_shape_is_a_subject(told):
    assert isinstance(told(Answers({SCORE: GOOD})), Subject)
    assert not isinstance(object(), Subject)
