"""What every recipe of rules keeps to: the same keys, refits that are told, limits that hold."""

from dataclasses import fields

import numpy as np
import pytest

from kdaudit.errors import InvalidInput
from kdaudit.surrogates.additive import Additive
from kdaudit.surrogates.contrasts import ContrastTree
from kdaudit.surrogates.departures import DepartureTree
from kdaudit.surrogates.lists import RuleList
from kdaudit.surrogates.recipes import RulesRecipe
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.trees import Tree
from kdaudit.surrogates.votes import RuleSet

RECIPES = {
    "tree": (Tree, {"leaves": 4}),
    "list": (RuleList, {"rules": 4}),
    "set": (RuleSet, {"rules": 4}),
    "additive": (Additive, {"fields": 1}),
    "contrast": (ContrastTree, {"field": "sex", "level": "male", "other": "female", "leaves": 4}),
    "departure": (DepartureTree, {"minus": "old", "leaves": 4}),
}


@pytest.fixture
def make(behaviour, draw_rows, planted_score, planted_ask):
    """Make a proxy by a recipe of any family, of the planted teacher plus 0.1 for men."""
    from types import SimpleNamespace

    from kdaudit.rules import Rule, Rules
    from kdaudit.signal import SCORE
    from kdaudit.subject import Answers, Identity

    teacher = SimpleNamespace(identity=Identity("teacher", "t"), offers=frozenset({SCORE}))
    old = Surrogate("old", Rules("tree", (Rule((), (0.5,), 1),), ("yes",)), behaviour.domain)

    def ask(subject, samples, signals):
        if subject is old:
            return old.answer(samples, signals)
        more = 0.1 * (samples.columns["sex"] == 1) * (samples.columns["hours"] > 40)
        return Answers({signal: planted_score(samples) * 0.9 + more[:, None] for signal in signals})

    def made(kind, n=200, **keys):
        recipe, own = RECIPES[kind]
        ready = recipe(**own, **keys)
        ready = ready.against(old) if kind == "departure" else ready
        parts = {"fit": draw_rows(n, 1), "select": draw_rows(n // 2, 2)}
        return ready.make(behaviour, teacher, parts, ask, np.random.default_rng(0))

    return made


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind == "additive" else ()) for kind in RECIPES]
)
def test_refits_are_told_of_every_family(make, kind):
    steady = make(kind, n=80, refits=2).making.steadiness
    assert steady["refits"] == 2
    assert steady["least"] <= steady["agreement"] <= steady["most"] <= 1
    assert steady["agreement"] > 0.2
    assert make(kind, n=80).making.steadiness == {}


@pytest.mark.parametrize("kind", RECIPES)
def test_limits_hold_in_every_family(make, kind):
    short = make(kind, tries=2)
    assert short.making.partial
    assert len(short.making.curve) == 2
    assert "limit of 2 candidates" in short.making.note
    late = make(kind, seconds=1e-9)
    assert len(late.making.curve) == 1
    assert "ended after 1 candidate" in late.making.note


@pytest.mark.parametrize("kind", ["tree", "contrast", "departure"])
def test_limits_hold_where_splits_are_sure(make, kind):
    whole = make(kind, sure=0.9, queries=4)
    assert not whole.making.partial
    assert len(whole.making.contests) >= 1
    short = make(kind, sure=0.9, queries=4, tries=1)
    assert (short.making.partial, len(short.making.curve), short.making.contests) == (True, 1, ())
    assert short.making.beyond == 0


@pytest.mark.parametrize("kind", RECIPES)
def test_every_family_has_the_same_further_keys(kind):
    recipe, own = RECIPES[kind]
    shared = {item.name for item in fields(RulesRecipe)}
    assert shared <= {item.name for item in fields(recipe)}
    for wrong in (
        {"slack": -1.0},
        {"queries": -1},
        {"refits": 1},
        {"tries": -1},
        {"seconds": -1.0},
        {"read": {"x": 1}},
    ):
        with pytest.raises(InvalidInput):
            recipe(**own, **wrong)
