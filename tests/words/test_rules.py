"""Rules: the answer of a loop over rows, the words of the tests, and JSON that cannot do harm."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Domain, Real
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.rules import Rule, Rules, Term, Test, merged

SCHOOLING = ("none", "school", "bachelor's degree", "doctorate")
maybe = st.none() | st.integers(0, 90).map(float)
tests = st.one_of(
    st.builds(Test, st.sampled_from(["age", "hours"]), below=maybe, above=maybe, missing=st.booleans()),
    st.builds(Test, st.just("schooling"), below=st.sampled_from([0.5, 1.5, None]), above=st.sampled_from([None, -0.5]),
              missing=st.booleans()),
    st.builds(Test, st.just("schooling"), levels=st.lists(st.sampled_from(SCHOOLING), unique=True).map(tuple),
              missing=st.booleans()),
    st.builds(Test, st.just("sex"), levels=st.lists(st.sampled_from(["female", "male", "?"])).map(tuple)),
)  # fmt: skip
scores = st.tuples(st.floats(0, 1), st.floats(0, 1))
rule = st.builds(Rule, st.lists(tests, max_size=4).map(tuple), scores, st.integers(0, 99))
lists = st.builds(
    lambda rules, last: Rules("list", (*rules, Rule((), last)), ("a", "b")), st.lists(rule, max_size=5), scores
)


def holds(test, row):
    """The slow twin of a test: one row as a dict, categories by name, None where missing."""
    value = row[test.field]
    if value is None:
        return test.missing
    if test.levels is not None:
        return value in test.levels
    value = SCHOOLING.index(value) if test.field == "schooling" else value
    return (test.below is None or value <= test.below) and (test.above is None or value > test.above)


def rows_of(samples):
    frame = {name: column.tolist() for name, column in samples.columns.items()}
    frame |= {name: samples.level(name).tolist() for name in ("sex", "schooling")}
    for values in zip(*frame.values(), strict=True):
        yield {k: None if v != v else v for k, v in zip(frame, values, strict=True)}


def first(rules, row):
    return next(i for i, rule in enumerate(rules.rules) if all(holds(t, row) for t in rule.tests))


@given(lists, st.integers(0, 99))
def test_the_first_rule_that_holds_answers(people, rules, seed):
    samples = people(25, seed)
    expected = [first(rules, row) for row in rows_of(samples)]
    assert rules.which(samples).tolist() == expected
    assert rules.evaluate(samples).tolist() == [list(rules.rules[i].score) for i in expected]


@given(lists)
def test_rules_come_back_as_they_were_written(rules):
    assert Rules.from_data(json.loads(json.dumps(rules.to_data(), allow_nan=False))) == rules


@given(st.lists(st.builds(Test, st.sampled_from(["age", "hours"]), below=maybe, above=maybe, missing=st.booleans())))
def test_merged_tests_hold_for_the_same_rows(people, several):
    samples = people(40)
    together = np.ones(40, dtype=bool)
    for test in several:
        together &= test.holds(samples)
    joined = np.ones(40, dtype=bool)
    for test in merged(tuple(several)):
        joined &= test.holds(samples)
    assert joined.tolist() == together.tolist()
    assert len({t.field for t in merged(tuple(several))}) == len(merged(tuple(several)))


TREE = Rules(
    "tree",
    (
        Rule((Test("age", below=40.0), Test("schooling", below=1.5, missing=True)), (0.1,), 10),
        Rule((Test("age", below=40.0), Test("schooling", above=1.5)), (0.4,), 20),
        Rule((Test("age", above=40.0), Test("sex", levels=("female",))), (0.3,), 30),
        Rule((Test("age", above=40.0), Test("sex", levels=("male",))), (0.9,), 40),
    ),
    ("yes",),
)


def test_exactly_one_leaf_of_a_tree_holds_and_answers(people):
    samples = people(300)
    for position, row in zip(TREE.which(samples), rows_of(samples), strict=True):
        held = [i for i, r in enumerate(TREE.rules) if all(holds(t, row) for t in r.tests)]
        assert held == [position]
    assert TREE.terms == 3 and TREE.fields == ("age", "schooling", "sex")


def test_a_tree_that_is_not_whole_says_so(people):
    samples = people(300)
    lost = int((samples.columns["schooling"] == -1)[samples.columns["age"] <= 40].sum())
    tests = (TREE.rules[0].tests[0], replace(TREE.rules[0].tests[1], missing=False))
    broken = replace(TREE, rules=(replace(TREE.rules[0], tests=tests), *TREE.rules[1:]))
    assert lost > 0
    with pytest.raises(InvalidInput, match=f"{lost} rows meet no leaf"):
        broken.which(samples)


def test_words_of_rules(domain):
    words = [rule.text(domain) for rule in TREE.rules]
    assert words == [
        "age at most 40 years and schooling at most school or missing",
        "age at most 40 years and schooling at least bachelor's degree",
        "age at least 41 years and sex is female",
        "age at least 41 years and sex is male",
    ]
    several = Rule((Test("age", above=30.5), Test("hours", below=20.25), Test("age", below=40.0)), (1.0,))
    assert several.text(domain) == "age from 31 to 40 years and hours at most 20.25"
    assert Rule((Test("age", above=30.0), Test("age", below=31.0)), (1.0,)).text(domain) == "age is 31 years"
    assert Rule((Test("schooling", levels=("none", "doctorate")),), (1.0,)).text(domain) == (
        "schooling is one of none, doctorate"
    )
    assert Rule((), (1.0,)).text(domain) == "every other row"
    week = Domain((Real("hours_per_week", unit="hours per week", integer=True),))
    assert Test("hours_per_week", below=41.5).text(week) == "hours per week at most 41"


@given(st.builds(Test, st.just("schooling"), above=st.sampled_from([-0.5, 0.5, 1.5, 2.0]), missing=st.booleans()))
def test_words_and_rows_of_an_ordered_test_agree(people, domain, test):
    least = test.text(domain).removesuffix(" or missing").removeprefix("schooling at least ")
    samples = people(60)
    at_least = [None if v is None else SCHOOLING.index(v) >= SCHOOLING.index(least) for v in samples.level("schooling")]
    assert test.holds(samples).tolist() == [test.missing if v is None else v for v in at_least]


@pytest.mark.parametrize(
    ("family", "rules", "sentence"),
    [
        ("list", (), "at least one rule"),
        ("list", (Rule((Test("age", below=3.0),), (1.0,)),), "ends with a rule without tests"),
        ("list", (Rule((), (1.0, 2.0)),), "every rule answers with 1 numbers: yes"),
        ("forest", (Rule((), (1.0,)),), "family 'forest' are unknown"),
    ],
)
def test_bodies_that_make_no_sense_are_refused(family, rules, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        Rules(family, rules, ("yes",))


def hostile(**changes):
    data = json.loads(json.dumps(TREE.to_data()))
    for path, value in changes.items():
        *way, last = path.split("__")
        spot = data
        for step in way:
            spot = spot[int(step) if step.isdigit() else step]
        spot[last] = value
    return data


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        "rules",
        {},
        hostile(format=2),
        hostile(family="forest"),
        hostile(rules=None),
        hostile(rules={}),
        hostile(rules=["abc"]),
        hostile(rules=[[]]),
        hostile(outputs=None),
        hostile(outputs=["a", "b"]),
        hostile(rules__0__score=[math.nan]),
        hostile(rules__0__score=[10**400]),
        hostile(rules__0__score="0.5"),
        hostile(rules__0__n=math.inf),
        hostile(rules__0__tests="abc"),
        hostile(rules__0__tests=[{"below": 1.0}]),
        hostile(rules__0__tests=[{"field": ["age"]}]),
        hostile(rules__0__tests__0__below="1"),
        hostile(rules__0__tests__0__below=math.nan),
        hostile(rules__0__tests__0__above=True),
        hostile(rules__0__tests__0__levels="ab"),
        hostile(rules__0__tests__0__levels=[1]),
        hostile(rules__0__tests__0__missing="yes"),
        hostile(rules__0__tests__0__code="import os"),
    ],
    ids=str,
)
def test_hostile_json_is_refused_in_one_sentence(data):
    with pytest.raises(InvalidInput):
        Rules.from_data(data)


def test_a_rule_on_a_field_that_is_not_there_says_so(people):
    with pytest.raises(OutOfDomain, match="no field 'wage'"):
        Test("wage", below=3.0).holds(people(3))


def summed():
    terms = (Term("age", 1.0), Term("sex", -12.5, ("female",)), Term("schooling", 3.0))
    return Test("age", below=30.0, terms=terms), Test("age", above=30.0, terms=terms, missing=True)


def test_a_weighted_sum_is_added_up_row_by_row(people):
    people, (low, high) = people(200), summed()
    domain = people.domain
    for at, (age, sex, schooling) in enumerate(
        zip(people.columns["age"], people.columns["sex"], people.columns["schooling"], strict=True)
    ):
        absent = np.isnan(age) or sex < 0 or schooling < 0
        total = age - 12.5 * (domain.category("sex").levels[sex] == "female") + 3.0 * schooling
        assert low.holds(people)[at] == (not absent and total <= 30.0)
        assert high.holds(people)[at] == (absent or total > 30.0)
    assert low.text(domain) == "age - 12.5 if sex is female + 3 x rank of schooling, in sum at most 30"
    assert high.text(domain).endswith("in sum above 30 or not known")


def test_a_tree_with_sums_is_written_read_and_counted():
    low, high = summed()
    rules = Rules("tree", (Rule((low,), (0.1,), 4), Rule((high,), (0.9,), 5)), ("yes",))
    data = json.loads(json.dumps(rules.to_data()))
    assert data["format"] == 2
    assert Rules.from_data(data) == rules
    assert (rules.terms, rules.depth, rules.fields) == (3, 1, ("age", "schooling", "sex"))
    assert merged((low, high))[0].terms == low.terms


@pytest.mark.parametrize(
    "spoil",
    [
        lambda test: test.update(terms=[{"field": "age", "weight": float("inf")}]),
        lambda test: test.update(terms=[{"field": "sex", "weight": 1.0}]),
        lambda test: test.update(terms=[{"field": "age", "weight": 1.0, "strange": 1}]),
        lambda test: test.update(levels=["female"]),
        lambda test: test.pop("below"),
        lambda test: test.update(terms=7),
        lambda test: test.update(terms=["age"]),
    ],
)
def test_hostile_sums_are_refused(spoil):
    low, high = summed()
    data = json.loads(
        json.dumps(Rules("tree", (Rule((low,), (0.1,), 4), Rule((high,), (0.9,), 5)), ("yes",)).to_data())
    )
    spoil(data["rules"][0]["tests"][0])
    with pytest.raises(InvalidInput):
        Rules.from_data(data)


def test_the_votes_of_a_set_are_added_up(people):
    people = people(200)
    young, women = Test("age", below=40.0), Test("sex", levels=("female",))
    rules = Rules("set", (Rule((young,), (0.2,)), Rule((young, women), (0.3,)), Rule((), (0.1,))), ("yes",))
    a, b = young.holds(people), women.holds(people)
    np.testing.assert_allclose(rules.evaluate(people)[:, 0], 0.1 + 0.2 * a + 0.3 * (a & b))
    assert rules.held(people).sum() == len(people) + a.sum() + (a & b).sum()
    assert Rules.from_data(json.loads(json.dumps(rules.to_data()))) == rules
    with pytest.raises(InvalidInput, match="default"):
        Rules("set", rules.rules[:2], ("yes",))
