"""An additive model as rules that vote: the machine's own answers, by its own method, and effects that were planted."""

import warnings

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.additive import Additive, _column, _machine, _rules
from kdaudit.surrogates.surrogate import load, save
from kdaudit.surrogates.targets import ask_for_targets

pytest.importorskip("interpret")


def planted(samples):
    hours, debt, job = (samples.columns[name] for name in ("hours", "debt", "job"))
    return (0.15 + 0.3 * (hours > 40) + 0.25 * (job == 2) + np.where(np.isnan(debt), 0.2, 0.05 * np.tanh(debt)))[
        :, None
    ]


def ask(subject, samples, signals):
    score = planted(samples)
    return Answers({SCORE: score, LABEL: (score[:, 0] > 0.5).astype(int)})


def test_rules_add_up_to_what_the_machine_says(behaviour, draw_rows):
    rows = ask_for_targets(behaviour, draw_rows(120), lambda s, w: ask(None, s, w))
    names = ["hours", "debt", "job"]
    rules = _rules(behaviour, rows, names, 5, 3)
    machine = _machine(rows, names, 5, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = machine.predict(np.stack([_column(rows.samples, name) for name in names], axis=1))
    # points are rounded to four decimals
    np.testing.assert_allclose(rules.evaluate(rows.samples)[:, 0], told, atol=5e-4)


@pytest.mark.slow
def test_planted_effects_are_found(behaviour, draw_rows, tmp_path):
    parts = {"fit": draw_rows(300), "select": draw_rows(200, 1)}
    made = [Additive(fields=3, tries=4).make(behaviour, None, parts, ask, np.random.default_rng(0)) for _ in range(2)]
    found = made[0]
    assert found.identity == made[1].identity
    assert {"hours", "job", "debt"} <= set(found.rules.fields)
    fresh = draw_rows(400, 2)
    assert np.abs(found.rules.evaluate(fresh) - planted(fresh)).mean() < 0.04
    assert (found.answer(fresh, (LABEL,)).label == ask(None, fresh, ()).label).mean() > 0.95
    save(found, tmp_path)
    assert load(tmp_path).identity == found.identity


def test_a_constant_teacher_is_told_by_the_start_alone(behaviour, draw_rows):
    def flat(subject, samples, signals):
        return Answers({SCORE: np.full((len(samples), 1), 0.7)})

    parts = {"fit": draw_rows(100), "select": draw_rows(50, 1)}
    found = Additive(fields=2).make(behaviour, None, parts, flat, np.random.default_rng(0))
    assert [rule.score[0] for rule in found.rules.rules] == pytest.approx([0.7])
    assert found.making.why


def test_what_it_cannot_say_is_refused(behaviour, draw_rows):
    several = Behaviour("which", ("a", "b", "c"), behaviour.domain)
    with pytest.raises(InvalidInput, match="adds up one score"):
        Additive().make(several, None, {"fit": draw_rows(50)}, ask, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="2 to 64 parts"):
        Additive(bins=1)
