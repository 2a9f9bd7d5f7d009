"""How far the other subject's scores are from the teacher's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.measure import Measure
from kdaudit.measures.rows import usable, with_gaps
from kdaudit.subject import Answers

FLOOR = 1e-7
"""Least probability that is told from none: both sides are clipped there, so that a row adds at most 16.2 nats."""
LARGEST = float(-np.log(FLOOR))


def divergence(teacher: Answers, other: Answers) -> NDArray[np.float64]:
    """Return KL(teacher || other) in nats, shape (n,); exactly 0 where scores are equal, NaN where either failed.

    One output is a yes-or-no score p and means the pair (p, 1 - p).

    Raises
    ------
    NoSuchSignal
        If either answered with labels only.
    """
    p, q = _distribution(teacher.score), _distribution(other.score)
    values = (p * (np.log(p) - np.log(q))).sum(axis=1)
    # rounding leaves some -1e-17 where the truth is not below 0
    return with_gaps(np.maximum(values, 0.0), usable(teacher, other))


def score_error(teacher: Answers, other: Answers) -> NDArray[np.float64]:
    """Return the mean absolute difference of scores over outputs, shape (n,); NaN where either failed."""
    return with_gaps(np.abs(teacher.score - other.score).mean(axis=1), usable(teacher, other))


def _distribution(score: NDArray[np.float64]) -> NDArray[np.float64]:
    both = np.concatenate([score, 1.0 - score], axis=1) if score.shape[1] == 1 else score
    clipped = np.clip(both, FLOOR, 1.0 - FLOOR)
    out: NDArray[np.float64] = clipped / clipped.sum(axis=1, keepdims=True)
    return out


KL = Measure(
    name="kl",
    function=divergence,
    unit="nats",
    span=(0.0, LARGEST),
    better="low",
    definition=f"sum of p log(p / q) over outputs, p the teacher's and q the other's scores, clipped at {FLOOR:g}",
    source="Kullback and Leibler 1951",
    title="Distance of scores (Kullback-Leibler divergence)",
)
SCORE_ERROR = Measure(
    name="score_error",
    function=score_error,
    unit="points",
    span=(0.0, 1.0),
    better="low",
    definition="mean absolute difference of scores",
    source="mean absolute error",
    title="Mean difference of scores",
)
