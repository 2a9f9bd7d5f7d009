"""Which of several bodies of rules to take: the smallest that cannot be told from the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.rules import Rules
from kdaudit.surrogates.targets import Targets


@dataclass(frozen=True, eq=False)
class Candidate:
    """A body of rules and how it came about, such as "grown on scores".

    Parameters
    ----------
    way : str
    rules : Rules
    again : callable, optional
        Makes a body the same way, of the same size, from all rows: those chosen on as well.
    """

    way: str
    rules: Rules
    again: Callable[[], Rules] | None = None


TIED = 0.5
"""Standard errors within which no candidate is called better than another."""


@dataclass(frozen=True, eq=False)
class Near:
    """Answered rows beyond those that are chosen on.

    Parameters
    ----------
    targets : Targets
        Drawn around the rows that are chosen on.
    parents : array of shape (n,)
        Position of the row that each was drawn around.
    fitted : Targets
        All rows that candidates were grown on: they decide between those that are tied.
    """

    targets: Targets
    parents: NDArray[np.int64]
    fitted: Targets


@dataclass(frozen=True)
class Making:
    """How a surrogate was made, as plain data for its card.

    Parameters
    ----------
    way : str
        The candidate that was taken.
    curve : tuple of dict
        Every candidate at every size on the select rows: ``way, size, terms, agreement, score_error, n, chosen, tied``;
        tied are those within half a standard error of the best: so many bodies would have done as well.
        Where the score is a number, agreement is None.
    fitted, chosen_on : int
        Answered rows that the rules were grown and chosen on.
    failed : int
        Rows that the teacher could not answer, left out.
    why : str
        What a reader would otherwise wonder at, such as why there is one leaf only; empty if nothing.
    note : str
        What else the reader should know of the choice.
    beyond : int
        Answered rows asked beyond those given.
    sampler : str
        Which of the samplers proved best; empty where nothing was asked beyond.
    trials : dict
        Agreement of trial trees on rows held out, by sampler.
    partial : bool
        Whether a budget ended before everything was asked that might have been.
    """

    way: str = ""
    curve: tuple[dict[str, Any], ...] = ()
    fitted: int = 0
    chosen_on: int = 0
    failed: int = 0
    why: str = ""
    note: str = ""
    beyond: int = 0
    sampler: str = ""
    trials: dict[str, float] = field(default_factory=dict)
    partial: bool = False


def choose(
    candidates: Sequence[Candidate], select: Targets, slack: float, near: Near | None = None
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
        Standard errors; 0 takes the best, and where `near` is given, of all that are tied with it the one that meets
        most of the rows that candidates were grown on.
    near : Near, optional
        Rows drawn around those of `select`: each counts as the row itself does, and with it as one unit.
    """
    scores = [candidate.rules.evaluate(select.samples) for candidate in candidates]
    merits = np.array([select.merit(score) for score in scores])
    given = merits.mean(axis=1)
    beside = (
        None
        if near is None
        else np.array([near.targets.merit(c.rules.evaluate(near.targets.samples)) for c in candidates])
    )
    if near is not None and beside is not None:
        merits = _joined(merits, beside, near.parents)
    errors = [float(np.abs(score - select.score).mean()) for score in scores]
    sizes = [len(candidate.rules.rules) for candidate in candidates]
    means = merits.mean(axis=1)
    best = min(range(len(candidates)), key=lambda i: (-means[i], sizes[i], errors[i], i))
    lost = merits[best] - merits
    spread = lost.std(axis=1, ddof=1) if len(select) > 1 else np.zeros(len(lost))
    # one row lost and none gained is one standard error: rounding must not decide there
    close = lost.mean(axis=1) <= slack * spread / np.sqrt(len(select)) + 1e-12
    taken = min(np.flatnonzero(close).tolist(), key=lambda i: (sizes[i], -means[i], errors[i], i))
    tied = np.flatnonzero(lost.mean(axis=1) <= TIED * spread / np.sqrt(len(select)) + 1e-12).tolist()
    if near is not None and not slack:
        met = {i: float(near.fitted.merit(candidates[i].rules.evaluate(near.fitted.samples)).mean()) for i in tied}
        taken = min(tied, key=lambda i: (-met[i], sizes[i], i))
    curve = tuple(
        {
            "way": candidate.way,
            "size": sizes[i],
            "terms": candidate.rules.terms,
            "agreement": None if select.numeric else float(given[i]),
            **({} if beside is None else {"near": float(beside[i].mean())}),
            "score_error": errors[i],
            "n": len(select),
            "chosen": bool(i == taken),
            "tied": i in tied,
        }
        for i, candidate in enumerate(candidates)
    )
    return candidates[int(taken)], curve


def _joined(
    merits: NDArray[np.float64], beside: NDArray[np.float64], parents: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return what each row and the rows drawn around it add to the mean merit of all."""
    counts = np.bincount(parents, minlength=merits.shape[1])
    sums = np.array([np.bincount(parents, row, minlength=merits.shape[1]) for row in beside])
    # a row with many rows around it counts for as many: the mean is that over all of them
    out: NDArray[np.float64] = (merits + sums) * (merits.shape[1] / (1 + counts).sum())
    return out
