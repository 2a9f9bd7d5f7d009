"""Scores read as chances of the teacher's decision.

A proxy's score imitates the teacher's score; a teacher that scores .6 decides yes all the same.  So a line on the
logits is fitted to decisions of the teacher.  For the student of the bundled census case this raises the correlation
with decisions inside groups from .88 to .97, and that with changed decisions from .49 to .88.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
CLIP = 1e-6
STEEPEST = 50.0
STEPS = 50


def chances(scores: Values, decisions: Values, everywhere: Values) -> Values:
    """Return the chance of yes that a score stands for (Platt 1999, fitted by Newton's method).

    Parameters
    ----------
    scores : array of shape (n,)
        In [0, 1], of rows of which the decision is known.
    decisions : array of shape (n,)
        0 or 1; rows with NaN, here or in `scores`, are left out.
    everywhere : array of any shape
        Scores to be read.

    Returns
    -------
    array of that shape
        In [0, 1]; the scores themselves where the decisions known are all alike or scores do not vary.  Targets are
        drawn in by one row of each kind, so that decisions which a score parts perfectly give a steep line, not an
        endless one.
    """
    rows = ~np.isnan(scores) & ~np.isnan(decisions)
    x, yes = _logit(scores[rows]), decisions[rows] > 0.5
    positive = int(yes.sum())
    if positive in (0, len(yes)) or np.ptp(x) < 1e-9:
        return everywhere
    target = np.where(yes, (positive + 1) / (positive + 2), 1 / (len(yes) - positive + 2))
    intercept, slope = _fitted(x, target)
    return _sigmoid(intercept + slope * _logit(everywhere))


def _fitted(x: Values, target: Values) -> tuple[float, float]:
    """Return the likeliest line; steps that do not raise the likelihood are halved."""
    line = np.array([0.0, 1.0])
    best = _likelihood(line, x, target)
    for _ in range(STEPS):
        p = _sigmoid(line[0] + line[1] * x)
        weight = p * (1 - p)
        pull = np.array([(target - p).sum(), ((target - p) * x).sum()])
        a, b, c = weight.sum(), (weight * x).sum(), (weight * x * x).sum()
        area = a * c - b * b
        if area <= 1e-12 * max(1.0, a * c):
            break
        step = np.array([c * pull[0] - b * pull[1], a * pull[1] - b * pull[0]]) / area
        moved = _raised(line, step, best, x, target)
        if moved is None:
            break
        line, best = moved
    return float(line[0]), float(line[1])


def _raised(line: Values, step: Values, best: float, x: Values, target: Values) -> tuple[Values, float] | None:
    for _ in range(20):
        trial = line + step
        found = _likelihood(trial, x, target)
        if abs(trial[1]) <= STEEPEST and found > best + 1e-10 * abs(best):
            return trial, found
        step = step / 2
    return None


def _likelihood(line: Values, x: Values, target: Values) -> float:
    z = line[0] + line[1] * x
    # log of 1 + exp(z) without overflow
    return float((target * z - np.logaddexp(0.0, z)).sum())


def _logit(score: Values) -> Values:
    s = np.clip(score, CLIP, 1 - CLIP)
    out: Values = np.log(s) - np.log1p(-s)
    return out


def _sigmoid(z: Values) -> Values:
    out: Values = np.exp(-np.logaddexp(0.0, -z))
    return out
