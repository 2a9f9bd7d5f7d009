"""Which of several bodies of rules to take: the smallest that cannot be told from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.rules import Rules
from kdaudit.surrogates.targets import Targets


@dataclass(frozen=True)
class Candidate:
    """A body of rules and how it came about, such as "grown on scores"."""

    way: str
    rules: Rules


@dataclass(frozen=True)
class Making:
    """How a surrogate was made, as plain data for its card.

    Parameters
    ----------
    way : str
        The candidate that was taken.
    curve : tuple of dict
        Every candidate at every size on the select rows: ``way, size, terms, agreement, score_error, n, chosen``.
        Where the score is a number, agreement is None.
    fitted, chosen_on : int
        Answered rows that the rules were grown and chosen on.
    failed : int
        Rows that the teacher could not answer, left out.
    why : str
        What a reader would otherwise wonder at, such as why there is one leaf only; empty if nothing.
    note : str
        What else the reader should know of the choice.
    """

    way: str = ""
    curve: tuple[dict[str, Any], ...] = ()
    fitted: int = 0
    chosen_on: int = 0
    failed: int = 0
    why: str = ""
    note: str = ""


def choose(
    candidates: Sequence[Candidate], select: Targets, slack: float
) -> tuple[Candidate, tuple[dict[str, Any], ...]]:
    """Return the smallest candidate within `slack` standard errors of the best, and the whole curve.

    The standard error is that of the difference to the best one, row by row on the same rows (Breiman, Friedman, Olshen
    and Stone, 1984, section 3.4.3, paired).  Among equals of one size the smaller score error wins, then the order.

    Parameters
    ----------
    candidates : sequence of Candidate
        At least one.
    select : Targets
        Rows that none of the candidates was grown on.
    slack : float
        Standard errors; 0 takes the best.
    """
    scores = [candidate.rules.evaluate(select.samples) for candidate in candidates]
    merits = np.array([_merit(score, select) for score in scores])
    errors = [float(np.abs(score - select.score).mean()) for score in scores]
    sizes = [len(candidate.rules.rules) for candidate in candidates]
    means = merits.mean(axis=1)
    best = min(range(len(candidates)), key=lambda i: (-means[i], sizes[i], errors[i], i))
    lost = merits[best] - merits
    spread = lost.std(axis=1, ddof=1) if len(select) > 1 else np.zeros(len(lost))
    # one row lost and none gained is one standard error: rounding must not decide there
    near = lost.mean(axis=1) <= slack * spread / np.sqrt(len(select)) + 1e-12
    taken = min(np.flatnonzero(near), key=lambda i: (sizes[i], -means[i], errors[i], i))
    curve = tuple(
        {
            "way": candidate.way,
            "size": sizes[i],
            "terms": candidate.rules.terms,
            "agreement": None if select.numeric else float(means[i]),
            "score_error": errors[i],
            "n": len(select),
            "chosen": bool(i == taken),
        }
        for i, candidate in enumerate(candidates)
    )
    return candidates[int(taken)], curve


def _merit(score: NDArray[np.float64], select: Targets) -> NDArray[np.float64]:
    error: NDArray[np.float64] = (score - select.score) ** 2
    agrees: NDArray[np.float64] = (select.decided(score) == select.label).astype(np.float64)
    return -error.sum(axis=1) if select.numeric else agrees
