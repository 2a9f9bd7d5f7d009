"""A closed subject: whatever turns rows into scores, asked in batches of one size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Domain
from kdaudit.errors import InvalidAnswers, InvalidInput, KdauditError, NoSuchSignal
from kdaudit.layers import Bulk
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.subject import Answers, Identity, Scale
from kdaudit.teachers.rows import conform, filled

BATCH = 256
"""Rows that are handed over at once."""
Scorer = Callable[[Samples], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Closed:
    """A subject of which only answers are known.

    A row to which the model gives NaN, in one of its outputs or in all, has failed: the others are answered.

    Parameters
    ----------
    identity : Identity
    domain : Domain
        The rows that it takes.
    outputs : tuple of str
    scorer : callable
        From a batch of rows to an array of shape (batch, outputs), or (batch,) for one output.
    gives : {SCORE, LOGIT}
        What these numbers are.
    scale : {"probability", "value"}
    batch : int
        Rows that `scorer` gets at once; 1 asks each row alone and fills nothing up.
    bulk : Bulk, optional
        How large it is, where it lies in a file that is run here.
    fixed : bool
        Whether `scorer` takes `batch` rows and no other number.
    """

    identity: Identity
    domain: Domain
    outputs: tuple[str, ...]
    scorer: Scorer
    gives: Signal = SCORE
    scale: Scale = "probability"
    batch: int = BATCH
    bulk: Bulk | None = None
    fixed: bool = False

    def __post_init__(self) -> None:
        if not self.outputs or self.batch < 1:
            raise InvalidInput(f"{self.identity.name} needs an output and a batch of at least one row")

    @property
    def offers(self) -> frozenset[Signal]:
        """What it gives, and what can be read off that."""
        return frozenset({self.gives, SCORE} if self.scale == "value" else {self.gives, SCORE, LABEL})

    @property
    def form(self) -> None:
        """Nothing: it is closed."""
        return None

    def answer(self, samples: Samples, signals: Signals, draw: int = 0) -> Answers:  # noqa: ARG002 - no chance here
        """Answer rows; see `kdaudit.subject.Subject.answer`.

        Raises
        ------
        OutOfDomain
            If the rows are of another domain.
        NoSuchSignal
            If a signal is not offered.
        InvalidAnswers
            If the model fails, or gives another number of rows or outputs.
        """
        asked = frozenset(signals)
        refuse_unoffered(asked, self.offers, self.identity.name)
        rows = conform(samples, self.domain)
        out = np.empty((len(rows), len(self.outputs)))
        for piece, block in filled(rows, self.batch):
            out[piece] = self._scores(block)[: piece.stop - piece.start]
        failed = unanswered(out)
        out[list(failed)] = np.nan
        return derived({self.gives: out}, asked, samples, self.identity.name, failed)

    def passed(self, samples: Samples) -> NDArray[Any]:
        """Run it on rows as they come, or on as many more of them as it takes at least."""
        if self.fixed:
            samples = samples.take(np.arange(self.batch) % len(samples))
        return self.scorer(samples)

    def _scores(self, block: Samples) -> NDArray[np.float64]:
        name = self.identity.name
        try:
            values = np.asarray(self.scorer(block), dtype=np.float64)
        except KdauditError:
            raise
        except Exception as error:  # code of others may raise anything
            raise InvalidAnswers(f"{name} failed on rows from {block.ids[0]} on: {error!r}") from error
        if values.ndim == 1 and len(self.outputs) == 1:
            values = values[:, None]
        if values.shape != (len(block), len(self.outputs)):
            raise InvalidAnswers(
                f"{name} gave an array of shape {values.shape} to {len(block)} rows; "
                f"({len(block)}, {len(self.outputs)}) was expected, one column for each of {', '.join(self.outputs)}"
            )
        return values


def refuse_unoffered(asked: frozenset[Signal], offers: frozenset[Signal], name: str) -> None:
    """Raise `NoSuchSignal` if something is asked for that is not offered."""
    if missing := asked - offers:
        lacking, known = (", ".join(sorted(map(str, signals))) for signals in (missing, offers))
        raise NoSuchSignal(f"{name} does not offer {lacking}; it offers {known}")


def unanswered(values: NDArray[np.float64]) -> dict[int, str]:
    """Return the rows of values of shape (n, outputs) in which one is NaN, each with the reason why it failed."""
    return dict.fromkeys(np.flatnonzero(np.isnan(values).any(axis=1)).tolist(), "it was given no number (NaN)")


def derived(
    values: dict[Signal, NDArray[Any]],
    asked: frozenset[Signal],
    samples: Samples,
    name: str,
    failed: Mapping[int, str] = MappingProxyType({}),
) -> Answers:
    """Return the signals asked for, scores and labels read off logits or scores.

    Raises
    ------
    InvalidAnswers
        If a label is to be read off something that is no finite number, in a row that has not failed.
    """
    answers, out = Answers(values, failed), dict(values)
    if SCORE in asked:
        out[SCORE] = answers.score
    if LABEL in asked:
        given = values.get(LOGIT, values.get(SCORE, np.zeros((len(samples), 1))))
        bad = ~np.isfinite(given).all(axis=1) & answers.answered
        if bad.any():
            row = samples.ids[int(np.flatnonzero(bad)[0])]
            raise InvalidAnswers(f"{name} gave row {row} no finite number, hence no label; {int(bad.sum())} such rows")
        out[LABEL] = answers.label
    return Answers({signal: out[signal] for signal in asked}, failed)
