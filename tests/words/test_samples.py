"""Rows: keys are equal if and only if contents are; what a field does not admit is refused by row and value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import OutOfDomain
from kdaudit.samples import Origin, Samples, concat

ORIGIN = Origin("drawn")
SMALL = Domain((Real("x", missing=True), Real("y"), Category("c", ("a", "b", "ab"), missing=True)))
reals = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e300])
cells = st.tuples(reals | st.just(math.nan), reals, st.integers(-1, 2))


def made(rows, domain=SMALL):
    columns = (
        [np.array(c) for c in zip(*rows, strict=True)] if rows else [np.array([]), np.array([]), np.array([], "i4")]
    )
    named = dict(zip(domain.names, columns, strict=True))
    return Samples(domain, named, np.arange(len(rows)), ORIGIN)


def content(row):
    """The slow twin of a key: the row's values, -0 as 0 and all NaN as one."""
    return tuple("nan" if v != v else v + 0 for v in row)


@given(st.lists(cells, min_size=2, max_size=12))
def test_keys_are_equal_if_and_only_if_contents_are(rows):
    keys = made(rows).keys()
    assert keys.dtype == "S16" and keys.shape == (len(rows),)
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            assert (keys[i] == keys[j]) == (content(one) == content(other))


def test_minus_zero_is_zero_and_every_nan_is_one():
    odd_nan = np.frombuffer(np.uint64(0x7FF8_0000_0000_0F0F).tobytes(), "f8")[0]
    keys = made([(0.0, 0.0, 0), (-0.0, -0.0, 0), (math.nan, 1.0, 1), (odd_nan, 1.0, 1), (-math.nan, 1.0, 1)]).keys()
    assert keys[0] == keys[1]
    assert keys[2] == keys[3] == keys[4]
    assert keys[0] != keys[2]


@given(st.lists(cells, min_size=1, max_size=12))
def test_a_level_added_or_moved_leaves_keys_as_they_are(rows):
    wider = Domain((*SMALL.fields[:2], Category("c", ("new", "a", "b", "newer", "ab"), missing=True)))
    place = {-1: -1, 0: 1, 1: 2, 2: 4}
    moved = [(x, y, place[c]) for x, y, c in rows]
    assert (made(rows).keys() == made(moved, wider).keys()).all()


def test_ranges_and_roles_leave_keys_but_names_and_kinds_do_not():
    rows = [(1.0, 2.0, 0)]
    role = Domain((Real("x", -9, 9, protected=True), Real("y", unit="m"), Category("c", ("a",), immutable=True)))
    renamed = Domain((Real("x", missing=True), Real("z"), Category("c", ("a", "b", "ab"), missing=True)))
    assert made(rows).keys() == made(rows, role).keys()
    assert made(rows).keys() != made(rows, renamed).keys()


def test_values_do_not_run_into_each_other_across_columns():
    two = Domain((Category("first", ("a", "ab", "b", "")), Category("second", ("b", "", "ab", "a"))))
    # ("a", "b") and ("ab", "") read alike when strung together
    samples = Samples(two, {"first": np.array([0, 1]), "second": np.array([0, 1])}, np.arange(2), ORIGIN)
    assert len(np.unique(samples.keys())) == 2


def test_a_permutation_permutes_keys_and_taking_keeps_them(people):
    samples = people(500)
    order = np.random.default_rng(1).permutation(500)
    columns = {name: column[order] for name, column in samples.columns.items()}
    afresh = Samples(samples.domain, columns, samples.ids[order], samples.origin)
    assert (samples.take(order).keys() == samples.keys()[order]).all()  # taken before they were made
    assert (afresh.keys() == samples.keys()[order]).all()
    assert (samples.take(order).keys() == afresh.keys()).all()  # taken afterwards
    mask = np.arange(500) % 3 == 0
    taken = samples.take(mask, part="pool")
    assert (taken.keys() == samples.keys()[mask]).all()
    assert taken.ids.tolist() == samples.ids[mask].tolist()
    assert taken.labels.tolist() == samples.labels[mask].tolist()
    assert taken.weights.tolist() == samples.weights[mask].tolist()
    assert (taken.origin.part, samples.origin.part) == ("pool", "judge")


def test_keys_of_distinct_rows_are_distinct_and_full(people):
    samples = people(20_000)
    slow = {tuple("nan" if v != v else v for v in row) for row in zip(*samples.columns.values(), strict=True)}
    assert len(np.unique(samples.keys())) == len(slow)
    assert samples.keys().tobytes() == b"".join(samples.take([i]).keys().tobytes() for i in range(len(samples)))


