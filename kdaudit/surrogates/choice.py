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
    steady : bool
        Whether it was made so that it stays when the rows are drawn again.
    """

    way: str
    rules: Rules
    again: Callable[[], Rules] | None = None
    steady: bool = False


TIED = 1.0
"""Standard errors within which no candidate is called better than another."""
HARDLY = 1.25
"""A body of up to so many times the rules is hardly larger."""
DEARER = 1.2
"""What stays when rows are drawn again may part from the teacher so many times as often as the best of all."""
FINALISTS = 24
"""Most candidates that are made again to be told apart."""


@dataclass(frozen=True, eq=False)
class Near:
    """Answered rows beyond those that are chosen on.

    Parameters
    ----------
    targets : Targets
        Drawn around the rows that are chosen on.
    parents : array of shape (n,)
        Position of the row that each was drawn around.
    """

    targets: Targets
    parents: NDArray[np.int64]


@dataclass(frozen=True)
class Making:
    """How a surrogate was made, as plain data for its card.

    Parameters
    ----------
    way : str
        The candidate that was taken.
    curve : tuple of dict
        Every candidate at every size on the select rows: ``way, size, terms, agreement, score_error, n, chosen, tied``;
        tied are those within a standard error of the best: so many bodies would have done as well.
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
    contests : tuple of dict
        Of a tree whose splits are sure, each split against every other field; see `kdaudit.surrogates.certainty`.
    steadiness : dict
        How alike refits are; see `kdaudit.surrogates.steadiness`; empty where none were made.
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
    contests: tuple[dict[str, Any], ...] = ()
    steadiness: dict[str, Any] = field(default_factory=dict)


def choose(
    candidates: Sequence[Candidate],
    select: Targets,
    slack: float,
    near: Near | None = None,
    every: Sequence[Targets] = (),
) -> tuple[Candidate, Rules, tuple[dict[str, Any], ...]]:
    """Return the candidate that is taken, its rules, made again where they can be, and the whole curve.

    The smallest within `slack` standard errors of the best is taken, or one hardly larger that was made in a way that
    is listed before.  Bodies that were made to stay when the rows are drawn again are chosen among first, where the
    best of them parts from the teacher at most 1.2 times as often as the best of all, unless that never does.  The
    standard error is that of the difference to the best one, row by row on the same rows (Breiman, Friedman, Olshen and
    Stone, 1984, section 3.4.3, paired).  Without slack, the rows chosen on cannot tell the best apart: all close ones
    are made again from all rows, and the one that then meets most of these is taken; among equals the smaller, then
    the first.

    Parameters
    ----------
    candidates : sequence of Candidate
        At least one; ways that are to be preferred come first.
    select : Targets
        Rows that none of the candidates was grown on.
    slack : float
        Standard errors; with 0 size does not count, and all within a standard error of the best are made again.
    near : Near, optional
        Rows drawn around those of `select`: a row and those drawn around it count half each, and all of them together
        as one unit.
    every : sequence of Targets
        All rows, those of `select` among them, in bodies that count alike; by default `select` alone.
    """
    scores = [candidate.rules.evaluate(select.samples) for candidate in candidates]
    plain = np.array([select.merit(score) for score in scores])
    beside = None if near is None else _beside(candidates, near)
    merits = plain if near is None or beside is None else _joined(plain, beside, near.parents)
    errors = [float(np.abs(score - select.score).mean()) for score in scores]
    sizes = [len(candidate.rules.rules) for candidate in candidates]
    means = merits.mean(axis=1)
    order = sorted(range(len(candidates)), key=lambda i: (-means[i], sizes[i], errors[i], i))
    close, tied = (_close(merits, order[0], slack or TIED), _close(merits, order[0], TIED))
    if slack:
        taken = _steadiest(candidates, _staying(candidates, merits, order, slack) or close, sizes)
        made = {taken: _made_again(candidates[taken])}
    else:
        made = {i: _made_again(candidates[i]) for i in [i for i in order if i in close][:FINALISTS]}
        met = {i: float(np.mean([_met(rules, rows) for rows in every or (select,)])) for i, rules in made.items()}
        taken = min(made, key=lambda i: (-met[i], len(made[i].rules), order.index(i)))
    curve = tuple(
        {
            "way": candidate.way,
            "size": sizes[i],
            "terms": candidate.rules.terms,
            "agreement": None if select.numeric else float(plain[i].mean()),
            **({} if beside is None else {"near": float(beside[i].mean())}),
            "score_error": errors[i],
            "n": len(select),
            "chosen": i == taken,
            "tied": i in tied,
        }
        for i, candidate in enumerate(candidates)
    )
    return candidates[taken], made[taken], curve


def _staying(
    candidates: Sequence[Candidate], merits: NDArray[np.float64], order: Sequence[int], slack: float
) -> set[int]:
    """Return the close ones among those that stay when rows are drawn again; none where the best is much better."""
    steady = [i for i in order if candidates[i].steady]
    least = 1.0 - float(merits[order[0]].mean())
    # what follows the teacher everywhere leaves nothing to a draw
    if not steady or least <= 0 or 1.0 - merits[steady[0]].mean() > DEARER * least + 1e-12:
        return set()
    return _close(merits, steady[0], slack) & set(steady)


def _steadiest(candidates: Sequence[Candidate], close: set[int], sizes: Sequence[int]) -> int:
    """Return which of the close ones to take: hardly larger than the smallest, made in the first way that has one.

    The smallest of all changes its way with the draw of the rows, and with its way most of its rules.
    """
    least = min(sizes[i] for i in close)
    rank = {way: at for at, way in reversed(list(enumerate(candidate.way for candidate in candidates)))}
    return min((i for i in close if sizes[i] <= HARDLY * least), key=lambda i: (rank[candidates[i].way], sizes[i], i))


def _met(rules: Rules, rows: Targets) -> float:
    return float(rows.merit(rules.evaluate(rows.samples)).mean())


def _made_again(candidate: Candidate) -> Rules:
    return candidate.rules if candidate.again is None else candidate.again()


def _close(merits: NDArray[np.float64], best: int, errors: float) -> set[int]:
    """Return the candidates within so many standard errors of the best one."""
    lost = merits[best] - merits
    n = merits.shape[1]
    spread = lost.std(axis=1, ddof=1) if n > 1 else np.zeros(len(lost))
    # one row lost and none gained is one standard error: rounding must not decide there
    return set(np.flatnonzero(lost.mean(axis=1) <= errors * spread / np.sqrt(n) + 1e-12).tolist())


def _beside(candidates: Sequence[Candidate], near: Near) -> NDArray[np.float64]:
    return np.array([near.targets.merit(c.rules.evaluate(near.targets.samples)) for c in candidates])


def _joined(
    merits: NDArray[np.float64], beside: NDArray[np.float64], parents: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean of each row's own merit and that of the rows drawn around it; its own where there are none."""
    n = merits.shape[1]
    counts = np.bincount(parents, minlength=n)
    sums = np.array([np.bincount(parents, row, minlength=n) for row in beside])
    out: NDArray[np.float64] = np.where(counts > 0, (merits + sums / np.maximum(counts, 1)) / 2, merits)
    return out
