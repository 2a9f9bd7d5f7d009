"""Whoever answers: teacher, student, surrogate, quantised form, ensemble, federation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidAnswers, NoSuchSignal
from kdaudit.layers import Layers
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals

Scale = Literal["probability", "value"]
SUM_TOLERANCE = 1e-3
"""How far scores of all classes may be from summing to one (float16 endpoints round that much)."""


@dataclass(frozen=True)
class Identity:
    """Who a subject is: two subjects with one identity give one answer to one row.

    Parameters
    ----------
    name : str
        For people.
    digest : str
        sha256, hex.  Answers are kept under it.
    basis : {"content", "declared"}
        "content": of weights, preprocessing, precision, batch size and class source, so that it changes whenever an
        answer could.  "declared": of what the user says (a version) and of the adapter's source; canary rows watch it.
    by : {"content", "id"}
        Whether answers belong to a row's content or, for recorded answers, to its id.
    """

    name: str
    digest: str
    basis: Literal["content", "declared"] = "content"
    by: Literal["content", "id"] = "content"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a subject said, aligned with the rows that were asked.

    Parameters
    ----------
    values : mapping of Signal to array of shape (n, ...)
        Scores and logits: float64 of shape (n, outputs).  Labels: int64 of shape (n,).
    failed : mapping of int to str
        Row position -> reason.  Values of failed rows are NaN (labels: -1) and must not be used.
    """

    values: Mapping[Signal, NDArray[Any]]
    failed: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which rows were answered, shape (n,)."""
        out = np.ones(len(self), dtype=bool)
        out[list(self.failed)] = False
        return out

    @property
    def score(self) -> NDArray[np.float64]:
        """Scores of shape (n, outputs); from logits by sigmoid (one output) or softmax (several).

        Raises
        ------
        NoSuchSignal
            If neither scores nor logits were answered.
        """
        if SCORE in self.values:
            return self.values[SCORE]
        if LOGIT in self.values:
            return _score_of(self.values[LOGIT])
        raise NoSuchSignal("these answers hold labels only; a measure of scores needs a subject that offers scores")

    @property
    def logit(self) -> NDArray[np.float64]:
        """Logits of shape (n, outputs); from scores by their logarithm, clipped at 1e-7, where none were answered."""
        if LOGIT in self.values:
            return self.values[LOGIT]
        s = np.clip(self.score, 1e-7, 1 - 1e-7)
        out: NDArray[np.float64] = np.log(s) - np.log1p(-s) if s.shape[1] == 1 else np.log(s)
        return out

    @property
    def label(self) -> NDArray[np.int64]:
        """Labels of shape (n,): as answered or as read off by a behaviour's rule, else the likeliest class."""
        if LABEL in self.values:
            return self.values[LABEL]
        s = self.score
        with np.errstate(invalid="ignore"):
            out = (s[:, 0] > 0.5).astype(np.int64) if s.shape[1] == 1 else s.argmax(axis=1)
        out[list(self.failed)] = -1
        return out

    def take(self, rows: NDArray[Any]) -> Answers:
        """Return the answers at positions `rows`, in that order."""
        place = {int(old): reason for old, reason in self.failed.items()}
        failed = {new: place[int(old)] for new, old in enumerate(rows) if int(old) in place} if place else {}
        return Answers({signal: value[rows] for signal, value in self.values.items()}, failed)


