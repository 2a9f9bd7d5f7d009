import time

import numpy as np
import pytest

from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.conditions import TESTS, Condition, Vocabulary, search
from kdaudit.surrogates.lists import RuleList, rule_list
from kdaudit.surrogates.sequences import grow, listed, revised
from kdaudit.surrogates.targets import Targets, ask_for_targets


@pytest.fixture
def noisy(behaviour, draw_rows, planted_ask):
    clean = ask_for_targets(behaviour, draw_rows(400), planted_ask)
    rng = np.random.default_rng(0)
    score = np.clip(clean.score + rng.normal(0, 0.35, clean.score.shape), 0, 1)
    return Targets(clean.samples, score, (score[:, 0] > 0.5).astype(int), False, 0.5, 0)


@pytest.fixture
def vocabulary(noisy):
    return Vocabulary.of(columns_of(noisy.samples), noisy.score)


def test_literals_hold_where_their_codes_are(vocabulary):
    for literal, holds in zip(vocabulary.literals, vocabulary.holds, strict=True):
        column = vocabulary.columns[literal.column]
        assert (column.test(literal.codes).holds is not None) and (literal.codes[column.codes] == holds).all()
        assert 0 < holds.sum() < len(holds)


def test_the_search_finds_the_best_pair(vocabulary, noisy):
    merit = noisy.label * 2.0 - 1.0
    values = np.column_stack([np.ones(len(merit)), merit])
    rows = np.arange(len(merit))

    def cost(sums):
        return np.where(sums[:, 0] >= 20, -sums[:, 1], np.inf)

    found = search(vocabulary, rows, values, cost, 0.0).holds(vocabulary.columns)
    both = vocabulary.holds[:, None, :] * vocabulary.holds[None, :, :]
    pairs = np.where(both.sum(axis=2) >= 20, both @ merit, -np.inf)
    assert merit[found].sum() >= pairs.max()
    assert found.sum() >= 20


def test_a_condition_joins_tests_on_one_field(vocabulary):
    hours = [literal for literal in vocabulary.literals if literal.column == 0]
    low, high = hours[0], hours[-1]
    joined = Condition().joined(low, vocabulary.columns).joined(high, vocabulary.columns)
    assert joined is None or len(joined.literals) == 1


def test_the_list_as_rules_says_what_was_grown(vocabulary, noisy):
    conditions = grow(vocabulary, noisy.score, 8, 10, 0.6)
    rules = listed(vocabulary, conditions, noisy)
    left = np.ones(len(noisy), dtype=bool)
    for rule in rules:
        held = left & np.all([t.holds(noisy.samples) for t in rule.tests] or [left], axis=0)
        assert rule.n == held.sum() > 0
        assert rule.score == pytest.approx(noisy.answer(np.flatnonzero(held)))
        assert len(rule.tests) <= TESTS
        left &= ~held
    assert not left.any()
    assert rules[-1].tests == ()


def test_choosing_rules_anew_never_loses_agreement(vocabulary, noisy):
    def agreeing(conditions):
        total, left = 0, np.ones(len(noisy), dtype=bool)
        for holds in [*(c.holds(vocabulary.columns) for c in conditions), left.copy()]:
            rows = np.flatnonzero(left & holds)
            if len(rows):
                total += np.bincount(noisy.label[rows]).max()
            left &= ~holds
        return total

    before = grow(vocabulary, noisy.score, 8, 10, 0.6)
    after = revised(vocabulary, before, noisy, 10)
    assert agreeing(after) > agreeing(before)


def test_rules_cover_at_least_one_row_in_a_hundred(behaviour, draw_rows, planted_ask):
    made = rule_list(behaviour, draw_rows(1600), planted_ask, select=draw_rows(300, 3), rng=np.random.default_rng(0))
    assert all(rule.n >= 8 for rule in made.rules.rules)


def test_four_thousand_rows_take_seconds(behaviour, draw_rows, planted_ask):
    start = time.process_time()
    rule_list(behaviour, draw_rows(4000), planted_ask, select=draw_rows(500, 3), rng=np.random.default_rng(0))
    assert time.process_time() - start < 12


def test_a_list_may_ask_new_rows(behaviour, draw_rows, planted_ask):
    asked = []

    def ask(samples, signals):
        asked.append(len(samples))
        return planted_ask(samples, signals)

    recipe = RuleList(rules=6, queries=2)
    parts = {"fit": draw_rows(300, seed=1), "select": draw_rows(100, seed=2)}
    made = rule_list(
        behaviour, parts["fit"], ask, rules=6, queries=2, select=parts["select"], rng=np.random.default_rng(0)
    )
    assert 0 < made.making.beyond <= recipe.extra(parts)
    assert made.making.sampler
    assert made.rules.rules[-1].tests == ()
