import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Domain, Image, Real, Text
from kdaudit.encoders import ENCODERS, fitted, read_encoder
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.samples import Origin, Samples
from kdaudit.tokens import FIRST, PADDING, UNKNOWN, Tokens, split

DOMAIN = Domain((Text("said", missing=True),))


def said(*texts, domain=DOMAIN):
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return Samples(domain, {"said": values}, np.arange(len(texts)), Origin("written"))


def test_words_are_numbered_by_how_often_they_occur():
    samples = said("a good film", "A film, good or bad", "film!")
    tokens = Tokens.fitted(samples, least=1)
    assert tokens.words == ("film", "a", "good", "!", ",", "bad", "or")
    assert Tokens.fitted(samples).words == ("film", "a", "good")
    assert Tokens.fitted(samples, words=2).words == ("film", "a")
    assert tokens.vocabulary == 7 + FIRST


def test_texts_are_filled_up_and_cut_off():
    tokens = Tokens(DOMAIN, ("film", "good"), 3)
    encoded = tokens.encode(said("Good film", "one good good film", None, ""))
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [
        [FIRST + 1, FIRST, PADDING],
        [UNKNOWN, FIRST + 1, FIRST + 1],
        [PADDING] * 3,
        [PADDING] * 3,
    ]


def test_the_order_of_rows_changes_nothing():
    texts = ["a b c", "b c", "c d e", "e d"]
    assert Tokens.fitted(said(*texts)) == Tokens.fitted(said(*texts[::-1]))


@given(st.text())
def test_splitting_loses_only_space(text):
    assert "".join(split(text)) == "".join(text.lower().split())


def test_each_place_is_a_unit():
    units = Tokens(DOMAIN, ("film",), 3).units
    assert units.names == ("word 1", "word 2", "word 3")
    assert units.columns == ((0,), (1,), (2,))


def test_encoders_come_back_from_json():
    numbers = Samples(Domain((Real("x"),)), {"x": np.arange(3.0)}, np.arange(3), Origin("counted"))
    grey = Samples(Domain((Image("p", (1, 2, 2)),)), {"p": np.full((3, 1, 2, 2), 0.5)}, np.arange(3), Origin("grey"))
    for samples, kind in ((numbers, "table"), (grey, "pictures"), (said("a a", "b"), "tokens")):
        encoder = fitted(samples)
        assert type(encoder) is ENCODERS[kind]
        assert read_encoder(json.loads(json.dumps(encoder.to_data()))) == encoder
        assert encoder.encode(samples).shape == (len(samples), encoder.width)
    with pytest.raises(InvalidInput, match="encoding 'sound' is unknown"):
        read_encoder({"kind": "sound"})


def test_what_is_no_text_is_refused():
    with pytest.raises(OutOfDomain, match="a text of at most 3 characters"):
        said("four", domain=Domain((Text("said", longest=3),)))
    with pytest.raises(OutOfDomain, match="not missing"):
        said(None, domain=Domain((Text("said"),)))
    with pytest.raises(InvalidInput, match="one text and nothing else"):
        Tokens(Domain((Real("x"),)), (), 3)
    with pytest.raises(InvalidInput, match="twice"):
        Tokens(DOMAIN, ("a", "a"), 3)
    with pytest.raises(OutOfDomain, match="said were expected"):
        Tokens(DOMAIN, ("a",), 3).encode(_other())


def _other():
    return Samples(Domain((Text("heard"),)), {"heard": np.array(["a"], object)}, np.arange(1), Origin("written"))


def test_a_missing_text_and_an_empty_one_have_other_keys():
    keys = said(None, "", "None", "a").keys()
    assert len(set(keys.tolist())) == 4


def test_one_text_can_be_set_for_all_rows():
    assert said("a", "b").setting("said", "c").columns["said"].tolist() == ["c", "c"]
