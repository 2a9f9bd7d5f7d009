"""Students made without data, as recipes."""

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.digest import recipe_data
from kdaudit.distillation.dataless import DataFree
from kdaudit.distillation.generator import Play
from kdaudit.domain import Category, Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.signal import LABEL, SCORE
from kdaudit.store.answers import Store
from kdaudit.subject import Identity
from kdaudit.teachers.closed import Closed

DOMAIN = Domain((Real("x", -2, 6), Real("y", 0, 1), Category("g", ("a", "b", "c"))))
ENCODING = Encoding(DOMAIN, (1.0, 0.5), (2.0, 0.3))
SHORT = {"hidden": (6,), "steps": 30, "batch": 32}


def opened(seed=3):
    module = build("mlp", {"inputs": ENCODING.width, "outputs": 3, "hidden": [8]}, seed)
    return Network("teacher", module, ENCODING, ("p", "q", "r"))


def scores(rows):
    x, y, g = (rows.columns[name] for name in ("x", "y", "g"))
    e = np.exp(np.stack([2 * (x - 2), 6 * (y - 0.5), 3.0 * (g == 2)], axis=1))
    return e / e.sum(axis=1, keepdims=True)


def closed():
    return Closed(Identity("closed", "a" * 64), DOMAIN, ("p", "q", "r"), scores)


def rng():
    return np.random.default_rng(4)


def make(recipe, teacher, behaviour=None, store=None):
    behaviour = behaviour or Behaviour("class", ("p", "q", "r"), DOMAIN)
    return recipe.make(behaviour, teacher, {}, behaviour.through((store or Store()).ask), rng())


def test_a_generator_needs_no_row_and_no_door():
    store = Store()
    recipe = DataFree(**SHORT)
    made, again = (make(recipe, opened(), store=store) for _ in range(2))
    assert made.identity == again.identity
    assert not store.used()
    assert made.notes["made"] == recipe.shown == Play(steps=30, batch=32).made
    assert made.notes["without_data"] == "rows that a generator makes"
    assert recipe.further(Behaviour("class", ("p", "q", "r"), DOMAIN), {}, rng()) is None


def test_the_rows_that_are_told_beforehand_are_those_that_are_asked():
    store, teacher = Store(), closed()
    recipe = DataFree(by="domain", rows=200, **SHORT)
    behaviour = Behaviour("class", ("p", "q", "r"), DOMAIN, scope="x > 0")
    made = make(recipe, teacher, behaviour, store)
    told = recipe.further(behaviour, {}, rng())
    assert (told.columns["x"] > 0).all()
    assert made.notes["fitted"] == len(told) == store.used()[teacher.identity.digest]
    assert not store.known(teacher, told, (SCORE,)).failed
    assert recipe.shown == 0
    assert made.identity == make(recipe, closed(), behaviour).identity


def test_a_student_of_the_whole_domain_learns_its_teacher():
    made = make(DataFree(by="domain", rows=2000, hidden=(16,), steps=400, rate=1e-2), closed())
    recipe = DataFree(by="domain", rows=1000)
    fresh = recipe.further(Behaviour("class", ("p", "q", "r"), DOMAIN), {}, np.random.default_rng(9))
    agreed = made.answer(fresh, (LABEL,)).label == closed().answer(fresh, (LABEL,)).label
    # the likeliest class alone would agree on fewer
    assert agreed.mean() > 0.9 > np.bincount(closed().answer(fresh, (LABEL,)).label).max() / 1000


def test_what_cannot_be_made_without_data_is_refused():
    with pytest.raises(NoSuchSignal, match="take `by: domain`"):
        make(DataFree(**SHORT), closed())
    contrast = Behaviour("class", ("p", "q", "r"), DOMAIN, contrast=Contrast("g", "a", "b"))
    with pytest.raises(InvalidInput, match="learns answers, not differences"):
        make(DataFree(by="domain", **SHORT), closed(), contrast)
    with pytest.raises(InvalidInput, match="rows are at least 2"):
        DataFree(rows=1)
    with pytest.raises(InvalidInput, match="at least 0"):
        DataFree(balance=-1.0)


def test_the_recipe_is_plain_data_and_says_what_it_makes():
    recipe = DataFree(hidden=[4], by="domain")
    assert recipe_data(recipe)["by"] == "domain"
    assert recipe.words() == (
        "network of 4 hidden units, made without data from rows drawn evenly from the whole domain"
    )
    assert recipe.uses == () and recipe.of_outcomes() is None
