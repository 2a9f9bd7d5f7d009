"""Rule sets: votes are added up as they are read, and points that count are found again."""

import json

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Domain, Real
from kdaudit.rules import Rules
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import check_answers
from kdaudit.surrogates.drawing import draw
from kdaudit.surrogates.surrogate import load, save
from kdaudit.surrogates.votes import RuleSet


def make(behaviour, parts, ask, **recipe):
    # the recipe's ask names whom; here there is one teacher only
    return RuleSet(**recipe).make(behaviour, None, parts, lambda _, rows, s: ask(rows, s), np.random.default_rng(0))


def points(samples):
    a, b, c = (samples.columns[name] for name in "abc")
    return 0.1 + 0.3 * (a > 5) + 0.2 * (b <= 3) + 0.25 * ((a > 5) & (c > 7))


@pytest.fixture
def board():
    domain = Domain(tuple(Real(name, 0, 10) for name in "abcd"))

    def draw_rows(n, seed=0):
        rng = np.random.default_rng(seed)
        return Samples(domain, {name: rng.uniform(0, 10, n) for name in "abcd"}, np.arange(n), Origin("drawn"))

    return Behaviour("yes", ("yes",), domain), draw_rows


def test_points_that_are_added_up_are_found_again(board, answer_with):
    behaviour, draw_rows = board
    ask = answer_with(lambda s: points(s)[:, None])
    made = make(behaviour, {"fit": draw_rows(600), "select": draw_rows(200, 1)}, ask, rules=8, slack=0)
    fresh = draw_rows(500, 2)
    got = made.answer(fresh, (SCORE, LABEL))
    assert np.abs(got.score[:, 0] - points(fresh)).mean() < 0.03
    assert (got.values[LABEL] == (points(fresh) > 0.5)).mean() > 0.97
    assert "d" not in made.rules.fields


def test_it_is_evaluated_as_it_is_read(behaviour, draw_rows, planted_ask, tmp_path):
    parts = {"fit": draw_rows(400), "select": draw_rows(100, 1)}
    made = make(behaviour, parts, planted_ask, rules=8, queries=1)
    rules, rows = made.rules, draw_rows(50, 3)
    assert rules.family == "set"
    assert len(rules.rules) <= 8
    for at in range(len(rows)):
        one = rows.take([at])
        total = sum(r.score[0] for r in rules.rules if all(t.holds(one)[0] for t in r.tests))
        assert made.answer(one, (SCORE,)).score[0, 0] == pytest.approx(min(1.0, max(0.0, total)))
    check_answers(made.answer(rows, (SCORE, LABEL)), rows, (SCORE, LABEL), made)
    assert Rules.from_data(json.loads(json.dumps(rules.to_data()))) == rules
    save(made, tmp_path)
    assert load(tmp_path).identity == made.identity
    lines = [text for text, _ in draw(rules, behaviour.domain)]
    assert lines[-1] == "votes start from"
    assert not any(line.startswith("else") for line in lines)


def test_several_classes_add_up_to_one(domain, draw_rows, answer_with):
    def three(samples):
        z = np.column_stack(
            [samples.columns["hours"] > 60, samples.columns["school"] >= 2, samples.columns["sex"] == 0]
        )
        return (0.2 + z) / (0.2 + z).sum(axis=1, keepdims=True)

    behaviour = Behaviour("one of three", ("x", "y", "z"), domain)
    made = make(behaviour, {"fit": draw_rows(500), "select": draw_rows(150, 1)}, answer_with(three), rules=10)
    fresh = draw_rows(300, 2)
    answers = made.answer(fresh, (SCORE, LABEL))
    np.testing.assert_allclose(answers.score.sum(axis=1), 1.0)
    truth = three(fresh)
    clear = np.sort(truth, axis=1)[:, -1] > np.sort(truth, axis=1)[:, -2]
    assert (answers.values[LABEL] == truth.argmax(axis=1))[clear].mean() > 0.8


def test_a_constant_teacher_gives_the_start_alone(behaviour, draw_rows, answer_with):
    parts = {"fit": draw_rows(100), "select": draw_rows(50, 1)}
    made = make(behaviour, parts, answer_with(lambda s: np.full((len(s), 1), 0.3)), rules=8, queries=1)
    assert len(made.rules.rules) == 1
    assert made.making.why
