"""A cast of lookup tables: subjects whose answers are given, and an ask that counts."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from kdaudit.domain import Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity

DOMAIN = Domain((Real("row", low=0, high=1e6),))


@dataclass(frozen=True, eq=False)
class Table:
    """Answers row number r with scores[r]; fails in the rows of `failing`."""

    name: str
    scores: np.ndarray
    failing: frozenset = frozenset()
    offers: frozenset = frozenset({SCORE, LABEL})
    by: str = "content"
    outputs: tuple = ("yes",)
    scale: str = "probability"
    form: None = None

    @property
    def identity(self):
        return Identity(self.name, self.name * 64, by=self.by)

    def answer(self, samples, signals, draw=0):
        at = samples.columns["row"].astype(int)
        failed = {i: "no answer" for i, row in enumerate(at) if int(row) in self.failing}
        score = self.scores[at][:, None].copy()
        score[list(failed)] = np.nan
        if SCORE in signals:
            return Answers({SCORE: score}, failed)
        label = np.where(np.isnan(score[:, 0]), -1, score[:, 0] > 0.5).astype(np.int64)
        return Answers({LABEL: label}, failed)


@dataclass
class Counting:
    """An ask that notes whom it asked how many rows."""

    asked: list = field(default_factory=list)

    def __call__(self, subject, samples, signals):
        self.asked.append((subject.identity.name, len(samples)))
        return subject.answer(samples, signals)


@pytest.fixture
def ask():
    return Counting()


def row_samples(n):
    return Samples(DOMAIN, {"row": np.arange(n, dtype=float)}, np.arange(n), Origin("rows"))


@pytest.fixture
def table():
    return Table


@pytest.fixture
def samples():
    return row_samples(400)
