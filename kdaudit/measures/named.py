"""Measures by the names that a plan uses."""

from __future__ import annotations

from kdaudit.errors import InvalidInput
from kdaudit.measure import Measure
from kdaudit.measures.agreement import AGREEMENT
from kdaudit.measures.calibration import BRIER
from kdaudit.measures.divergence import KL, SCORE_ERROR

MEASURES: dict[str, Measure] = {m.name: m for m in (AGREEMENT, KL, SCORE_ERROR, BRIER)}


def measure(name: str) -> Measure:
    """Return the measure called `name`.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in MEASURES:
        raise InvalidInput(f"there is no measure {name!r}; measures are {', '.join(MEASURES)}")
    return MEASURES[name]
