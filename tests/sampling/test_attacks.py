"""Changes of rows: inside the reach, the domain and its constraints; search against a slow second way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.attacks import Reach, by_chance, climbed, searched

MADE = Origin("made by chance")


def table(n=60, seed=0, constraints=()):
    rng = np.random.default_rng(seed)
    fields = (
        Real("age", 18, 90, integer=True),
        Real("hours", 0, 99, missing=True),
        Category("school", ("low", "middle", "high"), missing=True),
        Category("sex", ("f", "m"), immutable=True),
    )
    hours = np.where(rng.random(n) < 0.2, np.nan, rng.uniform(0, 99, n))
    columns = {
        "age": rng.integers(18, 91, n).astype(float),
        "hours": hours,
        "school": rng.integers(-1, 3, n).astype(np.int32),
        "sex": rng.integers(0, 2, n).astype(np.int32),
    }
    return Samples(Domain(fields, constraints), columns, np.arange(n), MADE)


def pictures(n=20, seed=0):
    pixels = np.random.default_rng(seed).random((n, 1, 4, 4)).astype(np.float32)
    return Samples(Domain((Image("x", (1, 4, 4)),)), {"x": pixels}, np.arange(n), MADE)


def texts():
    told = np.array(["a good film", "a bad film", None, "so good so good"], dtype=object)
    return Samples(Domain((Text("t", missing=True),)), {"t": told}, np.arange(4), MADE)


def inside(rows, made, size, swaps):
    """The slow second way: each value looked at by itself."""
    for i in range(len(rows)):
        swapped = 0
        for item in rows.domain.fields:
            a, b = rows.columns[item.name][i], made.columns[item.name][i]
            match item:
                case Real(integer=whole):
                    column = rows.columns[item.name]
                    assert np.isnan(a) == np.isnan(b)
                    if not np.isnan(a):
                        assert abs(a - b) <= size * np.nanstd(column) + 1e-9
                        assert np.nanmin(column) <= b <= np.nanmax(column)
                        assert not whole or b == round(b)
                case Category():
                    swapped += a != b
                    assert (a == -1) == (b == -1)
                    assert a == b or not item.immutable
                case _:
                    assert np.abs(a - b).max() <= size + 1e-6
        assert swapped <= swaps


@given(st.floats(0.0, 2.0), st.integers(0, 2), st.integers(1, 4), st.integers(0, 99))
def test_climbs_and_chance_stay_inside_the_reach(size, swaps, steps, seed):
    rows = table(seed=seed)
    encoding, reach = Encoding.fitted(rows), Reach.over(rows, size, swaps)
    slope = np.random.default_rng(seed).normal(size=(len(rows), encoding.width))
    made = climbed(rows, encoding, lambda z: slope * (1 + z), reach, steps)
    inside(rows, made, size, swaps)
    other = by_chance(rows, made, reach, np.random.default_rng(seed))
    inside(rows, other, size, swaps)
    for name in ("school", "sex"):
        assert ((other.columns[name] != rows.columns[name]) <= (rows.columns["school"] >= 0)).all()


@given(st.floats(0.0, 1.0), st.integers(1, 4))
def test_pictures_stay_inside_the_reach(size, steps):
    rows = pictures()
    encoding, reach = Pictures.fitted(rows), Reach.over(rows, size, 0)
    made = climbed(rows, encoding, lambda z: np.ones(z.shape), reach, steps)
    inside(rows, made, size, 0)
    assert made.columns["x"] == pytest.approx(np.minimum(rows.columns["x"] + size, 1.0), abs=1e-5)
    other = by_chance(rows, made, reach, np.random.default_rng(0))
    inside(rows, other, size, 0)
    found = searched(rows, lambda s, _: 5 - s.columns["x"].sum((1, 2, 3)), reach, np.random.default_rng(0), **FEW)
    inside(rows, found, size, 0)


FEW = {"rounds": 4, "brood": 5}


def test_a_climb_finds_the_best_corner_of_a_linear_margin():
    rows = table()
    encoding, reach = Encoding.fitted(rows), Reach.over(rows, 0.5, 1)
    slope = np.random.default_rng(1).normal(size=encoding.width)
    made = climbed(rows, encoding, lambda z: np.broadcast_to(slope, z.shape).astype(float), reach, 1)
    gain = (encoding.encode(made) - encoding.encode(rows)) @ slope
    school = slope[list(encoding.units.columns[2])][:3]
    for i in range(len(rows)):
        own, best = rows.columns["school"][i], 0.0
        if own >= 0:
            best = school.max() - school[own]
            assert made.columns["school"][i] == school.argmax()
        hours = rows.columns["hours"][i]
        if not np.isnan(hours):
            far = 0.5 * np.nanstd(rows.columns["hours"]) * np.sign(slope[1])
            moved = np.clip(hours + far, np.nanmin(rows.columns["hours"]), np.nanmax(rows.columns["hours"]))
            assert made.columns["hours"][i] == pytest.approx(moved, rel=1e-5)
        assert gain[i] >= best - 1e-5


def test_a_search_turns_what_can_be_turned_and_no_more():
    rows = table(200)
    reach, level = Reach.over(rows, 0.5, 1), rows.columns["age"].astype(float)
    far = 0.5 * level.std()

    def margin(made, origin):
        return 60 - made.columns["age"]

    made = searched(rows, margin, reach, np.random.default_rng(0), rounds=12, brood=12)
    inside(rows, made, 0.5, 1)
    turned = made.columns["age"] >= 60
    assert (turned <= (level + far >= 60)).all()
    assert (turned >= (level + np.floor(far) - 1 >= 60)).mean() > 0.98


def test_words_are_exchanged_for_words_of_the_data():
    rows, reach = texts(), Reach.over(texts(), 0.0, 2)

    def margin(made, origin):
        return np.array([0 if t is None else 1 - t.split().count("bad") for t in made.columns["t"]], dtype=float)

    made = searched(rows, margin, reach, np.random.default_rng(0), rounds=5, brood=20)
    other = by_chance(rows, made, reach, np.random.default_rng(1))
    told_of, first_of = (*made.columns["t"], *other.columns["t"]), (*rows.columns["t"], *rows.columns["t"])
    for told, first in zip(told_of, first_of, strict=True):
        assert (told is None) == (first is None)
        if told is not None:
            pairs = list(zip(told.split(), first.split(), strict=True))
            assert sum(a != b for a, b in pairs) <= 2
            assert all(a in reach.words for a, _ in pairs)
    assert made.columns["t"][0].count("bad") == 1


def test_constraints_hold_after_a_change():
    rows = table(constraints=("age >= 18", "age <= hours or age > 0"))
    tight = Samples(Domain(rows.domain.fields, ("age < 60",)), rows.columns, rows.ids, MADE)
    some = tight.take(rows.columns["age"] < 60)
    reach, encoding = Reach.over(some, 1.0, 0), Encoding.fitted(some)
    wide = Reach(reach.size, 0, reach.fields, {**reach.ends, "age": (18.0, 90.0)}, reach.spreads)
    made = climbed(some, encoding, lambda z: np.ones(z.shape), wide, 1)
    assert (made.columns["age"] < 60).all()
    assert (made.columns["age"] != some.columns["age"]).any()


def test_where_nothing_may_change_it_is_said():
    rows = Samples(Domain((Real("x", immutable=True),)), {"x": np.zeros(3)}, np.arange(3), MADE)
    with pytest.raises(InvalidInput, match="immutable"):
        Reach.over(rows, 0.1, 1)
