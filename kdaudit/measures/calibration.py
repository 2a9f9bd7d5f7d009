"""Whether the other subject's scores mean what the teacher decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.measure import Measure
from kdaudit.measures.rows import decided, usable, with_gaps
from kdaudit.subject import Answers

LEAST = 20
"""Rows of the smallest bin; smaller ones are merged, since their gap is mostly noise."""


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


def expected_gap(score: NDArray[np.float64], decision: NDArray[np.float64], *, bins: int = 10) -> float:
    """Return the mean distance of score and rate of yes over bins of about equal count.

    Parameters
    ----------
    score : array of shape (n,)
        In [0, 1].
    decision : array of shape (n,)
        0 or 1.
    bins : int
        Fewer are used where they would hold less than `LEAST` rows; rows of one score never part.

    Returns
    -------
    float
        In [0, 1]; NaN without rows.  Biased upwards by the noise of each bin (Kumar et al. 2019): read it beside the
        same number of a stranger, never against 0.
    """
    n = len(score)
    if n == 0:
        return float("nan")
    place = _bins(score, max(1, min(bins, n // LEAST)))
    count = np.bincount(place).astype(np.float64)
    gap = np.bincount(place, score - decision)
    return float(np.abs(gap).sum() / count.sum())


def _bins(score: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    edges = np.unique(np.quantile(score, np.arange(1, bins) / bins))
    out: NDArray[np.int64] = np.searchsorted(edges, score, side="right")
    return out


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
