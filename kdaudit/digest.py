"""Digests of content: of plain data, arrays, files and source code."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 16
"""Length of a row's key: 128 bits, so that 10**9 rows collide with probability below 10**-20."""


def canonical(value: object) -> str:
    """Return `value` as JSON with sorted keys and no spaces, the same text for the same data.

    Dataclasses are written as their fields under the name of their class; NaN is refused.

    Raises
    ------
    ValueError
        On NaN or infinity, and on objects that are no plain data.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> Any:  # noqa: ANN401 - plain JSON data
    if is_dataclass(value) and not isinstance(value, type):
        return {"": type(value).__name__, **{k: _plain(v) for k, v in vars(value).items()}}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(v) for v in value), key=canonical)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "dtype": str(value.dtype), "sha256": of_arrays({"": value})}
    if isinstance(value, Path):
        return value.as_posix()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ValueError(f"{type(value).__name__} is no plain data and has no digest")


def of_data(value: object) -> str:
    """Return the sha256 of plain data or of a recipe (a dataclass), in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def of_arrays(arrays: dict[str, NDArray[Any]]) -> str:
    """Return the sha256 over names, types, shapes and bytes of arrays, whatever their order."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        total.update(array.tobytes() if array.dtype.kind != "O" else canonical(array.ravel().tolist()).encode())
    return total.hexdigest()


def of_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_source(thing: object) -> str:
    """Return the sha256 of the source text of a class or function, or of its name where no source can be read."""
    try:
        text = inspect.getsource(thing)  # type: ignore[arg-type]
    except (OSError, TypeError):
        text = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__name__)}"
    return hashlib.sha256(text.encode()).hexdigest()


def of_rows(salt: str, columns: Iterable[NDArray[np.void]]) -> NDArray[np.bytes_]:
    """Return a 16-byte key for each row.

    Parameters
    ----------
    salt : str
        What the columns mean (names and kinds): rows of other domains get other keys.
    columns : iterable of arrays of shape (n,) and a fixed item size
        Bytes of each value.

    Returns
    -------
    array of shape (n,) and dtype ``S16``
        All items have the full 16 bytes, so that comparing, sorting and ``np.unique`` work on them.
        (Reading *one* item strips trailing zero bytes: compare arrays, not items.)
    """
    parts = [np.ascontiguousarray(column) for column in columns]
    n = len(parts[0]) if parts else 0
    row_bytes = (
        np.concatenate([p.view(np.uint8).reshape(n, -1) for p in parts], axis=1) if n else np.empty((0, 1), "u1")
    )
    view, width = memoryview(row_bytes.tobytes()), row_bytes.shape[1]
    start = hashlib.blake2b(salt.encode(), digest_size=KEY_BYTES)
    out = bytearray(KEY_BYTES * n)
    for i in range(n):
        one = start.copy()
        one.update(view[i * width : (i + 1) * width])
        out[KEY_BYTES * i : KEY_BYTES * (i + 1)] = one.digest()
    return np.frombuffer(bytes(out), dtype=f"S{KEY_BYTES}")


def recipe_data(recipe: object) -> dict[str, Any]:
    """Return a recipe's fields as plain data (for cards and saved plans)."""
    if not is_dataclass(recipe) or isinstance(recipe, type):
        raise ValueError(f"{recipe!r} is no recipe: a recipe is a frozen dataclass")
    data: dict[str, Any] = json.loads(canonical(asdict(recipe)))
    return data
