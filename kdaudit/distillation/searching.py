"""The recipe of a student whose size, temperature and weights are searched for, within limits of cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng as chance
from kdaudit.chance import seed_of
from kdaudit.distillation.loop import Extras, Record, learn, recorded
from kdaudit.distillation.search import Limit, Making, Policy, Searched, Space, parameters, search
from kdaudit.distillation.training import Schedule
from kdaudit.encoders import fitted
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.operations import operations
from kdaudit.networks.suiting import Shape, suiting
from kdaudit.objective.terms import logit_mse, soft_targets
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject

WEIGHTS = (0.03, 1.0)
"""Ends of the weight of each further term."""


@dataclass(frozen=True)
class Searching:
    """Recipe of the network that comes closest to the teacher on ``select``, among policies within the limits.

    Parameters
    ----------
    sizes : tuple of tuple of int
        Hidden layers to choose from.
    terms : tuple of str
        Further terms of the objective beside ``soft_targets``, whose weights are searched.
    temperature, rate : (float, float)
        Ends of temperature and learning rate.
    parameters, multiply_adds : int, optional
        Most that a student may have, and take for a row.
    trials : int
    steps, batch : int
        Of each student.

    Raises
    ------
    InvalidInput
        If a text cannot be read or a number is not above 0.
    """

    sizes: tuple[tuple[int, ...], ...] = ((4,), (8,), (16,), (32,), (64,))
    terms: tuple[str, ...] = ("logit_mse",)
    temperature: tuple[float, float] = (1.0, 8.0)
    rate: tuple[float, float] = (1e-3, 1e-2)
    parameters: int | None = None
    multiply_adds: int | None = None
    trials: int = 16
    steps: int = 1000
    batch: int = 256

    def __post_init__(self) -> None:
        for name in ("temperature", "rate"):
            if len(getattr(self, name)) != 2:
                raise InvalidInput(f"{name} needs two ends, such as [1, 8]")
            object.__setattr__(self, name, tuple(float(x) for x in getattr(self, name)))
        self.space()
        Schedule(self.steps, self.batch, self.rate[0])
        if self.trials < 1 or any(most is not None and most < 1 for most in (self.parameters, self.multiply_adds)):
            raise InvalidInput("trials, parameters and multiply_adds are whole numbers above 0")

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else logits, else decisions."""
        return frozenset()

    def space(self) -> Space:
        """Return what is searched."""
        return Space(self.sizes, self.temperature, dict.fromkeys(self.terms, WEIGHTS), self.rate)

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the best student; see `kdaudit.question.ProxyRecipe`.  Its `notes` hold the Pareto table."""
        if behaviour.contrast is not None or teacher.scale == "value":
            raise InvalidInput("policies are searched for students of decisions; this behaviour has none")
        fit = recorded(teacher, behaviour.within(parts["fit"]), ask)
        select = recorded(teacher, behaviour.within(parts["select"]), ask)
        seed = int(rng.integers(2**62))
        making = self._making(teacher, fit, seed)

        def products(student: Network) -> float:
            return float(operations(student.module, student.encoding.encode(select.samples.take([0]))).multiply_adds)

        limits = tuple(
            Limit(name, cost, np.inf if most is None else most)
            for name, cost, most in (
                ("parameters", parameters, self.parameters),
                ("multiply-adds", products, self.multiply_adds),
            )
        )
        found = search(
            self.space(), making, lambda s: -distance(s, select), limits=limits, trials=self.trials, seed=seed
        )
        network = making.train(found.best.policy)
        network.notes |= {"search": table(found), "left_out": dict(found.left_out), "chosen_on": len(select.samples)}
        return network

    def _making(self, teacher: Subject, fit: Record, seed: int) -> Making:
        encoder, k = fitted(fit.samples), len(teacher.outputs)

        def module(policy: Policy) -> torch.nn.Module:
            return build(*suiting(Shape("mlp", policy.hidden), encoder, k), seed_of(seed, "searching/weights"))

        def outline(policy: Policy) -> Network:
            return Network("student", module(policy), encoder, teacher.outputs, scale=teacher.scale)

        def train(policy: Policy) -> Network:
            draws, extras = chance(seed, "searching/batches"), Extras(encoding=encoder)
            schedule = Schedule(self.steps, self.batch, policy.rate)
            return learn(module(policy), teacher, policy.objective, fit, schedule, draws, extras)

        return Making(outline, train)

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        return f"the best of {self.trials} networks whose size and objective were searched for"


def distance(network: Network, select: Record) -> float:
    """Return the mean divergence in nats from student to teacher, or the mean squared error of numbers."""
    raw = torch.from_numpy(network.raw(network.encoding.encode(select.samples)))
    term = logit_mse() if network.scale == "value" else soft_targets(1.0)
    return float(term(raw, select.reference).mean())


def table(found: Searched) -> list[dict[str, Any]]:
    """Return the Pareto table as plain data, with the plan's text of each point."""
    return [
        {"plan": point.plan, "distance": -point.merit, **{name: int(cost) for name, cost in point.costs.items()}}
        for point in found.pareto
    ]
