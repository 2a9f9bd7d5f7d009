"""Groups of rows: levels, bands, and rows without a value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.measures.strata import stratify
from kdaudit.samples import Origin, Samples

DOMAIN = Domain(
    (
        Real("age", integer=True, missing=True),
        Real("pay"),
        Category("sex", ("female", "male", "other"), missing=True),
        Text("note"),
    )
)


def people(age, sex):
    n = len(age)
    columns = {"age": np.array(age, float), "pay": np.zeros(n), "sex": np.array(sex), "note": np.array(["x"] * n, "O")}
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def test_levels_are_groups_and_missing_is_one_too():
    got = stratify(people([20] * 5, [0, 1, -1, 1, 1]), "sex")
    assert got.levels == ("female", "male", "other", "unknown")
    assert [got.count(level) for level in got.levels] == [1, 3, 0, 1]
    assert got.largest == "male"
    assert got.group("female") == "sex = female"
    assert got.contrast("female", "male") == "sex: female - male"


def test_bands_hold_their_lower_end_and_are_named_for_people():
    got = stratify(people([29, 30, 44, 45, 60, 90, np.nan], [0] * 7), "age", (30, 45, 60))
    assert got.levels == ("under 30", "30 to 44", "45 to 59", "60 and over", "unknown")
    assert got.place.tolist() == [0, 1, 1, 2, 3, 3, 4]
    assert got.group("under 30") == "age under 30"
    assert stratify(people([1], [0]), "pay", (1.5, 2)).levels[1] == "1.5 to under 2"


@given(st.lists(st.integers(0, 99), min_size=1, max_size=30))
def test_each_row_is_in_exactly_one_group(ages):
    got = stratify(people(ages, [0] * len(ages)), "age", (30, 45, 60))
    assert sum(got.count(level) for level in got.levels) == len(ages)
    assert sorted(np.concatenate([got.rows(level) for level in got.levels])) == list(range(len(ages)))


@pytest.mark.parametrize(
    ("field", "cuts", "part"),
    [("age", (), "cut it"), ("age", (45, 30), "rising"), ("sex", (1,), "leave out"), ("note", (), "is a text")],
)
def test_what_is_no_group_is_refused(field, cuts, part):
    with pytest.raises(InvalidInput, match=part):
        stratify(people([20], [0]), field, cuts)


def test_an_unknown_group_names_those_that_there_are():
    with pytest.raises(InvalidInput, match="female, male"):
        stratify(people([20], [0]), "sex").check("woman")
