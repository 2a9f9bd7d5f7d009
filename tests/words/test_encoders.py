import numpy as np
import pytest

from kdaudit.domain import Domain, Image, Real, Text
from kdaudit.encoders import Reading, chosen, fitted, read_encoder, read_of
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Image("seen", (1, 2, 2)), Text("told"), Real("sum"), Real("age", protected=True)))


@pytest.fixture
def rows():
    seen = np.random.default_rng(0).random((4, 1, 2, 2)).astype(np.float32)
    told = np.array(["a b", "b", "a", "c a b"], dtype=object)
    columns = {"seen": seen, "told": told, "sum": seen.sum(axis=(1, 2, 3)).astype(float), "age": np.arange(4.0)}
    return Samples(DOMAIN, columns, np.arange(4), Origin("paired"), np.arange(4))


@pytest.mark.parametrize("reads", [("seen",), ("told",), ("sum",), ("age", "sum")])
def test_some_fields_are_read_as_if_there_were_no_others(rows, reads):
    encoder, alone = fitted(rows, reads), fitted(chosen(rows, reads))
    assert isinstance(encoder, Reading)
    assert encoder.inner == alone
    assert (encoder.width, encoder.units, encoder.continuous) == (alone.width, alone.units, alone.continuous)
    assert np.array_equal(encoder.encode(rows), alone.encode(chosen(rows, reads)))
    assert read_of(encoder) == read_of(alone) == reads
    assert encoder.domain == DOMAIN


def test_other_fields_may_change_without_an_effect(rows):
    encoder = fitted(rows, ("sum",))
    moved = Samples(DOMAIN, {**rows.columns, "age": rows.columns["age"] + 7}, rows.ids, rows.origin)
    assert np.array_equal(encoder.encode(moved), encoder.encode(rows))


def test_it_comes_back_from_plain_data(rows):
    encoder = fitted(rows, ("told",))
    assert read_encoder(encoder.to_data()) == encoder
    with pytest.raises(InvalidInput, match="holds another such one"):
        read_encoder({**encoder.to_data(), "inner": encoder.to_data()})


def test_all_fields_are_read_where_none_is_named(rows):
    table = chosen(rows, ("sum", "age"))
    assert fitted(table) == fitted(table, ("sum", "age"))
    assert not isinstance(fitted(table), Reading)
    assert chosen(rows, ("sum",)).labels is rows.labels


def test_pictures_and_texts_beside_other_fields_need_a_word_on_which_is_read(rows):
    with pytest.raises(InvalidInput, match="say with `reads` which field is read"):
        fitted(rows)
    with pytest.raises(OutOfDomain, match="no field 'weight'"):
        fitted(rows, ("weight",))