def test_no_rows_have_no_keys():
    assert len(made([]).keys()) == 0
    assert len(concat([made([]), made([(1.0, 1.0, 0)])]).keys()) == 1


def test_setting_a_field_keeps_ids_and_all_else(people):
    samples = people(50)
    before = samples.keys().copy()
    women = samples.setting("sex", "female")
    assert (women.columns["sex"] == 0).all() and (women.ids == samples.ids).all()
    assert np.array_equal(women.columns["hours"], samples.columns["hours"], equal_nan=True)
    assert ((women.keys() == before) == (samples.columns["sex"] == 0)).all()
    assert (samples.keys() == before).all()
    assert (samples.setting("hours", 40).columns["hours"] == 40.0).all()
    with pytest.raises(OutOfDomain, match="sex has no level 'other'"):
        samples.setting("sex", "other")
    with pytest.raises(OutOfDomain, match="age = 17"):
        samples.setting("age", 17)


def test_concat_is_the_rows_one_after_another(people):
    one, two = people(5, 1), people(7, 2)
    both = concat([one, two])
    assert len(both) == 12
    assert (both.keys() == np.concatenate([one.keys(), two.keys()])).all()
    assert both.labels.tolist() == [*one.labels, *two.labels]
    assert concat([one, Samples(two.domain, two.columns, two.ids, two.origin)]).labels is None


def test_concat_refuses_rows_whose_levels_mean_something_else(people, domain):
    other = Domain((*domain.fields[:2], Category("sex", ("male", "female")), domain.fields[3]))
    with pytest.raises(OutOfDomain, match="different domains"):
        concat([people(3), people(3, domain=other)])


def test_levels_and_frame_speak_of_levels_by_name(people, domain):
    samples = people(200)
    names = domain.category("schooling").levels
    slow = [None if code == -1 else names[code] for code in samples.columns["schooling"]]
    assert samples.level("schooling").tolist() == slow
    frame = samples.frame()
    assert frame.index.tolist() == samples.ids.tolist() and list(frame) == list(domain.names)
    assert [None if v != v else v for v in frame["schooling"]] == slow
    assert frame["schooling"].cat.ordered and not frame["sex"].cat.ordered


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("age", [20.0, 17.0], "age = 17.0 in row b is not a whole number from 18 to 99"),
        ("age", [20.5, 30.0], "age = 20.5 in row a"),
        ("age", [20.0, math.nan], "age = nan in row b .* not missing"),
        ("hours", [math.inf, 3.0], "hours = inf in row a"),
        ("hours", [200.0, 300.0], "2 such rows"),
        ("hours", ["40", "41"], "column 'hours' holds .* numbers of shape"),
        ("hours", [[1.0], [2.0]], r"shape \(2, 1\)"),
        ("hours", [1.0], "'hours' has 1 values for 2 rows"),
        ("sex", [0, 2], "sex = 2 in row b is not a position among its 2 levels"),
        ("sex", [0, -1], "sex = -1 in row b .* not missing"),
        ("sex", [0, 2**32], "sex = 4294967296 in row b"),
        ("sex", [0.0, 0.9], "column 'sex' holds float64"),
        ("sex", ["male", "female"], "positions of levels"),
        ("schooling", [-2, 0], "schooling = -2 in row a"),
    ],
)
def test_what_a_field_does_not_admit_is_refused_by_row_and_value(name, values, sentence, domain):
    good = {"age": [20, 30], "hours": [math.nan, 40.0], "sex": [0, 1], "schooling": [-1, 3]}
    columns = {k: np.array(v) for k, v in {**good, name: values}.items()}
    assert len(Samples(domain, {k: np.array(v) for k, v in good.items()}, np.array(["a", "b"]), ORIGIN)) == 2
    with pytest.raises(OutOfDomain, match=sentence):
        Samples(domain, columns, np.array(["a", "b"]), ORIGIN)


def test_a_missing_column_is_named_and_a_further_one_is_left_out(people, domain):
    columns = dict(people(3).columns)
    assert set(Samples(domain, {**columns, "extra": np.zeros(3)}, np.arange(3), ORIGIN).columns) == set(domain.names)
    del columns["hours"]
    with pytest.raises(OutOfDomain, match="'hours' is missing.*there are age, sex, schooling"):
        Samples(domain, columns, np.arange(3), ORIGIN)
    with pytest.raises(OutOfDomain, match="labels has 2 values for 3 rows"):
        Samples(domain, people(3).columns, np.arange(3), ORIGIN, labels=np.zeros(2))
