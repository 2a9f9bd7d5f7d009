"""Trees that are worth a look: each once, and made again in the same way."""

import numpy as np
import pytest

from kdaudit.surrogates.candidates import Extent, candidates
from kdaudit.surrogates.enquiry import NONE, Body
from kdaudit.surrogates.targets import ask_for_targets, stacked


@pytest.fixture
def rows(behaviour, draw_rows, planted_ask):
    return tuple(ask_for_targets(behaviour, draw_rows(n, seed), planted_ask) for n, seed in ((400, 1), (150, 2)))


@pytest.mark.parametrize("fields", [1, 3])
def test_no_tree_comes_twice(behaviour, rows, fields):
    fit, _ = rows
    found = list(candidates(behaviour, Body(NONE, fit, None), Extent(6, fields)))
    texts = [tuple(rule.text(behaviour.domain) for rule in each.rules.rules) for each in found]
    plain = [text for text, each in zip(texts, found, strict=True) if "sums" not in each.way]
    assert len(plain) == len(set(plain))
    assert any("sums" in each.way for each in found) == (fields > 1)
    assert all(len(each.rules.rules) <= 6 for each in found)


def test_made_again_from_the_same_rows_it_is_the_same_tree(behaviour, rows):
    fit, _ = rows
    for each in candidates(behaviour, Body(NONE, fit, fit), Extent(6)):
        if each.again is not None and len(each.rules.rules) > 1:
            assert each.again() == each.rules


def test_made_again_it_answers_from_all_rows(behaviour, rows):
    whole = stacked(rows)
    for each in candidates(behaviour, Body(NONE, rows[0], whole), Extent(4)):
        again = each.again()
        assert sum(rule.n for rule in again.rules) == len(whole)
        assert np.array_equal(again.evaluate(whole.samples), each.again().evaluate(whole.samples))
