"""Encodings: the same numbers as a loop over rows and levels."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Real, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Origin, Samples


def slow(samples, fitted_on):
    """The textbook: standardise, then one column a level, then one for missing."""
    columns = []
    for field in samples.domain.fields:
        values, fit = samples.columns[field.name], fitted_on.columns[field.name]
        if isinstance(field, Real):
            known = [v for v in fit if v == v]
            mean = sum(known) / len(known)
            scale = math.sqrt(sum((v - mean) ** 2 for v in known) / len(known)) or 1.0
            columns.append([0.0 if v != v else (v - mean) / scale for v in values])
            if field.missing:
                columns.append([float(v != v) for v in values])
        else:
            codes = [*range(len(field.levels)), *([-1] if field.missing else [])]
            columns += [[float(v == code) for v in values] for code in codes]
    return np.array(columns).T


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_numbers_are_those_of_a_loop(people, seed, other):
    fit, samples = people(40, seed), people(25, other)
    encoding = Encoding.fitted(fit)
    encoded = encoding.encode(samples)
    assert encoded.dtype == np.float32 and encoded.shape == (25, encoding.width)
    np.testing.assert_allclose(encoded, slow(samples, fit), rtol=1e-5, atol=1e-6)


def test_each_row_is_encoded_alike_whatever_its_company(people):
    samples = people(30)
    encoding = Encoding.fitted(samples)
    whole = encoding.encode(samples)
    assert all((encoding.encode(samples.take([i]))[0] == whole[i]).all() for i in range(30))
    assert encoding.encode(people(0)).shape == (0, encoding.width)


def test_units_tell_which_columns_a_field_has(people, domain):
    samples = people(50)
    encoding = Encoding.fitted(samples)
    units = encoding.units
    assert units.names == domain.names and len(units) == 4
    assert sum(units.columns, ()) == tuple(range(encoding.width))
    changed = encoding.encode(samples.setting("sex", "male")) != encoding.encode(samples.setting("sex", "female"))
    assert np.flatnonzero(changed.any(axis=0)).tolist() == list(units.columns[2])
    values = np.random.default_rng(0).normal(size=(50, encoding.width))
    by_hand = [[sum(row[c] for c in columns) for columns in units.columns] for row in values]
    np.testing.assert_allclose(units.gather(values), by_hand)


def test_a_constant_field_is_zero_and_a_field_without_values_too():
    domain = Domain((Real("same"), Real("never", missing=True)))
    columns = {"same": np.full(3, 7.0), "never": np.full(3, np.nan)}
    samples = Samples(domain, columns, np.arange(3), Origin("drawn"))
    assert Encoding.fitted(samples).encode(samples).tolist() == [[0, 0, 1]] * 3


def test_levels_are_found_by_name_and_those_never_met_are_refused(people, domain):
    samples = people(40)
    encoding = Encoding.fitted(samples)
    wider = Category("sex", ("unknown", "male", "female"), protected=True)
    theirs = Domain((*domain.fields[:2], wider, domain.fields[3]))
    swapped = np.where(samples.columns["sex"] == 0, 2, 1).astype(np.int32)
    same = Samples(theirs, {**samples.columns, "sex": swapped}, samples.ids, samples.origin)
    assert (encoding.encode(same) == encoding.encode(samples)).all()
    with pytest.raises(OutOfDomain, match="sex has levels that this subject never met: unknown"):
        encoding.encode(same.setting("sex", "unknown"))


@pytest.mark.parametrize(("name", "gone"), [("age", np.nan), ("sex", -1)])
def test_a_missing_value_without_a_column_is_refused(people, domain, name, gone):
    """Else the row would be marked in the next field's columns, or pass for the mean."""
    samples = people(40)
    fields = tuple(
        Category("sex", f.levels, missing=True)
        if f.name == "sex"
        else Real("age", missing=True)
        if f.name == "age"
        else f
        for f in domain.fields
    )
    column = samples.columns[name].copy()
    column[3] = gone
    other = Samples(Domain(fields), {**samples.columns, name: column}, samples.ids, samples.origin)
    with pytest.raises(OutOfDomain, match=f"{name} is missing in 1 rows"):
        Encoding.fitted(samples).encode(other)


def test_other_fields_are_refused(people):
    samples = people(5)
    other = Samples(Domain((Real("age"),)), samples.columns, samples.ids, samples.origin)
    with pytest.raises(OutOfDomain, match="rows with fields age; age, hours, sex, schooling were expected"):
        Encoding.fitted(samples).encode(other)
    texts = Samples(Domain((Text("note"),)), {"note": np.array(["a"], object)}, np.arange(1), samples.origin)
    with pytest.raises(InvalidInput, match="'note' is a text"):
        Encoding.fitted(texts)


def test_an_encoding_comes_back_as_it_was_written(people):
    encoding = Encoding.fitted(people(33))
    assert Encoding.from_data(json.loads(json.dumps(encoding.to_data()))) == encoding
