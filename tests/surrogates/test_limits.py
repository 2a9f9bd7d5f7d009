"""Limits that hold: a count gives the same bytes, a clock that runs out gives the best so far, and the card says so."""

import numpy as np
import pytest

from kdaudit.errors import InvalidInput
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.lists import rule_list
from kdaudit.surrogates.trees import Tree, tree


def endless():
    while True:
        yield Candidate("one", None, again=lambda: None)


def test_a_clock_that_runs_out_ends_it():
    ticks = iter(range(100))
    found, why = Limits(seconds=5).taken(endless(), clock=lambda: next(ticks))
    assert len(found) == 5
    assert all(one.again is None for one in found)
    assert "5 seconds ended after 5 candidates" in why


def test_one_is_made_however_short_the_time():
    found, why = Limits(seconds=1e-9).taken(endless())
    assert len(found) == 1
    assert why


def test_a_count_ends_it_and_keeps_how_to_make_them_again():
    found, why = Limits(tries=3).taken(endless())
    assert len(found) == 3
    assert found[0].again is not None
    assert "limit of 3 candidates" in why


def test_what_ends_by_itself_is_whole():
    assert Limits(tries=9, seconds=99).taken([Candidate("one", None)])[1] == ""


def test_the_card_says_partial(behaviour, draw_rows, planted_ask):
    rows = draw_rows(300)
    for make in (
        lambda limits: tree(behaviour, rows, planted_ask, leaves=6, limits=limits, rng=np.random.default_rng(0)),
        lambda limits: rule_list(behaviour, rows, planted_ask, rules=4, limits=limits, rng=np.random.default_rng(0)),
    ):
        short, again, whole = make(Limits(tries=4)), make(Limits(tries=4)), make(None)
        assert short.making.partial
        assert "limit of 4 candidates" in short.making.note
        assert len(short.making.curve) == 4 < len(whole.making.curve)
        assert short.identity == again.identity
        assert not whole.making.partial
        assert short.rules.evaluate(rows).shape == (300, 1)


@pytest.mark.parametrize("keys", [{"tries": -1}, {"seconds": -0.5}, {"seconds": float("inf")}])
def test_limits_that_are_none_are_refused(keys):
    with pytest.raises(InvalidInput):
        Tree(**keys)
