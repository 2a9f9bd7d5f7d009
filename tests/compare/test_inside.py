"""Each seat is looked into at the layers of its like."""

from types import SimpleNamespace

from kdaudit.cast import Cast, Empty
from kdaudit.compare.inside import inside
from kdaudit.compare.seats import seats_of
from kdaudit.layers import Layers

BODY = Layers("mlp", {}, 1, {})


def who(name, form=BODY):
    return SimpleNamespace(identity=SimpleNamespace(name=name), form=form, encoding=None)


def looked(cast):
    return inside(
        cast, seats_of(cast), (("theirs",), ("ours",)), lambda name, one, names: [name, one.identity.name, names]
    )


def test_teacher_and_twin_are_looked_into_at_its_layers_and_proxies_at_theirs():
    cast = Cast(who("t"), who("p"), who("s"), who("again"), further=(who("s2"),))
    assert looked(cast) == {
        "teacher": ["teacher", "t", ("theirs",)],
        "proxy": ["proxy", "p", ("ours",)],
        "stranger": ["stranger", "s", ("ours",)],
        "twin": ["twin", "again", ("theirs",)],
        "stranger 2": ["stranger 2", "s2", ("ours",)],
    }


def test_strangers_that_are_teachers_themselves_have_a_teachers_layers():
    found = looked(Cast(who("t"), who("p"), who("s"), Empty("none"), control_kind="swapped_teacher"))
    assert found["stranger"] == ["stranger", "s", ("theirs",)]


def test_an_empty_seat_keeps_its_reason_and_a_closed_model_gets_one():
    found = looked(Cast(who("t"), who("p", form=None), Empty("nobody came"), Empty("none")))
    assert found["stranger"].reason == "nobody came"
    assert found["proxy"].reason == "p has no layers that could be looked at"
