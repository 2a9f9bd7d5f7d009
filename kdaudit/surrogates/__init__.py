"""Surrogates: trees and rule lists that a reviewer can read whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMES = {"tree": "kdaudit.surrogates.trees", "rule_list": "kdaudit.surrogates.lists"}

__all__ = ["rule_list", "tree"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    # found when used, so that naming the room stays cheap
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'kdaudit.surrogates' has no attribute {name!r}")
