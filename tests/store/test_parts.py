"""Parts: the same bytes for the same answers, whole or not at all."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kdaudit.durable import write_durably
from kdaudit.errors import BrokenRun
from kdaudit.store import parts
from kdaudit.store.parts import Part


@given(st.data(), array_shapes(max_dims=3, max_side=4), st.sampled_from(["f8", "f4", "i8"]), st.booleans())
def test_what_was_encoded_is_decoded(data, shape, dtype, by_id):
    n = shape[0]
    values = data.draw(arrays(dtype, shape))
    content = np.frombuffer(np.random.default_rng(n).bytes(16 * n), dtype="S16")
    keys = np.array([f"{content[i : i + 1].tobytes().hex()}é{i}" for i in range(n)]) if by_id else content
    failed = {row: f"reason {row}" for row in range(0, n, 2)}
    part = Part(keys, values, failed, {"signal": "hidden@a", "draw": 1})
    again = parts.decode(parts.encode(part))
    assert again.keys.tolist() == keys.tolist() and again.keys.dtype.kind == keys.dtype.kind
    assert again.values.dtype == values.dtype and again.values.tobytes() == values.tobytes()
    assert (again.failed, again.about) == (failed, part.about)
    assert parts.encode(again) == parts.encode(part)


def test_the_file_is_plain_parquet_named_after_its_bytes(tmp_path):
    keys = np.frombuffer(bytes(range(32)), dtype="S16")
    name = parts.save(tmp_path / "new" / "folder", Part(keys, np.array([[0.5], [1.0]])))
    path = tmp_path / "new" / "folder" / name
    assert name == f"part-{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}.parquet"
    assert pq.read_table(path).to_pylist() == [
        {"key": bytes(range(16)), "value_0": 0.5},
        {"key": bytes(range(16, 32)), "value_0": 1.0},
    ]
    assert parts.save(path.parent, Part(keys, np.array([[0.5], [1.0]]))) == name
    assert [p.name for p in path.parent.iterdir()] == [name]


def test_every_flipped_byte_is_noticed(tmp_path):
    path = tmp_path / parts.save(tmp_path, Part(np.frombuffer(bytes(range(16)), dtype="S16"), np.array([[0.5]])))
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(BrokenRun, match=path.name):
            parts.load(path)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(OSError, match="Input/output"):
            write_durably(tmp_path / "x", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["x"] and (tmp_path / "x").read_text() == "old"
