"""Audit a model too large, too costly or too closed to inspect, through small proxies distilled from it.

A proxy is evidence, not the teacher: every measure stands beside its control, its ceiling and its interval, and claims
about the teacher rest on the teacher's own answers.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOMS = (
    "teachers",
    "students",
    "surrogates",
    "compare",
    "probe",
    "statistics",
    "measures",
    "explain",
    "data",
)
_NAMES = {
    "Behaviour": "kdaudit.behaviour",
    "Category": "kdaudit.domain",
    "Contrast": "kdaudit.behaviour",
    "Domain": "kdaudit.domain",
    "Real": "kdaudit.domain",
    "Samples": "kdaudit.samples",
    "Store": "kdaudit.store.answers",
    "Verdict": "kdaudit.finding",
    "Transfer": "kdaudit.finding",
    "audit": "kdaudit.auditing.audits",
    "distil": "kdaudit.distillation.loop",
}

__all__ = ["__version__", *sorted(_NAMES)]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    # names and rooms are found when used, so that `import kdaudit` stays cheap
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _ROOMS:
        return import_module(f"kdaudit.{name}")
    raise AttributeError(f"module 'kdaudit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
