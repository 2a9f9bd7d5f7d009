"""The public face: names are found when they are used, and rooms are not replaced by them."""

import importlib.util
import inspect

import pytest

import kdaudit
from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput
from kdaudit.layers import Layers
from kdaudit.signal import GRADIENT, KINDS, LABEL, LOGIT, SCORE, Signal


def test_each_public_name_is_there_and_documented():
    for name in kdaudit.__all__:
        thing = getattr(kdaudit, name)
        assert name == "__version__" or inspect.getdoc(thing), name
    assert set(kdaudit.__all__) <= set(dir(kdaudit))


def test_each_room_that_is_offered_can_be_imported():
    for name in set(dir(kdaudit)) - set(kdaudit.__all__):
        assert importlib.util.find_spec(f"kdaudit.{name}"), name
        assert inspect.ismodule(getattr(kdaudit, name))


def test_a_name_that_is_not_there_is_said_to_be_missing():
    with pytest.raises(AttributeError, match="module 'kdaudit' has no attribute 'destil'"):
        kdaudit.destil  # noqa: B018


@pytest.mark.parametrize("text", [*KINDS, "hidden@encoder.3", "attention@blocks.0"])
def test_signals_are_written_as_they_are_read(text):
    assert str(Signal.parse(text)) == text
    assert Signal.parse(text) == Signal.parse(text)


def test_unknown_signals_are_refused_and_known_ones_have_names():
    with pytest.raises(InvalidInput, match="signal kind 'logits' is unknown; kinds are label, score, logit"):
        Signal.parse("logits")
    assert [str(s) for s in (LABEL, SCORE, LOGIT, GRADIENT)] == ["label", "score", "logit", "gradient"]
    assert sorted({Signal("hidden", "b"), Signal("hidden", "a")})[0].at == "a"


def test_layers_come_back_as_they_were_written():
    layers = Layers("mlp", {"hidden": [32]}, 97, {"0.weight": (32, 2), "0.bias": (32,)})
    assert Layers.from_data(layers.to_data()) == layers


def test_the_sharpener_is_the_proxy_unless_another_was_chosen(told):
    proxy, teacher, other = told(None), told(None), told(None)
    cast = Cast(teacher, proxy, Empty("one teacher only"), Empty("not trained again"))
    assert cast.sharpener is proxy
    assert Cast(teacher, proxy, Empty(""), Empty(""), covariate=other).sharpener is other
