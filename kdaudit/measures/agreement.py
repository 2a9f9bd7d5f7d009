"""Whether the other subject decides as the teacher does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.measure import Measure
from kdaudit.measures.rows import usable, with_gaps
from kdaudit.subject import Answers


def same_decision(teacher: Answers, other: Answers) -> NDArray[np.float64]:
    """Return 1 where both decide alike, else 0; NaN where either failed.  Shape (n,)."""
    return with_gaps(teacher.label == other.label, usable(teacher, other))


AGREEMENT = Measure(
    name="agreement",
    function=same_decision,
    unit="percent",
    span=(0.0, 1.0),
    better="high",
    definition="share of rows on which both decide alike",
    source="Craven and Shavlik 1996 (fidelity)",
    title="Same decision as the teacher",
)

BESIDE_OUTCOMES = replace(
    AGREEMENT,
    name="agreement_beside_outcomes",
    definition="share of rows on which both decide alike, beside that of a proxy made by the same recipe from recorded "
    "outcomes and no teacher: what lies above it was not learned by being right",
    title="Same decision as the teacher, beside one that learned recorded outcomes alone",
)
