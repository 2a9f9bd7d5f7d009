"""Answers as files: a part a batch, named after its own bytes, on disk before anybody sees an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kdaudit.durable import write_durably
from kdaudit.errors import BrokenRun
from kdaudit.store.index import Keys
from kdaudit.store.keys import HEX

DIGITS = 32
"""Hex digits of a part's sha256 in its name."""


@dataclass(frozen=True, eq=False)
class Part:
    """Answers to some rows.

    Parameters
    ----------
    keys : array of shape (n,)
        See `kdaudit.store.keys.row_keys`.
    values : array of shape (n, ...)
    failed : mapping of int to str
        Row position -> reason.
    about : mapping of str to plain data
        What a reader needs to know of the values: signal, draw, names of outputs.
    """

    keys: Keys
    values: NDArray[Any]
    failed: Mapping[int, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)


def encode(part: Part) -> bytes:
    """Return the part as Parquet: the same bytes for the same part."""
    n, shape = len(part.keys), part.values.shape[1:]
    columns: dict[str, Any] = _key_columns(part.keys)
    flat = part.values.reshape(n, int(np.prod(shape, dtype=np.int64)))
    for at in range(flat.shape[1]):
        columns[f"value_{at}" if shape else "value"] = pa.array(np.ascontiguousarray(flat[:, at]))
    if part.failed:
        columns["failed"] = pa.array([part.failed.get(row) for row in range(n)], type=pa.string())
    about = json.dumps({**part.about, "shape": list(shape)}, sort_keys=True, allow_nan=False)
    table = pa.table(columns).replace_schema_metadata({"kdaudit": about})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def decode(data: bytes) -> Part:
    """Return the part that `encode` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        If these bytes are no part.
    """
    table = pq.read_table(pa.BufferReader(data), use_threads=False).combine_chunks()
    about = json.loads(table.schema.metadata[b"kdaudit"])
    names = [name for name in table.column_names if name.startswith("value")]
    shape = tuple(about.pop("shape"))
    columns = [table.column(name).to_numpy() for name in names]
    values = np.stack(columns, axis=1) if columns else np.empty((table.num_rows, 0))
    failed: dict[int, str] = {}
    if "failed" in table.column_names:
        failed = {row: text for row, text in enumerate(table.column("failed").to_pylist()) if text is not None}
    return Part(_keys_of(table), values.reshape(table.num_rows, *shape), failed, about)


def _key_columns(keys: Keys) -> dict[str, Any]:
    n = len(keys)
    if keys.dtype.kind == "S":
        return {"key": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(keys.tobytes())])}
    letters = np.ascontiguousarray(keys).view("U1").reshape(n, -1)
    in_hex = np.ascontiguousarray(letters[:, :HEX]).view(f"U{HEX}")[:, 0]
    ids = np.ascontiguousarray(letters[:, HEX:]).view(f"U{letters.shape[1] - HEX}")[:, 0]
    content = bytes.fromhex("".join(in_hex.tolist()))
    key = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(content)])
    return {"id": pa.array(ids.astype(object), type=pa.string()), "key": key}


def _keys_of(table: Any) -> Keys:  # noqa: ANN401 - pyarrow has no types
    key = pa.concat_arrays(table.column("key").chunks) if table.num_rows else pa.array([], type=pa.binary(16))
    content = np.frombuffer(key.buffers()[1] or b"", dtype="S16", count=len(key), offset=16 * key.offset)
    if "id" not in table.column_names:
        return content
    in_hex = np.frombuffer(content.tobytes().hex().encode(), dtype=f"S{HEX}").astype(f"U{HEX}")
    return np.char.add(in_hex, table.column("id").to_numpy().astype(str))


def save(folder: Path, part: Part) -> str:
    """Write the part into `folder` and return its name; when this returns, it survives a loss of power."""
    data = encode(part)
    name = f"part-{hashlib.sha256(data).hexdigest()[:DIGITS]}.parquet"
    if not (folder / name).exists():
        write_durably(folder / name, data)
    return name


def load(path: Path) -> Part:
    """Return the part in the file `path`.

    Raises
    ------
    BrokenRun
        If its bytes are not those that its name was made from.
    """
    data = path.read_bytes()
    if path.name != f"part-{hashlib.sha256(data).hexdigest()[:DIGITS]}.parquet":
        raise BrokenRun(
            f"{path} is not what its name says: its bytes were cut or changed after it was written. "
            "Delete that file: its rows are asked again, and no other answer is lost"
        )
    return decode(data)
