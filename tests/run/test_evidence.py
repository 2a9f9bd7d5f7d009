"""Evidence comes back as it was written, in files that others can read."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from kdaudit.errors import BrokenRun, KdauditError
from kdaudit.run.evidence import read_evidence, stem_of, write_evidence


def test_what_was_written_is_read(folder, evidence):
    files = write_evidence(folder, evidence)
    assert files == tuple(f"evidence/probes.parity.tree.{ending}" for ending in ("parquet", "safetensors", "json"))
    again = read_evidence(folder, stem_of(evidence))
    for name in ("question", "title", "claims", "context", "shows", "proxy_name"):
        assert getattr(again, name) == getattr(evidence, name)
    np.testing.assert_equal([row.flat() for row in again.rows], [row.flat() for row in evidence.rows])
    assert set(again.arrays) == set(evidence.arrays)
    for name, array in evidence.arrays.items():
        assert again.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(again.arrays[name], array)


def test_the_same_evidence_is_the_same_bytes_whatever_the_order_of_its_parts(folder, evidence):
    first = {name: folder.read_bytes(name) for name in write_evidence(folder, evidence)}
    turned = dataclasses.replace(
        evidence,
        context=dict(reversed(evidence.context.items())),
        arrays=dict(reversed({**evidence.arrays, "curve": np.asfortranarray(evidence.arrays["curve"])}.items())),
    )
    assert {name: folder.read_bytes(name) for name in write_evidence(folder, turned)} == first


def test_the_table_is_plain_parquet_without_pandas(folder, evidence):
    write_evidence(folder, evidence)
    table = pq.read_table(folder.path / "evidence" / "probes.parity.tree.parquet")
    assert table.schema.metadata is None
    assert table.column_names == list(evidence.rows[0].flat())
    assert table.column("asked").to_pylist() == [800, 3000, 0]


def test_evidence_without_rows_and_arrays(folder, evidence):
    bare = dataclasses.replace(evidence, rows=(), arrays={}, proxy_name="")
    files = write_evidence(folder, bare)
    assert files == ("evidence/probes.parity.parquet", "evidence/probes.parity.json")
    assert read_evidence(folder, "probes.parity").rows == ()
    assert pq.read_table(folder.path / files[0]).column_names == list(evidence.rows[0].flat())


def test_arrays_that_do_not_lie_in_one_piece_keep_their_order(folder, evidence):
    grid = np.arange(24, dtype=np.float32).reshape(4, 6)
    arrays = {"t": grid.T, "s": grid[::2, ::-1], "zero": np.array(3.5), "big": grid.astype(">f4")}
    write_evidence(folder, dataclasses.replace(evidence, arrays=arrays))
    again = read_evidence(folder, stem_of(evidence)).arrays
    for name, array in arrays.items():
        assert again[name].shape == array.shape
        np.testing.assert_array_equal(again[name], array)


def test_refusals(folder, evidence):
    for bad, words in (
        ({"context": {"x": float("nan")}}, "context or claims of probes/parity"),
        ({"context": {"x": object()}}, "context or claims of probes/parity"),
        ({"arrays": {"a": np.array(["x"])}}, "array 'a' of the evidence holds <U1, not numbers"),
        ({"question": "../../x"}, "cannot be written"),
        ({"proxy_name": "a b"}, "cannot be written"),
    ):
        with pytest.raises(KdauditError, match=words):
            write_evidence(folder, dataclasses.replace(evidence, **bad))
    assert not (folder.path / "evidence").exists()


@pytest.mark.parametrize("ending", ["parquet", "safetensors", "json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"PAR1" * 9, None])
def test_broken_files_are_named(folder, evidence, ending, content):
    write_evidence(folder, evidence)
    victim = folder.path / "evidence" / f"probes.parity.tree.{ending}"
    victim.unlink() if content is None else victim.write_bytes(content)
    with pytest.raises(BrokenRun, match=r"probes\.parity\.tree"):
        read_evidence(folder, "probes.parity.tree")
