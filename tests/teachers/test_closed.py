import numpy as np
import pytest

from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal, OutOfDomain
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Identity, check_answers
from kdaudit.teachers.closed import Closed


def _closed(domain, scorer, outputs=("yes",), **more):
    return Closed(Identity("model", "0" * 64), domain, outputs, scorer, **more)


def test_scores_labels_and_logits_are_read_off_what_is_given(rows, domain):
    def logits(block):
        return (block.columns["age"] - 60) / 10

    subject = _closed(domain, logits, gives=LOGIT)
    answers = subject.answer(rows, [LOGIT, SCORE, LABEL])
    logit = (rows.columns["age"] - 60) / 10
    assert (answers.logit[:, 0] == logit).all()
    np.testing.assert_allclose(answers.score[:, 0], 1 / (1 + np.exp(-logit)), rtol=1e-12)
    assert (answers.label == (logit > 0)).all()
    assert _closed(domain, logits).offers == {SCORE, LABEL}
    assert _closed(domain, logits, scale="value").offers == {SCORE}


def test_a_batch_of_one_asks_each_row_alone(rows, domain):
    sizes = []

    def scorer(block):
        sizes.append(len(block))
        return block.columns["age"] / 100

    _closed(domain, scorer, batch=1).answer(rows, [SCORE])
    assert sizes == [1] * len(rows)
    sizes.clear()
    _closed(domain, scorer, batch=64).answer(rows, [SCORE])
    assert sizes == [64, 64]


@pytest.mark.parametrize(("gives", "outputs"), [(SCORE, ("yes",)), (LOGIT, ("yes",)), (SCORE, ("a", "b"))])
def test_a_row_that_is_given_no_number_has_failed_and_the_others_are_answered(rows, domain, gives, outputs):
    def scorer(block):
        # of several outputs one alone is enough
        out = np.full((len(block), len(outputs)), 0.5)
        out[:, -1] = np.where(block.ids % 40 == 7, np.nan, 0.5)
        return out

    subject = _closed(domain, scorer, outputs, gives=gives)
    answers = subject.answer(rows, [gives, SCORE, LABEL])
    bad = rows.ids % 40 == 7
    assert (answers.answered == ~bad).all() and bad.sum() == 3
    assert set(answers.failed.values()) == {"it was given no number (NaN)"}
    assert np.isnan(answers.score[bad]).all() and np.isfinite(answers.score[~bad]).all()
    assert ((answers.label == -1) == bad).all()
    assert check_answers(answers, rows, [gives, SCORE, LABEL], subject) is answers


def test_an_infinite_number_is_refused_and_has_no_label(rows, domain):
    def scorer(block):
        return np.where(block.ids == 7, np.inf, 0.5)

    subject = _closed(domain, scorer)
    answers = subject.answer(rows, [SCORE])
    with pytest.raises(InvalidAnswers, match="model answered row 7 with score inf"):
        check_answers(answers, rows, [SCORE], subject)
    with pytest.raises(InvalidAnswers, match="model gave row 7 no finite number, hence no label; 1 such rows"):
        subject.answer(rows, [LABEL])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda block: np.ones(len(block) - 1), r"shape \(255, 1\) to 256 rows; \(256, 1\) was expected"),
        (lambda block: np.ones((len(block), 3)), r"shape \(256, 3\)"),
        (lambda block: 0.5, r"shape \(\) to 256 rows"),
        (lambda block: ["yes"] * len(block), "model failed on rows from 0 on: ValueError"),
        (lambda block: block.nothing, "model failed on rows from 0 on: AttributeError"),
    ],
)
def test_a_model_that_gives_something_else_is_one_sentence(rows, domain, given, words):
    with pytest.raises(InvalidAnswers, match=words):
        _closed(domain, given).answer(rows, [SCORE])


def test_errors_of_this_kind_are_handed_through(rows, domain):
    def scorer(block):
        raise OutOfDomain("not such rows")

    with pytest.raises(OutOfDomain, match="not such rows"):
        _closed(domain, scorer).answer(rows, [SCORE])
    with pytest.raises(NoSuchSignal, match="model does not offer logit; it offers label, score"):
        _closed(domain, scorer).answer(rows, [LOGIT])
    with pytest.raises(InvalidInput, match="at least one row"):
        _closed(domain, scorer, batch=0)
    with pytest.raises(InvalidInput, match="needs an output"):
        _closed(domain, scorer, outputs=())
