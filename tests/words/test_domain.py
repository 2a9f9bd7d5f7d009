"""Domains: what they are made of, and that they come back as they were written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.errors import InvalidInput, OutOfDomain

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
flags = {"missing": st.booleans(), "protected": st.booleans(), "immutable": st.booleans()}
kinds = st.one_of(
    st.builds(Real, names, st.floats(-1e6, 0) | st.none(), st.floats(0, 1e6) | st.none(), st.text(max_size=5),
              integer=st.booleans(), monotone=st.sampled_from([-1, 0, 1]), **flags),
    st.builds(Category, names, st.lists(st.text(max_size=6), min_size=1, max_size=5, unique=True).map(tuple),
              ordered=st.booleans(), **flags),
    st.builds(Text, names, st.integers(1, 100), **flags),
    st.builds(Image, names, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), **flags),
)  # fmt: skip


@given(st.lists(kinds, min_size=1, max_size=5, unique_by=lambda f: f.name), st.lists(st.text(max_size=9), max_size=2))
def test_a_domain_comes_back_as_it_was_written(fields, constraints):
    domain = Domain(tuple(fields), tuple(constraints))
    assert Domain.from_data(json.loads(json.dumps(domain.to_data()))) == domain
    assert domain.names == tuple(f.name for f in fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((Real("a"), Real("a")), "two fields are called 'a'"),
        ((Real("working hours"),), "'working hours' is no identifier"),
        ((Category("a", ()),), "at least one level"),
        ((Category("a", ("x", "x")),), "no level twice"),
        ((Real("a", 2, 1),), "low 2 above high 1"),
    ],
)
def test_a_domain_that_makes_no_sense_is_refused(fields, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        Domain(fields)


def test_unknown_kinds_and_keys_are_named():
    with pytest.raises(InvalidInput, match="field kind 'reel' is unknown; kinds are real, category, text, image"):
        Domain.from_data({"fields": [{"kind": "reel", "name": "a"}]})
    with pytest.raises(InvalidInput, match="field 'a'.*levles"):
        Domain.from_data({"fields": [{"kind": "category", "name": "a", "levles": ["x"]}]})


def test_fields_and_levels_are_found_by_name(domain):
    assert domain["age"].high == 99 and "age" in domain and "agee" not in domain
    assert domain.code("sex", "male") == 1 and domain.protected == ("sex",)
    for wrong, sentence in [
        (lambda: domain["agee"], "no field 'agee'; the fields are age, hours, sex, schooling"),
        (lambda: domain.code("sex", "men"), "sex has no level 'men'; its levels are female, male"),
        (lambda: domain.category("age"), "'age' is a real; a category was expected"),
    ]:
        with pytest.raises(OutOfDomain, match=sentence):
            wrong()
