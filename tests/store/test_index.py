"""The index against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.store.index import Index, Rows

key = st.binary(min_size=16, max_size=16)


@given(st.lists(st.lists(key, max_size=20), max_size=12), st.lists(key, max_size=10))
def test_finds_what_a_dictionary_finds(batches, strangers):
    index, slow = Index(), {}
    for batch in batches:
        new = [k for k in dict.fromkeys(batch) if k not in slow]
        index.add(np.frombuffer(b"".join(new), dtype="S16"))
        slow |= {k: len(slow) + place for place, k in enumerate(new)}
    asked = [*slow, *strangers, *list(slow)[::-1]]
    found = index.find(np.frombuffer(b"".join(asked), dtype="S16"))
    assert found.tolist() == [slow.get(k, -1) for k in asked]
    assert len(index) == len(slow)
    keys, positions = index.sorted()
    assert keys.tobytes() == b"".join(sorted(slow)) and positions.tolist() == [slow[k] for k in sorted(slow)]


def test_keys_that_end_in_zeros_differ():
    names = [bytes(16), b"a" + bytes(15), b"a" * 15 + b"\0", b"a" * 16]
    index = Index()
    index.add(np.frombuffer(b"".join(names[::2]), dtype="S16"))
    assert index.find(np.frombuffer(b"".join(names), dtype="S16")).tolist() == [0, -1, 1, -1]


def test_runs_stay_few():
    index, rng = Index(), np.random.default_rng(0)
    for _ in range(300):
        index.add(np.frombuffer(rng.bytes(16 * 10), dtype="S16"))
    assert len(index) == 3000 and len(index._runs) <= 12


@given(st.lists(st.lists(st.floats(), max_size=6), min_size=1, max_size=8))
def test_rows_grow_as_a_list_does(batches):
    rows, slow = Rows(), []
    assert rows.values is None
    for batch in batches:
        rows.append(np.array(batch, dtype=float))
        slow += batch
    np.testing.assert_array_equal(rows.values, slow)
