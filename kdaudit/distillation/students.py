"""The recipe of a student: which network, what it matches, how long it learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.chance import seed_of
from kdaudit.distillation.loop import Extras, Record, learn, recorded
from kdaudit.distillation.peers import mutual
from kdaudit.distillation.refusals import check_answers
from kdaudit.distillation.starting import MOST, Beginning, Start
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import parse as parse_inputs
from kdaudit.distillation.views import rows_of
from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.reading import read_tree
from kdaudit.networks.suiting import Family, Shape, suiting, unsuited
from kdaudit.objective.sum import parse
from kdaudit.objective.terms import FAITHFUL, logit_mse, soft_targets
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject

BALANCED = "ramp(0.5, 0, 0, 0.5) * balance"
"""What a soft tree learns beside: without it, digits' trees of depth 4 use 11 of 16 leaves and agree on 85 instead of
96 rows of 100."""
SHARES = (0.25, 0.5, 1.0)
"""Shares of the steps after which a student is tried; each is a whole schedule from the same first weights."""


@dataclass(frozen=True)
class Student:
    """Recipe of a small network.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer, empty for a linear model; channels of each block of a cnn; units inside each layer
        of a transformer.
    objective : str
        What is matched; see `kdaudit.objective.sum.parse`.  The default is ``soft_targets(4) + 0.2 * explanation`` for
        a teacher that lies open and whose gradients can be had, else ``soft_targets(4)``, or ``logit_mse`` where it
        answers with numbers; the student's notes tell which it was.
    steps : int
        Most steps; how many are taken is chosen on the select rows.
    batch : int
        Rows a step.
    rate : float
        Learning rate at the start.
    settled : float
        Share of the steps, the last ones, in which a cnn learns as it will answer (see
        `kdaudit.distillation.schedule.settle`): 0.5 brought small students of digits a point nearer to their teachers.
    doubt : float
        Above 0, rows near the teacher's border are drawn more often in the settled share (see
        `kdaudit.distillation.schedule.Schedule`): 0.15 is a good beginning.
    network : {"mlp", "cnn", "transformer", "soft_tree"}
        The second and third read one picture or one text.  A soft tree has questions that can be read (see
        `kdaudit.networks.reading`); where the plan names no objective, they are kept in `balance` at first.
    width, heads : int
        Of a transformer, or the vectors of words of a cnn.
    inputs : str
        On which rows, such as ``"data + 2 * mixup"`` (see `kdaudit.distillation.views.inputs`).  Rows that are made are
        asked like all others, so that teacher and student see the same.
    depth : int
        Of a soft tree: questions between root and leaf.
    exits : bool
        Whether layers before the last have heads of their own, for ``own(soft_targets(1, 'exits.*'))``.
    reads : tuple of str
        Fields that the student reads, such as the text that stands beside the teacher's picture; none stands for all.
    vocabulary : int
        Most words that a student of texts knows, the most frequent first.
    start : {"chance", "teacher"}
        Whether the word vectors of a student of texts start from its teacher's, as its notes then tell (see
        `kdaudit.distillation.starting`).
    peers : int
        How many students learn together where the objective names ``peers(...)``; the first is the proxy.

    Raises
    ------
    InvalidInput
        If a text cannot be read or a number is not above 0.
    """

    hidden: tuple[int, ...] = (32,)
    objective: str = FAITHFUL
    steps: int = 1500
    batch: int = 256
    rate: float = 3e-3
    settled: float = 0.0
    network: Family = "mlp"
    width: int = 32
    heads: int = 2
    inputs: str = "data"
    depth: int = 4
    exits: bool = False
    reads: tuple[str, ...] = ()
    vocabulary: int = MOST
    start: Start = "chance"
    peers: int = 2
    doubt: float = 0.0

    def __post_init__(self) -> None:
        for name in ("hidden", "reads"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.network == "soft_tree" and self.objective == FAITHFUL:
            object.__setattr__(self, "objective", f"{FAITHFUL} + {BALANCED}")
        parse(self.objective)
        parse_inputs(self.inputs)
        if self.peers < 2:
            raise InvalidInput(f"{self.peers} student has no peers; at least 2 learn together")
        if self.vocabulary < 1 or (self._mutual and (self.start, self.vocabulary) != ("chance", MOST)):
            raise InvalidInput(
                f"a vocabulary of {self.vocabulary} words, started from {self.start}: a student knows at least 1 word, "
                "and students that learn together know all words and start at chance"
            )
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
        check_answers(behaviour, teacher)
        rows, made = partial(recorded, teacher, ask=ask), self.further(behaviour, parts, rng)
        fit = rows(behaviour.within(parts["fit"]) if made is None else made)
        select = rows(behaviour.within(parts["select"])) if "select" in parts else None
        beginning = Beginning(self.reads, self.vocabulary, self.start)
        encoder = beginning.encoder(self.objective, teacher, fit.samples)
        of_shape = suiting(self._shape, encoder, len(teacher.outputs), teacher.scale)
        module, seed = build(*of_shape, int(rng.integers(2**62))), int(rng.integers(2**62))
        peers = [build(*of_shape, seed_of(seed, f"peer {i}")) for i in range(1, self.peers if self._mutual else 1)]
        begun = beginning.set(teacher, module)
        tried, extras = [], Extras(encoding=encoder)
        for share in SHARES if select is not None else SHARES[-1:]:
            schedule = self._schedule(share)
            network = self._learn((module, *peers), teacher, fit, schedule, np.random.default_rng(seed), extras)
            tried.append((schedule.steps, network, None if select is None else _distance(network, select)))
        network = _nearest(tried, select)
        network.notes |= begun
        if self.network == "soft_tree":
            network.notes["tree"] = read_tree(network, fit.samples)
        return network

    def _learn(
        self,
        modules: tuple[nn.Module, ...],
        teacher: Subject,
        fit: Record,
        schedule: Schedule,
        rng: np.random.Generator,
        extras: Extras,
    ) -> Network:
        """Return the student; where the objective names peers, the first of those that learned together."""
        goal = parse(self.objective)
        if not self._mutual:
            return learn(modules[0], teacher, goal, fit, schedule, rng, extras)
        outputs, encoder = teacher.outputs, extras.encoding
        together = mutual(modules, goal, fit, outputs, schedule=schedule, rng=rng, teacher=teacher, encoding=encoder)
        return together[0]

    def unfit(self, domain: Domain) -> str:
        """Return why such a network cannot read rows of a domain; empty where it can."""
        return unsuited(self.network, domain, self.reads)

    def of_outcomes(self) -> Student:
        """Return the recipe for a student of recorded outcomes, which have neither layers nor a word on made rows."""
        return replace(self, objective=str(parse(self.objective).outward), inputs="data", start="chance")

    def further(self, behaviour: Behaviour, parts: Mapping[str, Samples], rng: np.random.Generator) -> Samples | None:
        """Return the rows on which it learns, where these are others than ``fit``."""
        return rows_of(self.inputs, behaviour.within(parts["fit"]), rng)

    @property
    def _mutual(self) -> bool:
        return "peers" in parse(self.objective).by

    @property
    def _shape(self) -> Shape:
        return Shape(self.network, self.hidden, self.width, self.heads, self.depth, self.exits)

    def _schedule(self, share: float) -> Schedule:
        steps = max(1, int(self.steps * share)) if self.steps > 0 else self.steps
        return Schedule(steps, self.batch, self.rate, settled=self.settled, doubt=self.doubt)

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        return self._shape.words()

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
