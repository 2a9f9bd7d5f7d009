"""Models that are audited, each behind the same face: from files, from Python, from tables of recorded answers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {"load": "kdaudit.teachers.opening", "wrap": "kdaudit.teachers.wrapping"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'kdaudit.teachers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_NAMES)
