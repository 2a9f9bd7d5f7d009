"""Which part of a subject's answers a question is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kdaudit.condition import parse
from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples, concat
from kdaudit.signal import LABEL, LOGIT, SCORE, Signals
from kdaudit.subject import Answers, Ask, Subject


@dataclass(frozen=True)
class Contrast:
    """The answer with `field` set to `level` minus the answer with it set to `other`, all else kept."""

    field: str
    level: str
    other: str


@dataclass(frozen=True)
class Minus:
    """The answer of a teacher minus that of somebody else: an earlier version, a proxy.

    Parameters
    ----------
    name : str
        Of the other subject, for people.
    digest : str
        Of its identity.
    of : {"score", "decision"}
        "score": the difference of one score.  "decision": 1 where the two decide otherwise, else 0.
    output : str
        Whose score, where there are several outputs.
    """

    name: str
    digest: str
    of: Literal["score", "decision"] = "score"
    output: str = ""

    @property
    def words(self) -> str:
        """Return what the difference is, in words."""
        if self.of == "decision":
            return f"the share of rows decided otherwise than {self.name} does"
        return f"the teacher's score{f' of {self.output}' if self.output else ''} minus that of {self.name}"

    def read(self, first: Answers, second: Answers, outputs: tuple[str, ...]) -> Answers:
        """Return the difference read off the answers of both to the same rows, as a score of one column.

        A row that one of them failed has failed.  Where one of them gives no scores, labels are taken of both.
        """
        scored = all({SCORE, LOGIT} & set(answers.values) for answers in (first, second))
        if self.of == "decision":
            value = (first.label != second.label).astype(np.float64)
        elif scored:
            at = outputs.index(self.output) if self.output else 0
            value = first.score[:, at] - second.score[:, at]
        else:
            value = (first.label - second.label).astype(np.float64)
        value[~(first.answered & second.answered)] = np.nan
        return Answers({SCORE: value[:, None]}, {**second.failed, **first.failed})


@dataclass(frozen=True)
class Behaviour:
    """What is asked of a subject.

    Parameters
    ----------
    name : str
        For people, such as ``"scored above 50,000 dollars"``.
    outputs : tuple of str
        One name for a yes-or-no score or a number, else one a class.
    domain : Domain
    scope : str
        Condition on rows (see `kdaudit.condition`); empty for all.
    contrast : Contrast, optional
        Distil a difference instead of an answer.
    scale : {"probability", "logit", "label", "value"}
        In what a score is read.
    rule : float
        A row is decided "yes" where its score is above this (one output; several take the likeliest class).

    Raises
    ------
    InvalidInput
        If there is no output, the scope cannot be read or the contrast names an unknown level.
    """

    name: str
    outputs: tuple[str, ...]
    domain: Domain
    scope: str = ""
    contrast: Contrast | None = None
    scale: Literal["probability", "logit", "label", "value"] = "probability"
    rule: float = 0.5

    def __post_init__(self) -> None:
        if not self.outputs:
            raise InvalidInput(f"behaviour {self.name!r} names no output; name one, or one a class")
        parse(self.scope, self.domain)
        if self.contrast is not None:
            for level in (self.contrast.level, self.contrast.other):
                self.domain.code(self.contrast.field, level)

    def within(self, samples: Samples) -> Samples:
        """Return the rows inside the scope."""
        return samples.take(parse(self.scope, self.domain).mask(samples)) if self.scope else samples

    def pose(self, samples: Samples) -> Samples:
        """Return the rows to ask: the rows themselves, or both sides of the contrast one after the other."""
        if self.contrast is None:
            return samples
        c = self.contrast
        return concat([samples.setting(c.field, c.level), samples.setting(c.field, c.other)])

    def read(self, answers: Answers) -> Answers:
        """Return the behaviour read off answers to the posed rows.

        The label comes from the rule; a contrast's score is a difference in [-1, 1] and its label is -1, 0 or 1
        (failed rows of either side fail; their label is 0).
        """
        labelled = self._decided(answers)
        if self.contrast is None:
            return labelled
        n = len(answers) // 2
        first, second = np.arange(n), np.arange(n, 2 * n)
        a, b = labelled.take(first), labelled.take(second)
        failed = {**b.failed, **a.failed}
        values = {LABEL: np.where(a.answered & b.answered, a.label - b.label, 0)}
        if SCORE in answers.values or LOGIT in answers.values:
            values[SCORE] = a.logit - b.logit if self.scale == "logit" else a.score - b.score
        return Answers(values, failed)

    def through(self, ask: Ask) -> Ask:
        """Return an ask that poses rows to `ask` and reads the behaviour off what comes back."""

        def asked(subject: Subject, samples: Samples, signals: Signals) -> Answers:
            return self.read(ask(subject, self.pose(samples), signals))

        return asked

    def _decided(self, answers: Answers) -> Answers:
        if len(self.outputs) != 1 or not {SCORE, LOGIT} & set(answers.values):
            return answers
        with np.errstate(invalid="ignore"):
            label = (answers.score[:, 0] > self.rule).astype(np.int64)
        label[list(answers.failed)] = -1
        return Answers({**answers.values, LABEL: label}, answers.failed)
