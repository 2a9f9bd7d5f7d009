"""Digests: the same for the same data whatever its order, another for any other data, none for what has no content."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdaudit import digest
from kdaudit.finding import Verdict
from kdaudit.signal import LABEL, SCORE

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True)
class Tree:
    leaves: int = 16
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bush:
    leaves: int = 16
    fields: tuple[str, ...] = ()


@given(plain)
def test_canonical_text_is_json_of_the_same_data(value):
    assert json.loads(digest.canonical(value)) == value
    assert digest.of_data(value) == hashlib.sha256(digest.canonical(value).encode()).hexdigest()


@given(st.dictionaries(st.text(max_size=4), plain, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_order_of_keys_and_of_sets_does_not_matter(value, chance):
    items = list(value.items())
    chance.shuffle(items)
    assert digest.of_data(dict(items)) == digest.of_data(value)
    assert digest.of_data(frozenset(value)) == digest.of_data({*list(value)[::-1]})
    assert digest.of_data(frozenset({LABEL, SCORE})) == digest.of_data(frozenset({SCORE, LABEL}))


@given(plain, plain)
def test_other_data_has_another_digest(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest.of_data(one) == digest.of_data(other)) == same


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, [{"a": -math.inf}], np.float32("nan"), object(), b"x", Tree, {1j}]
)
def test_what_has_no_content_is_refused(value):
    with pytest.raises(ValueError, match=r".+"):
        digest.canonical(value)


def test_recipes_have_the_digest_of_their_class_and_fields():
    assert digest.of_data(Tree()) == digest.of_data(Tree(16, ()))
    assert len({digest.of_data(x) for x in (Tree(), Tree(8), Bush(), Tree(fields=("a",)))}) == 4
    assert digest.recipe_data(Tree(fields=("a",))) == {"leaves": 16, "fields": ["a"]}
    for wrong in (Tree, {"leaves": 16}, None):
        with pytest.raises(ValueError, match="no recipe"):
            digest.recipe_data(wrong)


def test_numbers_of_numpy_paths_and_enumerations_are_their_values():
    assert digest.canonical([np.int64(3), np.float64(0.5), np.bool_(True)]) == "[3,0.5,true]"
    assert digest.canonical([Path("a") / "b", Verdict.HOLDS]) == '["a/b","HOLDS"]'


@given(arrays(np.float64, st.integers(1, 6)), st.integers(0, 5))
def test_any_changed_byte_type_shape_or_name_changes_the_digest_of_arrays(array, at):
    before = digest.of_arrays({"w": array, "b": np.zeros(2)})
    assert digest.of_arrays({"b": np.zeros(2), "w": array.copy()}) == before
    changed = array.copy()
    changed.view("u1")[at % array.nbytes] ^= 1
    others = [
        {"w": changed, "b": np.zeros(2)},
        {"w": array[None], "b": np.zeros(2)},
        {"w": array, "b": np.zeros(2, "f4")},
        {"w": array, "c": np.zeros(2)},
        {"w": array},
    ]
    assert before not in [digest.of_arrays(other) for other in others]


def test_arrays_of_texts_do_not_run_into_each_other_and_views_count_by_content():
    one, other = np.array(["a\x00", "b"], object), np.array(["a", "\x00b"], object)
    assert digest.of_arrays({"": one}) != digest.of_arrays({"": other})
    assert digest.of_arrays({"": np.array([None], object)}) != digest.of_arrays({"": np.array(["None"], object)})
    grid = np.arange(6.0).reshape(2, 3)
    assert digest.of_arrays({"": grid.T}) == digest.of_arrays({"": grid.T.copy()})


def test_files_and_sources(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\x00" * 100_000)
    assert digest.of_file(path) == hashlib.sha256(b"\x00" * 100_000).hexdigest()
    assert digest.of_source(Tree) != digest.of_source(Bush)
    assert digest.of_source(len) == digest.of_source(len) != digest.of_source(max)


@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.just(3))))
def test_row_keys_are_those_of_a_loop(table):
    keys = digest.of_rows("salt", [table[:, 0], table[:, 1:]])
    slow = [
        hashlib.blake2b(b"salt" + row[:1].tobytes() + row[1:].tobytes(), digest_size=digest.KEY_BYTES).digest()
        for row in table
    ]
    assert keys.tobytes() == b"".join(slow)
    assert (digest.of_rows("pepper", [table[:, 0], table[:, 1:]]) != keys).all()
