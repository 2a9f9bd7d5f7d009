"""Whether the teacher is still the one that gave the answers on disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import TeacherMoved
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal
from kdaudit.store.answers import Store
from kdaudit.store.keys import row_keys
from kdaudit.subject import Answers, Subject

SMALLEST = 1e-6
"""A move below this is rounding, even of a teacher that answers without noise."""
NOISES = 3.0
"""A move is beyond the noise if it is more than this many times what two answers in a row differ by."""


@dataclass(frozen=True)
class Canary:
    """How the canary rows were answered.

    Parameters
    ----------
    moved : bool
        Whether the answers differ from those kept by more than the noise, so that a new epoch began.
    epoch : int
        The epoch whose answers are used from now on.
    largest : float
        Largest difference from the answers kept, in units of the score (labels: 1 where one differs).
    noise : float
        Largest difference between the two answers given now.
    compared : int
        Rows for which an earlier answer was kept.
    asked : int
        Rows asked for it, outside all budgets.
    """

    moved: bool
    epoch: int
    largest: float
    noise: float
    compared: int = 0
    asked: int = 0

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.moved:
            return (
                f"The teacher has changed: {self.compared} rows asked again differ from their earlier answers by up to "
                f"{self.largest:.2g} (noise {self.noise:.2g}). No answer from before is used."
            )
        if self.compared:
            return f"{self.compared} rows asked again were answered as before (within {self.largest:.2g})."
        if self.asked:
            return "The teacher was asked for the first time; there is nothing to compare its answers with."
        return "The teacher is known by its content; it cannot change unseen."


def watch(store: Store, subject: Subject, samples: Samples, *, resume: bool) -> Canary:
    """Ask a subject of declared identity a few rows twice, and begin a new epoch if it moved.

    A subject whose identity is its content is not asked: if it changes, so does its identity.

    Parameters
    ----------
    store : Store
    subject : Subject
    samples : Samples
        The canary rows, about 16, the same in each run of a plan.
    resume : bool
        Whether a run is being resumed, in which answers of before are used already.

    Returns
    -------
    Canary

    Raises
    ------
    TeacherMoved
        If it moved and `resume` is true.
    """
    if subject.identity.basis == "content":
        return Canary(moved=False, epoch=store.epoch(subject.identity), largest=0.0, noise=0.0)
    now, again = (_numbers(store.afresh(subject, samples, (_signal(subject),))) for _ in range(2))
    before = _before(store, subject, samples, now.shape[1])
    noise, largest = _largest(now - again), _largest(now - before)
    moved = largest > max(SMALLEST, NOISES * noise)
    compared = int(np.isfinite(now - before).all(axis=1).sum())
    if moved and resume:
        raise TeacherMoved(
            f"{subject.identity.name} answers otherwise than when this run began: {compared} canary rows differ by up "
            f"to {largest:.2g} (noise {noise:.2g}). Start a new run, or give the teacher of before back and resume"
        )
    if moved:
        store.begin_epoch(subject.identity)
    _keep(store, subject, samples, now)
    epoch = store.epoch(subject.identity)
    return Canary(moved, epoch, largest, noise, compared, asked=2 * len(samples))


def _signal(subject: Subject) -> Signal:
    return SCORE if {SCORE, LOGIT} & subject.offers else LABEL


def _numbers(answers: Answers) -> NDArray[np.float64]:
    if SCORE in answers.values:
        return answers.score
    labels = answers.label[:, None].astype(np.float64)
    labels[~answers.answered] = np.nan
    return labels


def _largest(difference: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(difference), initial=0.0, where=np.isfinite(difference)))


def _before(store: Store, subject: Subject, samples: Samples, width: int) -> NDArray[np.float64]:
    # canary rows of another plan were never kept as such, but may lie among the answers
    kept = store.canaries(subject, width)
    out = kept.take(kept.find(row_keys(subject.identity, samples)))
    answers = _numbers(store.known(subject, samples, (_signal(subject),)))
    return np.where(np.isnan(out), answers, out)


def _keep(store: Store, subject: Subject, samples: Samples, now: NDArray[np.float64]) -> None:
    keys, first = np.unique(row_keys(subject.identity, samples), return_index=True)
    kept = store.canaries(subject, now.shape[1])
    answered = np.isfinite(now[first]).all(axis=1)
    kept.add(keys[answered], now[first][answered])  # the first answers of an epoch stay
