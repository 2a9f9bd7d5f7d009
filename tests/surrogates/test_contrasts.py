"""A tree of differences finds where a field counts, and asks no more than it said."""

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.contrasts import ContrastTree


@pytest.mark.parametrize("queries", [0, 2])
def test_it_finds_where_sex_counts(domain, draw_rows, queries):
    asked = []

    def ask(subject, samples, signals):
        asked.extend(samples.keys().tolist())
        late = samples.columns["hours"] > 60
        score = 0.4 + 0.2 * late * samples.columns["sex"] + 0.1 * (samples.columns["school"] >= 2)
        return Answers({s: score[:, None] if s == SCORE else (score > 0.5).astype(int) for s in signals})

    recipe = ContrastTree("sex", "male", "female", leaves=4, queries=queries)
    parts = {"fit": draw_rows(400, seed=1), "select": draw_rows(100, seed=2)}
    made = recipe.make(Behaviour("yes", ("yes",), domain), None, parts, ask, np.random.default_rng(0))
    assert made.rules.fields == ("hours",)
    scores = sorted(rule.score[0] for rule in made.rules.rules)
    assert scores == pytest.approx([0.0, 0.2], abs=0.02)
    as_given = {key for part in parts.values() for key in part.keys().tolist()}
    assert len(set(asked) - as_given) <= recipe.extra(parts)
    assert made.contrast.level == "male"
    assert LABEL in made.offers


def test_two_different_levels_are_expected():
    with pytest.raises(InvalidInput, match="two levels"):
        ContrastTree("sex", "male", "male")
