"""Small subjects made of formulas, and people for them to answer."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.cast import Cast, Empty
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import NoSuchSignal
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers, Identity

DOMAIN = Domain(
    (
        Real("age", 18, 90, integer=True),
        Real("hours", 0, 99),
        Category("sex", ("female", "male"), protected=True),
        Category("school", ("low", "middle", "high"), ordered=True, missing=True),
    )
)


class Formula:
    """A subject that is a formula of its rows: ``score(samples) -> (n,)`` or ``(n, outputs)``."""

    outputs = ("above",)
    scale = "probability"
    form = None

    def __init__(self, score, name="formula", offers=(SCORE, LABEL, LOGIT), failed=(), by="content"):
        self.score, self.offers, self.failed = score, frozenset(offers), failed
        self.identity = Identity(name, name, by=by)

    def answer(self, samples, signals, draw=0):
        if missing := set(signals) - self.offers:
            raise NoSuchSignal(f"{self.identity.name} does not offer {missing}")
        values = np.asarray(self.score(samples), dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        failed = {i: "no answer" for i, row in enumerate(samples.ids) if row in self.failed}
        values = values.copy()
        values[list(failed)] = np.nan
        if self.offers == {LABEL}:
            return Answers({LABEL: (values[:, 0] > 0.5).astype(np.int64)}, failed)
        return Answers({SCORE: values}, failed)


class Asking:
    """The shape of a store's ask; remembers how many distinct rows each subject answered."""

    def __init__(self):
        self.seen = {}

    def __call__(self, subject, samples, signals):
        self.seen.setdefault(subject.identity.name, set()).update(samples.keys().tolist())
        return subject.answer(samples, signals)

    def rows(self, subject):
        return len(self.seen.get(subject.identity.name, ()))


def make_people(n=1000, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        "age": rng.integers(18, 91, n).astype(float),
        "hours": np.round(rng.uniform(0, 99, n), 4),
        "sex": rng.integers(0, 2, n).astype(np.int32),
        "school": rng.integers(-1, 3, n).astype(np.int32),
    }
    return Samples(DOMAIN, columns, np.arange(n), Origin("people made by chance"))


def make_cast(teacher, proxy, stranger=None, twin=None, **more):
    return Cast(
        teacher,
        proxy,
        stranger or Empty("there is no stranger"),
        twin or Empty("there is no twin"),
        control_kind="strangers_proxy" if stranger else "none",
        **more,
    )


@pytest.fixture
def formula():
    return Formula


@pytest.fixture
def people():
    return make_people


@pytest.fixture
def cast_of():
    return make_cast


@pytest.fixture
def asking():
    return Asking()
