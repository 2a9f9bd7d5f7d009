from __future__ import annotations

import numpy as np
import pytest

from kdaudit.digest import of_data
from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity

DOMAIN = Domain((Real("x"), Real("y", missing=True), Category("g", ("a", "b", "c"))))


class Teacher:
    """A plain function as a subject: it counts what it is asked."""

    form = None

    def __init__(self, outputs=("yes",), *, offers=(SCORE, LABEL), scale="probability", fails=()):
        self.outputs, self.offers, self.scale, self.fails = outputs, frozenset(offers), scale, fails
        self.identity = Identity("teacher", of_data([outputs, scale, sorted(map(str, offers)), fails]))
        self.asked = 0

    def answer(self, samples, signals, draw=0):
        self.asked += len(samples)
        x, y, g = (samples.columns[name] for name in ("x", "y", "g"))
        z = 2 * x - np.nan_to_num(y) * (g == 1) + 0.5 * (g == 2)
        if self.scale == "value":
            score = 500 + 300 * z[:, None]
        elif len(self.outputs) == 1:
            score = 1 / (1 + np.exp(-z))[:, None]
        else:
            e = np.exp(np.stack([z, -z, np.full_like(z, 0.3)], axis=1))
            score = e / e.sum(axis=1, keepdims=True)
        label = (score[:, 0] > 0.5).astype(int) if score.shape[1] == 1 else score.argmax(axis=1)
        failed = {i: "no answer" for i, name in enumerate(samples.ids) if name in self.fails}
        score[list(failed)], label[list(failed)] = np.nan, -1
        values = {SCORE: score, LABEL: label}
        return Answers({signal: values[signal] for signal in signals}, failed)


@pytest.fixture
def teacher_of():
    return Teacher


@pytest.fixture
def draw_rows():
    def draw(n, seed=0, *, labels=False):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=n)
        y[::7] = np.nan
        columns = {"x": rng.normal(size=n), "y": y, "g": rng.integers(0, 3, n)}
        outcome = (columns["x"] > 0).astype(int) if labels else None
        return Samples(DOMAIN, columns, np.arange(n), Origin("drawn"), outcome)

    return draw
