"""The recipe of a student that is as small as it may be: students of growing size are made, and one is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng as chance
from kdaudit.chance import seed_of
from kdaudit.distillation.capacity import Capacity, capacity, evidence
from kdaudit.distillation.loop import Extras, Record, learn, recorded
from kdaudit.distillation.refusals import check_alone, check_outputs
from kdaudit.distillation.starting import MOST, Beginning, Start
from kdaudit.distillation.students import BALANCED
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import parse as parse_inputs
from kdaudit.distillation.views import rows_of
from kdaudit.domain import Domain
from kdaudit.encoders import Encoder
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.suiting import Family, Shape, suiting, unsuited
from kdaudit.objective.sum import parse
from kdaudit.objective.terms import FAITHFUL
from kdaudit.samples import Samples
from kdaudit.signal import LOGIT, SCORE, Signal
from kdaudit.subject import Answers, Ask, Subject


@dataclass(frozen=True)
class Growing:
    """Recipe of the smallest network that answers as well as larger ones.

    Networks of each size learn from ``fit``, several of each; on ``select`` the smallest whose agreement is within one
    standard error of the best is taken.  Where rows have recorded outcomes, a network of each size and seed that
    learned these instead of the teacher's answers stands beside it as its control.

    Parameters
    ----------
    sizes : tuple of tuple of int
        One item a size: units of each hidden layer (mlp), channels (cnn), units inside each layer (transformer), or the
        one depth (soft_tree).
    network : {"mlp", "cnn", "transformer", "soft_tree"}
    width, heads : int
        Of a transformer, or the vectors of words of a cnn.
    seeds : int
        Networks of each size.
    objective, inputs : str
    steps, batch : int
    rate, settled : float
    exits : bool
    reads : tuple of str
    vocabulary : int
    start : {"chance", "teacher"}
        As in `kdaudit.distillation.students.Student`, of every size.

    Raises
    ------
    InvalidInput
        If the objective cannot be read, there is no size, or a number is not above 0.
    """

    sizes: tuple[tuple[int, ...], ...] = ((2,), (4,), (8,), (16,), (32,))
    network: Family = "mlp"
    width: int = 32
    heads: int = 2
    seeds: int = 3
    objective: str = FAITHFUL
    steps: int = 1500
    batch: int = 256
    rate: float = 3e-3
    settled: float = 0.0
    inputs: str = "data"
    exits: bool = False
    reads: tuple[str, ...] = ()
    vocabulary: int = MOST
    start: Start = "chance"
    instead: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "depth": "a soft tree that grows is as deep as each of its sizes says, such as sizes: [[2], [3]]",
            "hidden": "name the units or channels of each size, such as sizes: [[8], [16, 16]]",
            "peers": "students that learn together are of kind student",
        }
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(tuple(hidden) for hidden in self.sizes))
        object.__setattr__(self, "reads", tuple(self.reads))
        if self.network == "soft_tree" and self.objective == FAITHFUL:
            object.__setattr__(self, "objective", f"{FAITHFUL} + {BALANCED}")
        check_alone(parse(self.objective))
        parse_inputs(self.inputs)
        _ = self.schedule, self.beginning
        if self.network == "soft_tree" and any(len(size) != 1 for size in self.sizes):
            raise InvalidInput("a soft tree is as large as it is deep: each size is one depth, such as [3]")
        if not self.sizes or self.seeds < 1:
            raise InvalidInput(f"{len(self.sizes)} sizes and {self.seeds} seeds; at least one of each is needed")

    def shape(self, size: tuple[int, ...]) -> Shape:
        """Return the shape of a size."""
        if self.network == "soft_tree":
            return Shape("soft_tree", (), depth=size[0], exits=self.exits)
        return Shape(self.network, size, self.width, self.heads, exits=self.exits)

    @property
    def schedule(self) -> Schedule:
        """How long and how fast each learns."""
        return Schedule(self.steps, self.batch, self.rate, settled=self.settled)

    @property
    def beginning(self) -> Beginning:
        """What each reads and where it begins."""
        return Beginning(self.reads, self.vocabulary, self.start)

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else logits, else decisions."""
        return frozenset()

    def unfit(self, domain: Domain) -> str:
        """Return why such a network cannot read rows of a domain; empty where it can."""
        return unsuited(self.network, domain, self.reads)

    def of_outcomes(self) -> Growing:
        """Return the recipe for students of recorded outcomes, which have no layers to look into."""
        return replace(self, objective=str(parse(self.objective).outward), inputs="data", start="chance")

    def further(self, behaviour: Behaviour, parts: Mapping[str, Samples], rng: np.random.Generator) -> Samples | None:
        """Return the rows on which they learn, where these are others than ``fit``."""
        return rows_of(self.inputs, behaviour.within(parts["fit"]), rng)

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the network; see `kdaudit.question.ProxyRecipe`.  Its `shown` holds the curve as evidence."""
        if behaviour.contrast is not None or teacher.scale == "value":
            raise InvalidInput("students of growing size are compared by their decisions; this behaviour has none")
        check_outputs(behaviour, teacher)
        made = self.further(behaviour, parts, rng)
        fit = recorded(teacher, behaviour.within(parts["fit"]) if made is None else made, ask)
        select = recorded(teacher, behaviour.within(parts["select"]), ask)
        encoder = self.beginning.encoder(self.objective, teacher, fit.samples)
        school = _School(self, teacher, fit, encoder, _decisions(behaviour, select), int(rng.integers(2**62)))
        found = capacity(self.sizes, school.fidelity, seeds=self.seeds, rng=rng)
        network = school.made[found.points[found.smallest].parameters]
        network.notes |= {"curve": curve(found), "chosen_on": len(select.samples), "law": found.reason or "fitted"}
        about = (
            f"{len(select.samples):,} rows that chose among the students; intervals are over {self.seeds} of each size"
        )
        title = "How large must a student be to answer as the teacher does?"
        network.shown = (evidence(found, name="", title=title, about=about),)  # type: ignore[attr-defined]
        return network

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        return f"the smallest of {len(self.sizes)} sizes of network within one standard error of the best"


@dataclass(frozen=True)
class _Decisions:
    """Rows with the teacher's decisions, and how a network's numbers are read."""

    samples: Samples
    label: NDArray[np.int64]
    behaviour: Behaviour


def _decisions(behaviour: Behaviour, select: Record) -> _Decisions:
    answers = Answers({SCORE: select.reference.score.numpy()})
    return _Decisions(select.samples, behaviour.read(answers).label, behaviour)


@dataclass
class _School:
    """Makes students of a size and measures them; the first of each size is kept."""

    recipe: Growing
    teacher: Subject
    fit: Record
    encoder: Encoder
    judge: _Decisions
    seed: int
    made: dict[int, Network] = field(default_factory=dict)

    def fidelity(self, hidden: tuple[int, ...], seed: int) -> tuple[int, float, float | None]:
        """Return parameters, agreement on the select rows, and that of a control that learned the outcomes."""
        name = f"growing/{hidden}/{seed}"
        of_shape = suiting(self.recipe.shape(hidden), self.encoder, len(self.teacher.outputs))
        module, blank = (build(*of_shape, seed_of(self.seed, name)) for _ in range(2))
        begun = self.recipe.beginning.set(self.teacher, module)

        def taught(one: nn.Module, objective: str) -> Network:
            draws, extras = chance(self.seed, name), Extras(encoding=self.encoder)
            return learn(one, self.teacher, objective, self.fit, self.recipe.schedule, draws, extras)

        network = taught(module, self.recipe.objective)
        network.notes |= begun
        self.made.setdefault(network.form.parameters, network)
        control = None if self.fit.reference.outcome is None else self._agreement(taught(blank, "labels"))
        return network.form.parameters, self._agreement(network), control

    def _agreement(self, network: Network) -> float:
        raw = network.raw(network.encoding.encode(self.judge.samples))
        return float((self.judge.behaviour.read(Answers({LOGIT: raw})).label == self.judge.label).mean())


def curve(found: Capacity) -> list[dict[str, Any]]:
    """Return sizes and fidelities as plain data."""
    return [
        {
            "parameters": point.parameters,
            "agreement": point.values.tolist(),
            "control": None if point.control is None else point.control.tolist(),
            "chosen": place == found.smallest,
        }
        for place, point in enumerate(found.points)
    ]
