"""Weighted sums: the fields that tell two sides apart are found, and codes say what the test says."""

import numpy as np
import pytest

from kdaudit.rules import Test
from kdaudit.surrogates.sums import Sums


@pytest.fixture
def told(draw_rows):
    rows = draw_rows(500)
    side = rows.columns["hours"] - 30.0 * (rows.columns["sex"] == 0) + 10.0 * rows.columns["school"] <= 50
    return rows, side


def test_the_fields_of_a_planted_sum_are_found(told):
    rows, side = told
    every = np.arange(len(rows))
    sums = Sums.of(rows, 3)
    columns = [sums.column(found) for found in sums.found(every, side, np.ones(len(rows)))]
    assert [len(column.terms) for column in columns] == [2, 3]
    assert {term.field for term in columns[-1].terms} == {"hours", "sex", "school"}
    column = columns[-1]
    best = max(
        max((side == (column.codes <= cut)).mean(), (side != (column.codes <= cut)).mean())
        for cut in range(column.size)
    )
    assert best > 0.97


def test_codes_say_what_the_test_says(told):
    rows, side = told
    sums = Sums.of(rows, 3)
    for found in sums.found(np.arange(200), side[:200], np.ones(200)):
        column = sums.column(found)
        assert np.array_equal(found.codes, column.codes[:200])
        for cut in (0, column.size // 2, column.size - 2):
            codes = np.append(np.arange(column.size) <= cut, False)
            test = column.test(codes)
            assert isinstance(test, Test)
            assert test.terms == column.terms
            assert np.array_equal(test.holds(rows), codes[column.codes])


@pytest.mark.parametrize("without", [(), ("hours",)])
def test_fields_may_be_left_out_and_few_rows_give_none(told, without):
    rows, side = told
    sums = Sums.of(rows, 2, without=without)
    assert not {part.field for part in sums.parts} & set(without)
    assert sums.found(np.arange(10), side[:10], np.ones(10)) == []
    assert sums.found(np.arange(100), np.ones(100, dtype=bool), np.ones(100)) == []
