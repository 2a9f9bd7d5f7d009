"""Behaviours: which rows are asked, and what is read off the answers."""

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers

CONTRAST = Contrast("sex", "female", "male")


def scored(samples):
    """A score that depends on sex and age, written as a formula."""
    return ((samples.columns["age"] - 18) / 100 + 0.15 * samples.columns["sex"])[:, None]


def asking(log):
    def ask(subject, samples, signals):
        log.append(samples)
        return Answers({SCORE: scored(samples)})

    return ask


def test_without_contrast_rows_are_asked_as_they_are(people, domain):
    log, samples = [], people(30)
    behaviour = Behaviour("pay", ("yes",), domain, rule=0.4)
    answers = behaviour.through(asking(log))("whoever", samples, [SCORE])
    assert log == [samples]
    assert answers.score.tolist() == scored(samples).tolist()
    assert answers.label.tolist() == [int(s > 0.4) for s in scored(samples)[:, 0]]


def test_a_contrast_is_the_answer_to_one_side_minus_the_answer_to_the_other(people, domain):
    log, samples = [], people(30)
    behaviour = Behaviour("gap", ("yes",), domain, contrast=CONTRAST, rule=0.4)
    answers = behaviour.through(asking(log))("whoever", samples, [SCORE])
    asked = log[0]
    assert len(asked) == 60 and asked.ids.tolist() == [*samples.ids, *samples.ids]
    assert asked.level("sex").tolist() == ["female"] * 30 + ["male"] * 30
    np.testing.assert_allclose(answers.score, np.full((30, 1), -0.15))
    age = (samples.columns["age"] - 18) / 100
    assert answers.label.tolist() == [int(a > 0.4) - int(a + 0.15 > 0.4) for a in age]
    assert set(answers.label.tolist()) == {0, -1}


def test_a_contrast_of_logits_is_their_difference(people, domain):
    behaviour = Behaviour("gap", ("yes",), domain, contrast=CONTRAST, scale="logit")
    logit = np.arange(6.0)[:, None]
    assert behaviour.read(Answers({LOGIT: logit})).score.tolist() == [[-3.0]] * 3


def test_a_contrast_fails_where_either_side_fails(people, domain):
    behaviour = Behaviour("gap", ("yes",), domain, contrast=CONTRAST)
    score = np.array([[0.9], [0.9], [np.nan], [0.9], [0.1], [np.nan], [0.1], [0.1]])
    answers = behaviour.read(Answers({SCORE: score}, {2: "first", 5: "second"}))
    assert answers.failed == {2: "first", 1: "second"}
    assert answers.label.tolist() == [1, 0, 0, 1]
    assert np.isnan(answers.score[:, 0]).tolist() == [False, True, True, False]
    assert answers.answered.tolist() == [True, False, False, True]


def test_labels_alone_can_be_read_and_contrasted(people, domain):
    label = Answers({LABEL: np.array([0, 1, 1, 1])})
    assert Behaviour("pay", ("yes",), domain).read(label).label.tolist() == [0, 1, 1, 1]
    gap = Behaviour("gap", ("yes",), domain, contrast=CONTRAST).read(label)
    assert gap.label.tolist() == [-1, 0] and SCORE not in gap.values


def test_several_classes_keep_the_likeliest(domain):
    answers = Behaviour("grade", ("a", "b", "c"), domain, rule=0.9).read(Answers({SCORE: np.array([[0.2, 0.5, 0.3]])}))
    assert answers.label.tolist() == [1]


def test_scope_chooses_rows(people, domain):
    samples = people(200)
    inside = Behaviour("pay", ("yes",), domain, scope="age >= 30 and sex == 'female'").within(samples)
    expected = samples.ids[(samples.columns["age"] >= 30) & (samples.columns["sex"] == 0)]
    assert inside.ids.tolist() == expected.tolist() and 0 < len(inside) < 200
    assert Behaviour("pay", ("yes",), domain).within(samples) is samples


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"outputs": ()}, "'pay' names no output"),
        ({"scope": "agee > 3"}, "no field 'agee'"),
        ({"scope": "age.x > 3"}, "not part of a condition"),
        ({"contrast": Contrast("sex", "female", "men")}, "no level 'men'"),
        ({"contrast": Contrast("age", "20", "30")}, "'age' is a real"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(arguments, sentence, domain):
    with pytest.raises(InvalidInput, match=sentence):
        Behaviour(**{"name": "pay", "outputs": ("yes",), "domain": domain, **arguments})
