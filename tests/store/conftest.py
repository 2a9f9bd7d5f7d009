from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers, Identity

DOMAIN = Domain((Real("x"), Category("sex", ("female", "male"))))


@pytest.fixture
def rows() -> Callable[..., Samples]:
    """Rows with x as given; ids count up unless given."""

    def make(x, ids=None) -> Samples:
        x = np.asarray(x, dtype=float)
        ids = np.arange(len(x)) if ids is None else np.asarray(ids)
        return Samples(DOMAIN, {"x": x, "sex": np.zeros(len(x), dtype=int)}, ids, Origin("made up"))

    return make


@dataclasses.dataclass
class Fake:
    """Logit = x; fails below -100; remembers all it was asked."""

    identity: Identity = dataclasses.field(default_factory=lambda: Identity("fake", "f" * 64))
    outputs: tuple[str, ...] = ("above",)
    scale: str = "probability"
    offers: frozenset = frozenset({SCORE, LABEL, LOGIT})
    form: None = None
    shift: float = 0.0
    noise: np.random.Generator | None = None
    asked: list = dataclasses.field(default_factory=list)
    calls: list = dataclasses.field(default_factory=list)
    stop_after: int = -1

    def answer(self, samples, signals, draw=0) -> Answers:
        if self.stop_after == 0:
            raise KeyboardInterrupt
        self.stop_after -= 1
        x = samples.columns["x"] + self.shift + 1000 * draw
        x = x if self.noise is None else x + 0.001 * self.noise.standard_normal(len(x))
        self.asked += x.tolist()
        self.calls.append((len(samples), frozenset(signals)))
        logit = np.stack([x * (k + 1) for k in range(len(self.outputs))], axis=1)
        failed = {int(row): "refused" for row in np.flatnonzero(x < -100)}
        if len(self.outputs) > 1:
            score = np.exp(logit - logit.max(1, keepdims=True))
            score /= score.sum(1, keepdims=True)
        else:
            score = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
        label = (x > 0).astype(np.int64)
        for value in (logit, score):
            value[list(failed)] = np.nan
        label[list(failed)] = -1
        every = {LOGIT: logit, SCORE: score, LABEL: label}
        return Answers({signal: every.get(signal, x) for signal in signals}, failed)


@pytest.fixture
def fake() -> type[Fake]:
    return Fake
