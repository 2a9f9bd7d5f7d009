"""Files that are there whole or not at all, and JSON that is the same bytes for the same data."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from kdaudit.errors import BrokenRun, KdauditError


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that a dying process or a loss of power leaves the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)  # mkstemp lets nobody else read it; a run is handed to reviewers
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder, and its renames are journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def json_bytes(name: str, data: object) -> bytes:
    """Return plain data as JSON: sorted keys, no NaN, a newline at the end.

    Raises
    ------
    KdauditError
        If the data of the file `name` holds NaN, infinity or what is no plain data.
    """
    try:
        text = json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()
    except (TypeError, ValueError) as error:
        raise KdauditError(f"{name} cannot be written as JSON: {error}; plain data without NaN was expected") from error


def json_data(name: str, data: bytes) -> Any:  # noqa: ANN401 - plain JSON data
    """Return what JSON bytes say.

    Raises
    ------
    BrokenRun
        If the bytes of the file `name` are no JSON, or hold NaN or infinity.
    """
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenRun(f"{name} is no JSON: {error}; it was changed after it was written") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not allowed")
