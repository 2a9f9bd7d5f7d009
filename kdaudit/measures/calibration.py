"""Whether the other subject's scores mean what the teacher decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.measure import Measure
from kdaudit.measures.rows import decided, usable, with_gaps
from kdaudit.subject import Answers


def squared_gap(teacher: Answers, other: Answers) -> NDArray[np.float64]:
    """Return the squared distance of the other's score from the teacher's decision, shape (n,).

    With one output (score - decision)**2; with several the sum over outputs against the one-hot decision, at most 2.
    NaN where either failed.

    Raises
    ------
    NoSuchSignal
        If the other answered with labels only.
    """
    score = other.score
    values = ((score - decided(teacher, score.shape[1])) ** 2).sum(axis=1)
    return with_gaps(values, usable(teacher, other))


BRIER = Measure(
    name="brier",
    function=squared_gap,
    unit="",
    span=(0.0, 1.0),
    better="low",
    definition="squared distance of the score from the teacher's decision (Brier score), summed over outputs",
    source="Brier 1950",
    title="Calibration to the teacher's decisions (Brier score)",
)
