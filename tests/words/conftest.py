"""Rows of people, and a subject whose answers are written down."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers, Identity

PEOPLE = Domain(
    (
        Real("age", 18, 99, unit="years", integer=True),
        Real("hours", 0, 168, missing=True),
        Category("sex", ("female", "male"), protected=True),
        Category("schooling", ("none", "school", "bachelor's degree", "doctorate"), ordered=True, missing=True),
    )
)


@dataclass(frozen=True, eq=False)
class Told:
    """A subject that says what it was told to, whatever it is asked."""

    answers: Answers
    outputs: tuple[str, ...] = ("yes",)
    scale: str = "probability"
    offers: frozenset = frozenset({SCORE})
    form: None = None
    identity: Identity = field(default_factory=lambda: Identity("the parrot", "0" * 64))

    def answer(self, samples, signals, draw=0):
        return self.answers


def draw_people(n: int, seed: int = 0, domain: Domain = PEOPLE) -> Samples:
    chance = np.random.default_rng(seed)
    hours = chance.uniform(0, 80, n).round(1)
    hours[chance.random(n) < 0.1] = np.nan
    columns = {
        "age": chance.integers(18, 100, n).astype(float),
        "hours": hours,
        "sex": chance.integers(0, 2, n).astype(np.int32),
        "schooling": chance.integers(-1, 4, n).astype(np.int32),
    }
    labels, weights = chance.integers(0, 2, n), chance.uniform(1, 2, n)
    return Samples(domain, columns, np.arange(n) + 100, Origin("people", part="judge"), labels, weights)


@pytest.fixture(scope="session")
def domain():
    return PEOPLE


@pytest.fixture(scope="session")
def people():
    """``people(n, seed=0)``: n rows drawn at random, with missing values."""
    return draw_people


@pytest.fixture(scope="session")
def told():
    return Told
