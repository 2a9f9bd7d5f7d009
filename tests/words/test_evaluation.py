"""Masks: the answers of tests asked one by one, for every kind of field, sum, gap and number of rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import OutOfDomain
from kdaudit.evaluation import CHUNK, MOST_CUTS, first, held
from kdaudit.rules import Rule, Term, Test
from kdaudit.samples import Origin, Samples

LEVELS = ("none", "school", "bachelor's degree", "doctorate")
# half the cuts lie on values that occur
ends = st.none() | st.integers(-2, 95).map(float) | st.floats(-2, 95)
levels = st.lists(st.sampled_from([*LEVELS, "unheard of"]), unique=True).map(tuple)
terms = st.builds(Term, st.sampled_from(["age", "hours", "schooling"]), st.floats(-3, 3)) | st.builds(
    Term, st.just("schooling"), st.floats(-3, 3), levels
)
sums = st.lists(terms, min_size=1, max_size=3).map(tuple)
tests = st.one_of(
    st.builds(Test, st.sampled_from(["age", "hours"]), below=ends, above=ends, missing=st.booleans()),
    st.builds(Test, st.just("schooling"), below=ends, above=ends, missing=st.booleans()),
    st.builds(Test, st.sampled_from(["schooling", "sex"]), levels=levels, missing=st.booleans()),
    st.builds(
        lambda several, below, above, missing: Test(several[0].field, below, above, None, missing, several),
        sums, ends, ends, st.booleans(),
    ),
)  # fmt: skip
bodies = st.lists(st.builds(Rule, st.lists(tests, max_size=4).map(tuple), st.just((0.0,))), min_size=1, max_size=70)


def one_by_one(rules, samples):
    """The slow twin: each test of each rule asked of all rows."""
    out = np.ones((len(samples), len(rules)), dtype=bool)
    for position, rule in enumerate(rules):
        for test in rule.tests:
            out[:, position] &= test.holds(samples)
    return out


@settings(deadline=None)
@given(bodies, st.integers(0, 99))
def test_masks_answer_as_the_tests_do(people, rules, seed):
    samples = people(30, seed)
    expected = one_by_one(rules, samples)
    assert np.array_equal(held(rules, samples), expected)
    assert np.array_equal(first(rules, samples), np.where(expected.any(1), expected.argmax(1), -1))


@pytest.mark.parametrize("size", [1, 31, 32, 33, 63, 64, 65, 130])
def test_any_number_of_rules_and_many_cuts(people, size):
    samples = people(CHUNK + 7)
    rules = [Rule((Test("hours", above=i * 80 / size, below=(i + 1) * 80 / size),), (0.0,)) for i in range(size)]
    expected = one_by_one(rules, samples)
    assert np.array_equal(held(rules, samples), expected)
    assert np.array_equal(first(rules, samples), np.where(expected.any(1), expected.argmax(1), -1))
    assert (first(rules, samples) == -1).sum() == (~expected.any(1)).sum() > 0
    assert MOST_CUTS < 32, "both ways to find a code are taken above"


def test_no_rows_and_rules_that_ask_nothing(people):
    assert first([Rule((), (0.0,))], people(3)).tolist() == [0, 0, 0]
    assert first([Rule((Test("age"),), (0.0,))], people(3)).tolist() == [0, 0, 0]
    assert first([Rule((Test("age", below=40.0),), (0.0,))], people(3).take([])).shape == (0,)
    assert held([Rule((), (0.0,))], people(3).take([])).shape == (0, 1)


def test_levels_are_met_by_name_in_whatever_order(people):
    samples = people(200)
    other = Domain(
        tuple(Category(f.name, f.levels[::-1], missing=True) if f.name == "sex" else f for f in samples.domain.fields)
    )
    columns = {**samples.columns, "sex": 1 - samples.columns["sex"]}
    turned = type(samples)(other, columns, samples.ids, samples.origin)
    rules = [Rule((Test("sex", levels=("female",)),), (0.0,)), Rule((), (0.0,))]
    assert np.array_equal(first(rules, samples), first(rules, turned))


def test_the_largest_number_is_beyond_no_cut():
    top = np.finfo(float).max
    domain = Domain((Real("x", missing=True),))
    rows = Samples(domain, {"x": np.array([top, -top, 0.0, np.nan])}, np.arange(4), Origin("ends"))
    rules = [Rule((Test("x", above=top),), (0.0,)), Rule((Test("x", below=top),), (0.0,))]
    assert first(rules, rows).tolist() == [1, 1, 1, -1]


def test_a_field_that_is_not_there_is_named(people):
    with pytest.raises(OutOfDomain, match="no field 'wealth'"):
        first([Rule((Test("wealth", below=1.0),), (0.0,))], people(3))
