"""How far a proxy answers, and reasons, as the teacher does."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {
    "attribution": "kdaudit.compare.scripts",
    "examine": "kdaudit.compare.scripts",
    "fidelity": "kdaudit.compare.scripts",
}

__all__ = ["attribution", "examine", "fidelity"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'kdaudit.compare' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
