"""JSON that is the same bytes for the same data."""

from __future__ import annotations

import json
from typing import Any

from kdaudit.errors import BrokenRun, KdauditError


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
