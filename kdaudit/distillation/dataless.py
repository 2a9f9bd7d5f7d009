"""The recipe of a student that is made without a row of data: rows are made for it, or drawn from the whole domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.distillation.generator import Play, data_free
from kdaudit.distillation.loop import Extras, learn, recorded
from kdaudit.distillation.refusals import check_answers
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import uniform
from kdaudit.domain import Domain
from kdaudit.encoders import Encoder, fitted
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.suiting import Family, Shape, suiting, unsuited
from kdaudit.objective.sum import of
from kdaudit.objective.terms import logit_mse, soft_targets
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject

WAYS = {"generator": "rows that a generator makes", "domain": "rows drawn evenly from the whole domain"}


@dataclass(frozen=True)
class DataFree:
    """Recipe of a network that learned a teacher without any row of data.

    Such a network has often learned the task and not the teacher: it is evidence about the teacher only as far as its
    excess over its control, made in the same way from another teacher, is above 0.

    Parameters
    ----------
    hidden : tuple of int
        As in `kdaudit.distillation.students.Student`.
    by : {"generator", "domain"}
        "generator": rows are made where student and teacher differ; the teacher must lie open, and is shown the made
        rows in place, outside the budget.  "domain": rows are drawn evenly from the whole domain and asked as any
        others; nothing but answers is needed.
    rows : int
        How many are drawn from the domain.
    steps, batch : int
    rate, temperature : float
    adversarial, statistics, balance : float
        As in `kdaudit.distillation.generator.Play`; the last three are the generator's.
    network : {"mlp", "cnn", "transformer", "soft_tree"}
    width, heads : int
        As in `Student`.

    Raises
    ------
    InvalidInput
        If a number is not above 0, or a weight is negative.
    """

    hidden: tuple[int, ...] = (32,)
    by: Literal["generator", "domain"] = "generator"
    rows: int = 4000
    steps: int = 2000
    batch: int = 256
    rate: float = 3e-3
    temperature: float = 4.0
    adversarial: float = 1.0
    statistics: float = 5.0
    balance: float = 1.0
    network: Family = "mlp"
    width: int = 32
    heads: int = 2

    uses: ClassVar[tuple[str, ...]] = ()
    """Parts that the teacher answers whole: none."""
    dataless: ClassVar[bool] = True
    """No part is used at all, which says little about the teacher (see `kdaudit.auditing.standing`)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if self.by not in WAYS or self.rows < 2:
            raise InvalidInput(f"by {self.by!r}, {self.rows} rows: by is {' or '.join(WAYS)}, and rows are at least 2")
        self._play()

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else logits, else decisions."""
        return frozenset()

    @property
    def shown(self) -> int:
        """How many made rows the teacher is shown in place, outside the budget."""
        return self._play().made if self.by == "generator" else 0

    def unfit(self, domain: Domain) -> str:
        """Return why such a network cannot read rows of a domain; empty where it can."""
        return unsuited(self.network, domain)

    def of_outcomes(self) -> None:
        """Return nothing: recorded outcomes say nothing about rows that were made."""
        return

    def further(self, behaviour: Behaviour, parts: Mapping[str, Samples], rng: np.random.Generator) -> Samples | None:  # noqa: ARG002 - as every recipe that makes rows
        """Return the rows that are drawn from the domain, inside the behaviour's scope; None with a generator."""
        if self.by == "generator":
            return None
        return behaviour.within(uniform(behaviour.domain, self.rows, rng.spawn(1)[0]))

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the student; see `kdaudit.question.ProxyRecipe`.  No part is used.

        Raises
        ------
        InvalidInput
            If the behaviour is a difference, or rows of the domain cannot be made or drawn.
        NoSuchSignal
            If a generator is wanted and the teacher gives answers only.
        """
        check_answers(behaviour, teacher)
        rows = self.further(behaviour, parts, rng)
        if rows is None:
            if not isinstance(teacher, Network):
                raise NoSuchSignal(
                    f"a generator follows the teacher's gradients, and {teacher.identity.name} gives answers only; "
                    "take `by: domain`, which asks about rows of the whole domain"
                )
            module = build(*self._suiting(teacher.encoding, teacher), int(rng.integers(2**62)))
            network = data_free(module, teacher, play=self._play(), rng=rng)
        else:
            record, encoder = recorded(teacher, rows, ask), fitted(rows)
            term = logit_mse() if teacher.scale == "value" else soft_targets(self.temperature)
            module = build(*self._suiting(encoder, teacher), int(rng.integers(2**62)))
            schedule = Schedule(self.steps, self.batch, self.rate)
            network = learn(module, teacher, of(term), record, schedule, rng, Extras(encoding=encoder))
        network.notes["without_data"] = WAYS[self.by]
        return network

    def _suiting(self, encoder: Encoder, teacher: Subject) -> tuple[str, dict[str, object]]:
        return suiting(self._shape, encoder, len(teacher.outputs))

    def _play(self) -> Play:
        return Play(
            steps=self.steps,
            batch=self.batch,
            rate=self.rate,
            temperature=self.temperature,
            adversarial=self.adversarial,
            statistics=self.statistics,
            balance=self.balance,
        )

    @property
    def _shape(self) -> Shape:
        return Shape(self.network, self.hidden, self.width, self.heads)

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        return f"{self._shape.words()}, made without data from {WAYS[self.by]}"
