from __future__ import annotations

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers

LEVELS = ("a", "b", "c", "d", "e", "never")


@pytest.fixture
def domain():
    return Domain(
        (
            Real("hours", 0, 99, integer=True),
            Real("debt", missing=True),
            Category("school", ("low", "middle", "high", "top"), ordered=True),
            Category("job", LEVELS, missing=True),
            Category("sex", ("female", "male")),
        )
    )


@pytest.fixture
def draw_rows(domain):
    def draw(n, seed=0):
        rng = np.random.default_rng(seed)
        debt = np.round(rng.normal(size=n), 2)
        debt[rng.random(n) < 0.1] = np.nan
        columns = {
            "hours": rng.integers(0, 100, n).astype(float),
            "debt": debt,
            "school": rng.integers(0, 4, n),
            "job": np.where(rng.random(n) < 0.1, -1, rng.integers(0, 5, n)),
            "sex": rng.integers(0, 2, n),
        }
        return Samples(domain, columns, np.arange(n), Origin("drawn", part=f"seed {seed}"))

    return draw


@pytest.fixture
def behaviour(domain):
    return Behaviour("yes", ("yes",), domain)


def planted(samples):
    """A tree of five leaves over all kinds of fields, missing values included."""
    hours, debt = samples.columns["hours"], samples.columns["debt"]
    school, job = samples.columns["school"], samples.columns["job"]
    late = np.where(np.isnan(debt), 0.1, np.where(debt <= 0.3, 0.9, 0.2))
    early = np.where(np.isin(job, (1, 3)), 0.8, np.where(school >= 2, 0.7, 0.05))
    return np.where(hours > 40, late, early)[:, None]


def answering(score):
    """An ask that answers by a function of rows and counts nothing."""

    def ask(samples, signals):
        value = np.asarray(score(samples), dtype=float)
        label = (value[:, 0] > 0.5).astype(int) if value.shape[1] == 1 else value.argmax(axis=1)
        return Answers({signal: value if signal == SCORE else label for signal in signals})

    return ask


@pytest.fixture
def planted_ask():
    return answering(planted)


@pytest.fixture
def answer_with():
    return answering


@pytest.fixture
def planted_score():
    return planted


@pytest.fixture
def label_only():
    from kdaudit.errors import NoSuchSignal

    def make(label):
        def ask(samples, signals):
            if set(signals) != {LABEL}:
                raise NoSuchSignal("labels only")
            return Answers({LABEL: np.asarray(label(samples))})

        return ask

    return make
