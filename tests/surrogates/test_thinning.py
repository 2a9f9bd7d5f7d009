import numpy as np
import pytest

from kdaudit.surrogates import candidates
from kdaudit.surrogates.targets import ask_for_targets
from kdaudit.surrogates.thinning import settled, spread, thinned
from kdaudit.surrogates.trees import tree


@pytest.mark.parametrize(("n", "most"), [(1000, 100), (12_345, 777), (64, 63)])
def test_positions_are_spread_evenly(n, most):
    some = spread(n, most)
    assert len(some) == most == len(set(some.tolist())) and some.min() >= 0 and some.max() < n
    assert (np.diff(some) > 0).all()
    # of ten parts each holds its share, and so does each rest of a division by a small number
    assert np.bincount(some * 10 // n, minlength=10) == pytest.approx(most / 10, abs=most / 50 + 2)
    for period in (2, 3, 5, 7):
        assert np.bincount(some % period, minlength=period) == pytest.approx(most / period, abs=most / 20 + 2)


def test_few_rows_stay_as_they_are(behaviour, draw_rows, planted_ask):
    rows = ask_for_targets(behaviour, draw_rows(50), planted_ask)
    assert thinned(rows, 50) is rows
    assert len(thinned(rows, 49)) == 49


def test_answers_come_from_all_rows(behaviour, draw_rows, planted_ask):
    few, many = draw_rows(300), ask_for_targets(behaviour, draw_rows(4000, 1), planted_ask)
    rules = settled(tree(behaviour, few, planted_ask, rng=np.random.default_rng(0)).rules, many)
    which = rules.which(many.samples)
    assert sum(rule.n for rule in rules.rules) == 4000
    for position, rule in enumerate(rules.rules):
        own = np.flatnonzero(which == position)
        assert rule.n == len(own)
        assert rule.score == many.answer(own)


def test_a_tree_of_thinned_rows_is_about_as_good(monkeypatch, behaviour, draw_rows, planted_ask, planted_score):
    rows, fresh = draw_rows(4000), draw_rows(4000, 1)
    truth = planted_score(fresh)[:, 0] > 0.5
    fitted = 3001

    def agreement(made_from):
        made = tree(behaviour, rows, planted_ask, leaves=8, rng=np.random.default_rng(0))
        # copies of a row stay together
        assert made.making.fitted == fitted
        assert sum(rule.n for rule in made.rules.rules) == (fitted if made_from == "fit" else 4000)
        return ((made.rules.evaluate(fresh)[:, 0] > 0.5) == truth).mean()

    whole = agreement("all")
    monkeypatch.setattr(candidates, "thinned", lambda given, most=1000: thinned(given, min(most, 1000)))
    assert agreement("fit") >= whole - 0.005
