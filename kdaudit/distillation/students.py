"""The recipe of a student: which network, what it matches, how long it learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from kdaudit.behaviour import Behaviour
from kdaudit.distillation.loop import Record, learn, recorded
from kdaudit.distillation.training import Schedule
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.objective.sum import parse
from kdaudit.objective.terms import logit_mse, soft_targets
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject

SHARES = (0.25, 0.5, 1.0)
"""Shares of the steps after which a student is tried; each is a whole schedule from the same first weights."""


@dataclass(frozen=True)
class Student:
    """Recipe of a small network.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer; empty for a linear model.
    objective : str
        What is matched; see `kdaudit.objective.sum.parse`.
    steps : int
        Most steps; how many are taken is chosen on the select rows.
    batch : int
        Rows a step.
    rate : float
        Learning rate at the start.

    Raises
    ------
    InvalidInput
        If the objective cannot be read or a number is not above 0.
    """

    hidden: tuple[int, ...] = (32,)
    objective: str = "soft_targets(2)"
    steps: int = 1500
    batch: int = 256
    rate: float = 3e-3

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        parse(self.objective)
        self._schedule(1.0)

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else logits, else decisions."""
        return frozenset()

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the student; see `kdaudit.question.ProxyRecipe`.

        Students of a few numbers of steps learn from ``fit``; the one whose scores come closest to the teacher's on
        ``select`` is returned (by divergence in nats, or squared error where the score is a number).
        """
        if behaviour.contrast is not None:
            raise InvalidInput(
                f"behaviour {behaviour.name!r} is a contrast; a student learns answers, not differences: "
                "use a tree or a rule list"
            )
        rows = partial(recorded, teacher, ask=ask)
        fit = rows(behaviour.within(parts["fit"]))
        select = rows(behaviour.within(parts["select"])) if "select" in parts else None
        arguments = {
            "inputs": Encoding(behaviour.domain, (), ()).width,
            "outputs": len(teacher.outputs),
            "hidden": list(self.hidden),
        }
        module = build("mlp", arguments, int(rng.integers(2**62)))
        seed = int(rng.integers(2**62))
        tried = []
        for share in SHARES if select is not None else SHARES[-1:]:
            schedule = self._schedule(share)
            network = learn(module, teacher, self.objective, fit, schedule, np.random.default_rng(seed))
            tried.append((schedule.steps, network, None if select is None else _distance(network, select)))
        return _nearest(tried, select)

    def _schedule(self, share: float) -> Schedule:
        return Schedule(max(1, int(self.steps * share)) if self.steps > 0 else self.steps, self.batch, self.rate)

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        if not self.hidden:
            return "linear network"
        return f"network of {' and '.join(map(str, self.hidden))} hidden units"

    def size(self, subject: Network) -> dict[str, int]:
        """Return how large it is."""
        return {"parameters": subject.form.parameters}


def _distance(network: Network, select: Record) -> float:
    """Return how far the student is from the teacher on the select rows, mean over rows."""
    raw = torch.from_numpy(network.raw(network.encoding.encode(select.samples)))
    term = logit_mse() if network.scale == "value" else soft_targets(1.0)
    return float(term(raw, select.reference).mean())


def _nearest(tried: list[tuple[int, Network, float | None]], select: Record | None) -> Network:
    steps, network, _ = min(tried, key=lambda item: (item[2] or 0.0, item[0]))
    curve: list[dict[str, Any]] = [{"steps": s, "distance": d, "chosen": s == steps} for s, _, d in tried]
    network.notes |= {
        "curve": curve,
        "chosen_on": 0 if select is None else len(select.samples),
        "failed": network.notes["failed"] + (0 if select is None else select.failed),
    }
    return network
