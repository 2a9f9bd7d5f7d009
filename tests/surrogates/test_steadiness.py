"""Refits: agreement of pairs by a loop, rows that come and go with their parents, and a card that tells it."""

from itertools import combinations

import numpy as np
import pytest

from kdaudit.errors import InvalidInput
from kdaudit.report.rulebook import contest_words, steady_words
from kdaudit.rules import Rule, Rules, Test
from kdaudit.surrogates.enquiry import Enquiry, Pool
from kdaudit.surrogates.steadiness import parents_of, steadiness
from kdaudit.surrogates.targets import ask_for_targets
from kdaudit.surrogates.trees import Tree, tree


@pytest.fixture
def targets(behaviour, draw_rows, planted_ask):
    def ask(n, seed=0):
        return ask_for_targets(behaviour, draw_rows(n, seed), planted_ask)

    return ask


def cut_at(x):
    return Rules(
        "tree", (Rule((Test("hours", below=x),), (0.2,), 1), Rule((Test("hours", above=x),), (0.8,), 1)), ("yes",)
    )


def test_pairs_are_compared_by_a_loop(targets):
    rows, select = targets(60), targets(40, 1)
    cuts = iter([20.5, 30.5, 30.5, 70.5])
    found = steadiness(
        lambda *_: cut_at(next(cuts)), (rows, np.arange(60)), select, cut_at(30.5), 4, np.random.default_rng(0)
    )
    hours = np.concatenate([rows.samples.columns["hours"], select.samples.columns["hours"]])
    alike = [np.mean([(h > a) == (h > b) for h in hours]) for a, b in combinations([20.5, 30.5, 30.5, 70.5], 2)]
    assert found["agreement"] == pytest.approx(np.mean(alike), abs=1e-6)
    assert (found["least"], found["most"]) == (pytest.approx(min(alike), abs=1e-6), 1.0)
    assert found["fields"] == {"hours": 1.0}
    assert found["cuts"]["hours"][0] == 30.5
    assert 20.5 <= found["cuts"]["hours"][1] <= found["cuts"]["hours"][2] <= 70.5


def test_rows_drawn_around_a_row_come_and_go_with_it(targets):
    fit = targets(20)
    pools = (Pool("smear", targets(30, 1), np.arange(30) % 20), Pool("jitter", targets(10, 2), np.arange(10)))
    enquiry = Enquiry(pools, "smear")
    assert parents_of("with smear", enquiry, fit).tolist() == [*range(20), *(np.arange(30) % 20)]
    assert len(parents_of("with all samplers", enquiry, fit)) == 60
    assert parents_of("the rows given", enquiry, fit).tolist() == list(range(20))
    met = []

    def make(rows, select):
        met.append(rows)
        return cut_at(50.5)

    twice = np.tile(np.arange(20), 2)
    both = fit.take(twice)
    steadiness(make, (both, twice), fit, cut_at(50.5), 3, np.random.default_rng(0))
    for rows in met:
        ids, counts = np.unique(rows.samples.ids, return_counts=True)
        # each row is there with its double, as often as it was drawn
        assert (counts % 2 == 0).all()
        assert counts.sum() == 40
        assert len(ids) < 20


def test_a_card_tells_of_refits(behaviour, draw_rows, planted_ask):
    made = [
        tree(behaviour, draw_rows(200), planted_ask, leaves=5, refits=3, queries=queries, rng=np.random.default_rng(0))
        for queries in (0, 2, 2)
    ]
    for one in made:
        steady = one.making.steadiness
        assert 0.5 < steady["least"] <= steady["agreement"] <= steady["most"] <= 1
        words = steady_words(one.notes)
        assert "Drawn again 3 times" in words[0]
    assert made[1].making.steadiness == made[2].making.steadiness


def test_refits_of_numbers_explain_each_other():
    steady = {
        "refits": 2,
        "agreement": 0.9,
        "least": 0.9,
        "most": 0.9,
        "rows": 1400,
        "alike": 1.0,
        "fields": {"age": 1.0},
    }
    (words,) = steady_words({"steadiness": steady, "curve": [{"agreement": None}]})
    assert "one such proxy explains 90.0 % of another's variance over 1,400 rows on average" in words
    (words,) = steady_words({"steadiness": steady, "curve": [{"agreement": 0.9}]})
    assert "two such proxies agree on 90.0 % of 1,400 rows on average" in words


def test_contests_in_words():
    won = {
        "at": "age at most 40",
        "winner": "pay",
        "rival": "age",
        "sure": 0.97,
        "rows": 1200,
        "asked": 300,
        "won": True,
    }
    assert contest_words(won) == "where age at most 40: pay before age, 97.0 % sure; 1,200 rows, 300 asked for it"
    assert "not parted, pay or age" in contest_words(won | {"won": False})
    assert "too few or alike" in contest_words(won | {"won": False, "winner": ""})


@pytest.mark.parametrize(
    "keys", [{"refits": 1}, {"refits": -1}, {"refits": 99}, {"refits": 4, "sure": 0.9, "queries": 1}]
)
def test_what_makes_no_refit_is_refused(keys):
    with pytest.raises(InvalidInput):
        Tree(**keys)
