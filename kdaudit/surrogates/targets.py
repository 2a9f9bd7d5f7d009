"""What a teacher said about the rows that a surrogate is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.samples import Samples, concat
from kdaudit.signal import LABEL, LOGIT, SCORE, Signals
from kdaudit.subject import Answers
from kdaudit.surrogates.readings import Reading

TeacherAsk = Callable[[Samples, Signals], Answers]
"""An ask that knows whom: ``partial(behaviour.through(store.ask), teacher)``."""

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Targets:
    """Answered rows.

    Parameters
    ----------
    samples : Samples
        n rows, those that failed left out.
    score : array of shape (n, outputs)
    label : array of shape (n,)
        0 or 1 for one output, else positions among the classes.
    numeric : bool
        Whether the score is a number to be met (a value, a contrast) and not a decision to be agreed with.
    rule : float
        One output is decided "yes" above this.
    failed : int
        Rows that the teacher could not answer.
    raw : Samples, optional
        The rows as they were asked, where `samples` holds fields read off texts or pictures.
    reading : Reading, optional
        How those fields are read.
    """

    samples: Samples
    score: Floats
    label: Positions
    numeric: bool
    rule: float
    failed: int
    raw: Samples | None = None
    reading: Reading | None = None

    def __len__(self) -> int:
        return len(self.label)

    @property
    def weight(self) -> Floats | None:
        """What each row counts, shape (n,): its sampling weight over the mean of all; None where all count the same.

        Raises
        ------
        InvalidInput
            If no row weighs anything.
        """
        given = self.samples.weights
        if given is None or not len(given):
            return None
        if not np.isfinite(given).all() or (given < 0).any() or not given.any():
            raise InvalidInput("sampling weights are finite, at least 0, and some above 0; these are not")
        out: Floats = given / given.mean()
        return out

    def weighing(self, others: Targets, parents: Positions) -> Targets:
        """Return the rows with the sampling weights of those that they were drawn around."""
        given = others.samples.weights
        if given is None:
            return self
        raw = None if self.raw is None else replace(self.raw, weights=given[parents])
        return replace(self, samples=replace(self.samples, weights=given[parents]), raw=raw)

    @property
    def asked(self) -> Samples:
        """The rows as they were asked."""
        return self.samples if self.raw is None else self.raw

    def read(self, reading: Reading | None) -> Targets:
        """Return the same rows with their fields read off texts and pictures; themselves without a reading."""
        if reading is None:
            return self
        return replace(self, samples=reading.of(self.asked), raw=self.asked, reading=reading)

    def take(self, rows: NDArray[Any]) -> Targets:
        """Return the rows at positions `rows`."""
        return replace(
            self,
            samples=self.samples.take(rows),
            score=self.score[rows],
            label=self.label[rows],
            raw=None if self.raw is None else self.raw.take(rows),
        )

    @property
    def classes(self) -> Floats:
        """The label as numbers: one column of 0 and 1 for one output, else one column a class."""
        k = self.score.shape[1]
        out: Floats = self.label[:, None].astype(np.float64) if k == 1 else np.eye(k)[self.label]
        return out

    def decided(self, score: Floats) -> Positions:
        """Return the decisions that scores of shape (m, outputs) stand for, shape (m,)."""
        return (score[:, 0] > self.rule).astype(np.int64) if score.shape[1] == 1 else score.argmax(axis=1)

    def merit(self, score: Floats) -> Floats:
        """Return how well scores of shape (n, outputs) meet the rows, shape (n,): 1 where they decide alike, else 0.

        Of numbers, the squared error with its sign turned.  Rows with sampling weights count by them.
        """
        error: Floats = (score - self.score) ** 2
        agrees: Floats = (self.decided(score) == self.label).astype(np.float64)
        out = -error.sum(axis=1) if self.numeric else agrees
        weight = self.weight
        return out if weight is None else out * weight

    def answer(self, rows: NDArray[Any]) -> tuple[float, ...]:
        """Return what is answered for these rows: the mean score, moved as little as decides like most of them.

        The mean score of rows can lie on the other side of the rule than most of the rows; the reader of a rule, and
        agreement, go by the decision.
        """
        given = None if self.samples.weights is None else self.samples.weights[rows]
        # rows that weigh nothing have no say, unless there are no others
        weight = None if given is None or not given.any() else given
        own = self.score[rows]
        mean: Floats = own.mean(axis=0) if weight is None else np.average(own, axis=0, weights=weight)
        if self.numeric:
            return tuple(float(x) for x in mean)
        counts = np.bincount(self.label[rows], weight, minlength=max(2, len(mean)))
        return tuple(float(x) for x in _settled(mean, counts, self.rule))


def _settled(mean: Floats, counts: NDArray[Any], rule: float) -> Floats:
    if len(mean) == 1:
        if counts[1] == counts[0] or (mean[0] > rule) == (counts[1] > counts[0]):
            return mean
        return np.array([np.nextafter(rule, 2.0) if counts[1] > counts[0] else rule])
    top, winner = int(mean.argmax()), int(counts.argmax())
    if counts[top] == counts[winner]:
        return mean
    gap = mean[top] - mean[winner]
    share = gap / (1.0 + gap) + 1e-9
    out: Floats = mean * (1.0 - share) + share * np.eye(len(mean))[winner]
    return out


def ask_for_targets(behaviour: Behaviour, samples: Samples, ask: TeacherAsk) -> Targets:
    """Ask about the rows inside the behaviour's scope: scores, or labels where the teacher gives no scores.

    Raises
    ------
    InvalidInput
        If no row is left, or on a contrast of logits or of several outputs.
    InvalidAnswers
        If there are more classes, or other numbers of scores, than the behaviour names.
    """
    if behaviour.contrast is not None and (behaviour.scale == "logit" or len(behaviour.outputs) > 1):
        raise InvalidInput(
            f"behaviour {behaviour.name!r} is a contrast of logits or of several outputs; rules answer with the "
            "difference of one score, so set its scale to probability and name one output"
        )
    rows = behaviour.within(samples)
    out, kept = answered(behaviour, rows, ask)
    if not len(kept):
        raise InvalidInput(
            f"none of {len(rows)} rows was answered on behaviour {behaviour.name!r}; a surrogate needs answered rows"
        )
    return out


def answered(behaviour: Behaviour, rows: Samples, ask: TeacherAsk) -> tuple[Targets, Positions]:
    """Return what was answered about rows inside the scope, and the positions of the rows that were answered."""
    answers = _answers(behaviour, rows, ask)
    kept = np.flatnonzero(answers.answered)
    score, label = _read(behaviour, answers.take(kept))
    numeric = behaviour.contrast is not None or behaviour.scale == "value"
    return Targets(rows.take(kept), score, label, numeric, behaviour.rule, len(rows) - len(kept)), kept


def decisions(behaviour: Behaviour, rows: Samples, ask: TeacherAsk) -> Positions:
    """Return what is decided of each row, shape (n,); -1 where it was not answered."""
    targets, kept = answered(behaviour, rows, ask)
    out = np.full(len(rows), -1, dtype=np.int64)
    out[kept] = targets.label
    return out


def stacked(parts: Sequence[Targets]) -> Targets:
    """Return the rows of all parts, one after another."""
    first = parts[0]
    return replace(
        first,
        samples=concat([part.samples for part in parts]),
        score=np.concatenate([part.score for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        failed=sum(part.failed for part in parts),
        raw=None if first.raw is None else concat([part.asked for part in parts]),
    )


def _answers(behaviour: Behaviour, rows: Samples, ask: TeacherAsk) -> Answers:
    for signal in () if behaviour.scale == "label" else (SCORE, LOGIT):
        try:
            return ask(rows, (signal,))
        except NoSuchSignal:
            continue
    return ask(rows, (LABEL,))


def _read(behaviour: Behaviour, answers: Answers) -> tuple[Floats, Positions]:
    k = len(behaviour.outputs)
    label = answers.label
    if not {SCORE, LOGIT} & set(answers.values):
        _check_labels(behaviour, label)
        return (np.eye(k)[label] if k > 1 else label[:, None].astype(np.float64)), label
    score = answers.score
    if score.ndim != 2 or score.shape[1] != k:
        raise InvalidAnswers(
            f"scores of shape {score.shape} on behaviour {behaviour.name!r}; one column for each of "
            f"{', '.join(behaviour.outputs)} was expected"
        )
    if not np.isfinite(score).all():
        raise InvalidAnswers(
            f"{int((~np.isfinite(score)).any(axis=1).sum())} answered rows have a score that is no number; "
            "a row that cannot be answered belongs into `failed`"
        )
    return score, label


def _check_labels(behaviour: Behaviour, label: Positions) -> None:
    k = max(2, len(behaviour.outputs))
    low = -1 if behaviour.contrast is not None else 0
    if len(label) and (label.min() < low or label.max() >= k):
        raise InvalidAnswers(
            f"labels from {label.min()} to {label.max()} on behaviour {behaviour.name!r}; "
            f"labels from {low} to {k - 1} were expected"
        )