def _score_of(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    if logit.shape[1] == 1:
        # exp of minus the absolute value cannot overflow
        small = np.exp(-np.abs(logit))
        out: NDArray[np.float64] = np.where(logit >= 0, 1.0, small) / (1.0 + small)
        return out
    shifted: NDArray[np.float64] = np.exp(logit - logit.max(axis=1, keepdims=True))
    share: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return share


def concat_answers(parts: Sequence[Answers]) -> Answers:
    """Return the answers of all parts, one after another."""
    start = 0
    failed: dict[int, str] = {}
    for part in parts:
        failed |= {start + row: reason for row, reason in part.failed.items()}
        start += len(part)
    return Answers({signal: np.concatenate([p.values[signal] for p in parts]) for signal in parts[0].values}, failed)


@runtime_checkable
class Subject(Protocol):
    """Whatever answers rows.

    ``answer`` gives one answer a row, in the order of the rows, and gives the same bits to a row whether it is asked
    alone, in company or in another order.  Only the store, and subjects around subjects, call it.
    """

    @property
    def identity(self) -> Identity:
        """Who answers."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs: one for a yes-or-no score or a number, else one a class."""
        ...

    @property
    def scale(self) -> Scale:
        """Whether scores are probabilities or numbers."""
        ...

    @property
    def offers(self) -> frozenset[Signal]:
        """Signals that can be asked for."""
        ...

    @property
    def form(self) -> Rules | Layers | None:
        """A proxy's body as plain data; None for a closed subject."""
        ...

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:
        """Answer rows.

        Parameters
        ----------
        samples : Samples
            n rows of the domain that the subject was made for.
        signals : iterable of Signal
            Out of `offers`.
        draw : int
            Which repetition, for subjects that answer by chance.

        Returns
        -------
        Answers
            Aligned with `samples`; at least the signals asked for.
        """
        ...


Ask = Callable[[Subject, Samples, Signals], Answers]
"""The shape of ``Store.ask``: whom, which rows, which signals."""


def check_answers(answers: Answers, samples: Samples, signals: Signals, subject: Subject) -> Answers:
    """Return `answers` if they are what was asked for.

    Raises
    ------
    InvalidAnswers
        On a missing signal, a wrong number of rows, a wrong number of outputs, NaN, a probability outside [0, 1],
        probabilities that do not sum to one, a label that is no class, or a failed row that was not asked; the sentence
        names the subject, the row and what was expected.
    """
    name, n = subject.identity.name, len(samples)
    for signal in signals:
        if signal not in answers.values:
            raise InvalidAnswers(f"{name} was asked for {signal} and did not give it")
        got = len(answers.values[signal])
        if got != n:
            raise InvalidAnswers(f"{name} gave {got} answers to {n} rows; one answer a row was expected")
        if any(not 0 <= row < n for row in answers.failed):
            raise InvalidAnswers(f"{name} says that row {max(answers.failed)} failed; rows 0 to {n - 1} were asked")
        if signal in (SCORE, LOGIT):
            _check_numbers(answers, signal, samples, subject)
        if signal == LABEL and subject.scale == "probability":
            _check_labels(answers, samples, subject)
    return answers


def _check_labels(answers: Answers, samples: Samples, subject: Subject) -> None:
    name, label, classes = subject.identity.name, answers.values[LABEL], max(len(subject.outputs), 2)
    if label.ndim != 1 or label.dtype.kind != "i":
        raise InvalidAnswers(
            f"{name} gave labels of type {label.dtype} and shape {label.shape}; "
            f"int64 of shape ({len(samples)},) was expected"
        )
    bad = ((label < 0) | (label >= classes)) & answers.answered
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise InvalidAnswers(
            f"{name} answered row {samples.ids[at]} with label {label[at]}; "
            f"a class from 0 to {classes - 1} was expected ({int(bad.sum())} such rows of {len(samples)})"
        )


def _check_numbers(answers: Answers, signal: Signal, samples: Samples, subject: Subject) -> None:
    name, k = subject.identity.name, len(subject.outputs)
    value = answers.values[signal]
    if value.ndim != 2 or value.shape[1] != k:
        raise InvalidAnswers(
            f"{name} gave a {signal} of shape {value.shape}; ({len(samples)}, {k}) was expected, "
            f"one column for each of {', '.join(subject.outputs)}"
        )
    rows = answers.answered
    bad = ~np.isfinite(value).all(axis=1)
    expected = "a number"
    if signal == SCORE and subject.scale == "probability":
        with np.errstate(invalid="ignore"):
            bad |= ((value < 0) | (value > 1)).any(axis=1)
            expected = "a number from 0 to 1"
            if k > 1:
                bad |= np.abs(value.sum(axis=1) - 1) > SUM_TOLERANCE
                expected = f"{k} numbers from 0 to 1 that sum to one"
    bad &= rows
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        shown = ", ".join(f"{x:g}" for x in value[at])
        raise InvalidAnswers(
            f"{name} answered row {samples.ids[at]} with {signal} {shown}; {expected} was expected "
            f"({int(bad.sum())} such rows of {len(samples)}). A row that cannot be answered belongs into `failed`"
        )
