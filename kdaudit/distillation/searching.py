"""The recipe of a student whose size, temperature, layers and weights are searched for, within limits of cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng as chance
from kdaudit.chance import seed_of
from kdaudit.data.parts import split
from kdaudit.digest import of_data
from kdaudit.distillation.fronts import Jury, evidence, table
from kdaudit.distillation.loop import Extras, Record, learn, recorded
from kdaudit.distillation.policies import Ends, Pairs, Policy, Space
from kdaudit.distillation.refusals import check_alone, check_outputs
from kdaudit.distillation.search import Limit, Making, parameters, search
from kdaudit.distillation.starting import MOST, Beginning, Start
from kdaudit.distillation.students import BALANCED
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import parse as parse_inputs
from kdaudit.distillation.views import rows_of
from kdaudit.domain import Domain
from kdaudit.encoders import Encoder
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.evidence import Row
from kdaudit.interval import Interval, counted
from kdaudit.networks.architectures import build, outline
from kdaudit.networks.network import Network
from kdaudit.networks.operations import operations
from kdaudit.networks.suiting import Family, Shape, suiting, unsuited
from kdaudit.networks.taps import resolve
from kdaudit.objective.sum import parse
from kdaudit.objective.terms import logit_mse, soft_targets
from kdaudit.question import Workbench
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject

WEIGHTS = (0.03, 1.0)
"""Ends of the weight of each further term."""
METERED = {"latency": "ms a row", "memory": "MB", "energy": "mJ a row"}
"""Limits on what is measured, and the name of each cost."""


@dataclass(frozen=True)
class Searching:
    """Recipe of the network that comes closest to the teacher, among policies within the limits.

    Half of the ``select`` rows choose; the points of the Pareto table are reported on the other half, which chose
    nothing.  A search that was stopped goes on where it was.

    Parameters
    ----------
    sizes : tuple of tuple of int
        What there is to choose from: hidden layers (mlp), channels (cnn), units inside each layer (transformer), or one
        depth (soft_tree).
    network : {"mlp", "cnn", "transformer", "soft_tree"}
        Family of the students.
    widths : tuple of int
        Of a transformer or of the vectors of words; each size is tried at each.
    heads : int
    terms : tuple of str
        Further terms of the objective beside ``soft_targets``, whose weights are searched.
    match : tuple of str
        Terms about layers, such as ``hint``: which layer of the student learns from which of the teacher's, and
        whether at all, is searched.
    layers, teacher_layers : tuple of str
        Layers of student and teacher that may be paired, with wildcards; the teacher lies open then.
    temperature, rate : (float, float)
        Ends of temperature and learning rate.
    parameters, multiply_adds : int, optional
        Most that a student may have, and take for a row.
    latency : float, optional
        Most milliseconds that one row may take, alone and in one thread.  Measured: the plan then depends on the
        machine.  A size whose time differs from itself by more than 5 %, or holds the limit, is left out as undecided.
    memory : float, optional
        Most megabytes that a process takes for it while it answers; measured likewise.
    energy : float, optional
        Most millijoules that one row may take, where the machine has a counter; elsewhere every size is undecided.
    trials : int
    steps, batch : int
    settled : float
    inputs : str
    exits : bool
    reads : tuple of str
    vocabulary : int
    start : {"chance", "teacher"}
        Of each student, as in `kdaudit.distillation.students.Student`.

    Raises
    ------
    InvalidInput
        If a text cannot be read, a number is not above 0, or layers are named without terms or terms without layers.
    """

    sizes: tuple[tuple[int, ...], ...] = ((4,), (8,), (16,), (32,), (64,))
    network: Family = "mlp"
    widths: tuple[int, ...] = (32,)
    heads: int = 2
    terms: tuple[str, ...] = ("logit_mse",)
    match: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    teacher_layers: tuple[str, ...] = ()
    temperature: Ends = (1.0, 8.0)
    rate: Ends = (1e-3, 1e-2)
    parameters: int | None = None
    multiply_adds: int | None = None
    latency: float | None = None
    memory: float | None = None
    energy: float | None = None
    trials: int = 16
    steps: int = 1000
    batch: int = 256
    settled: float = 0.0
    inputs: str = "data"
    exits: bool = False
    reads: tuple[str, ...] = ()
    vocabulary: int = MOST
    start: Start = "chance"
    instead: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "depth": "a soft tree is as deep as each of `sizes` says, such as sizes: [[2], [3]]",
            "objective": "name its terms, whose weights are searched for: terms: [logit_mse]",
            "hidden": "name the units or channels of each size, such as sizes: [[8], [16, 16]]",
            "peers": "students that learn together are of kind student",
        }
    )

    def __post_init__(self) -> None:
        for name in ("temperature", "rate"):
            object.__setattr__(self, name, tuple(float(x) for x in getattr(self, name)))
        for name in ("sizes", "widths", "terms", "match", "layers", "teacher_layers", "reads"):
            values = (
                tuple(x) if isinstance(x, Sequence) and not isinstance(x, str) else x for x in getattr(self, name)
            )
            object.__setattr__(self, name, tuple(values))
        if bool(self.match) != bool(self.layers) or bool(self.match) != bool(self.teacher_layers):
            raise InvalidInput(
                "layers are paired for terms: name `match` ([hint]), `layers` and `teacher_layers`, or none of them"
            )
        for term in self.terms:
            check_alone(parse(term))
        Space(self.shapes, self.temperature, dict.fromkeys(self.terms, WEIGHTS), self.rate)
        Pairs(self.match, (self.layers,) * len(self.shapes), self.teacher_layers)
        parse_inputs(self.inputs)
        _ = self.schedule(self.rate[0]), self.beginning
        limits = {name: getattr(self, name) for name in ("parameters", "multiply_adds", *METERED)}
        for name, most in limits.items() | {("trials", self.trials)}:
            if most is not None and not most > 0:
                raise InvalidInput(f"{name} is {most:g}; a number above 0 was expected")

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Every size at every width."""
        if self.network == "soft_tree":
            return tuple(Shape("soft_tree", (), depth=depth, exits=self.exits) for size in self.sizes for depth in size)
        widths = self.widths if self.network != "mlp" else self.widths[:1]
        pairs = [(size, width) for size in self.sizes for width in widths]
        return tuple(Shape(self.network, size, width, self.heads, exits=self.exits) for size, width in pairs)

    def schedule(self, rate: float) -> Schedule:
        """Return how long a student learns that begins at a rate."""
        return Schedule(self.steps, self.batch, rate, settled=self.settled)

    @property
    def beginning(self) -> Beginning:
        """What each student reads and where it begins."""
        return Beginning(self.reads, self.vocabulary, self.start)

    @property
    def beside(self) -> tuple[str, ...]:
        """What the text of every point says beside size and objective, those left at their defaults apart."""
        told = [f"settled: {self.settled:g}"] if self.settled else []
        told += [f'inputs: "{self.inputs}"'] if self.inputs != "data" else []
        told += [f"reads: [{', '.join(map(json.dumps, self.reads))}]"] if self.reads else []
        told += [f"vocabulary: {self.vocabulary}"] if self.vocabulary != MOST else []
        return (*told, *([f"start: {self.start}"] if self.start != "chance" else []))

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else logits, else decisions."""
        return frozenset()

    @property
    def measured_here(self) -> tuple[str, ...]:
        """Limits on what is measured on the machine of the run."""
        return tuple(name for name in METERED if getattr(self, name) is not None)

    @property
    def looks_inside(self) -> bool:
        """Whether a student may learn from the teacher's layers or gradients."""
        return bool(self.match) or any(parse(term).taught_by("teacher") for term in self.terms)

    def at(self, workbench: Workbench) -> Benched:
        """Return the recipe at a workbench: its search goes on after a stop, and what it costs can be measured."""
        return Benched(self, workbench)

    def unfit(self, domain: Domain) -> str:
        """Return why such a network cannot read rows of a domain; empty where it can."""
        return unsuited(self.network, domain, self.reads)

    def of_outcomes(self) -> Searching:
        """Return the recipe for students of recorded outcomes, which have no layers to look into."""
        terms = tuple(term for term in self.terms if not parse(term).taught_by("teacher"))
        blind = replace(self, terms=terms, match=(), layers=(), teacher_layers=())
        return replace(blind, inputs="data", start="chance")

    def further(self, behaviour: Behaviour, parts: Mapping[str, Samples], rng: np.random.Generator) -> Samples | None:
        """Return the rows on which students learn, where these are others than ``fit``."""
        return rows_of(self.inputs, behaviour.within(parts["fit"]), rng)

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the best student; see `kdaudit.question.ProxyRecipe`.

        Its `notes` hold the Pareto table, its `shown` the same as evidence.
        """
        return Benched(self, Workbench()).make(behaviour, teacher, parts, ask, rng)

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        return f"the best of {self.trials} networks whose size and objective were searched for"


@dataclass(frozen=True)
class Benched:
    """A search at its workbench.

    Parameters
    ----------
    recipe : Searching
    workbench : Workbench
    """

    recipe: Searching
    workbench: Workbench

    @property
    def signals(self) -> frozenset[Signal]:
        """As the recipe's."""
        return self.recipe.signals

    def of_outcomes(self) -> Benched:
        """Return the search for students of recorded outcomes at the same workbench."""
        return replace(self, recipe=self.recipe.of_outcomes())

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the best student; see `Searching.make`."""
        recipe = self.recipe
        if behaviour.contrast is not None or teacher.scale == "value":
            raise InvalidInput("policies are searched for students of decisions; this behaviour has none")
        check_outputs(behaviour, teacher)
        rows = recipe.further(behaviour, parts, rng)
        fit = recorded(teacher, behaviour.within(parts["fit"]) if rows is None else rows, ask)
        seed = int(rng.integers(2**62))
        halves = split(behaviour.within(parts["select"]), {"choosing": 0.5, "reporting": 0.5}, seed=seed, name="search")
        choosing, reporting = (recorded(teacher, half, ask) for half in halves.values())
        school = _School(recipe, teacher, fit, Jury(reporting, behaviour), seed)
        found = search(
            school.space(),
            Making(school.outline, school.train, school.report),
            lambda student: -distance(student, choosing),
            limits=self._limits(choosing.samples),
            trials=recipe.trials,
            seed=seed,
            storage=self._storage(teacher, seed),
        )
        network = school.made[found.best.policy]
        network.notes |= {
            "search": table(found),
            "left_out": dict(found.left_out),
            "without_student": dict(found.failed),
            "chosen_on": len(choosing.samples),
            "reported_on": len(reporting.samples),
        }
        about = f"{len(reporting.samples):,} rows that chose nothing ({len(choosing.samples):,} others chose)"
        title = "Which students come nearest to the teacher, at which cost?"
        network.shown = (evidence(found, title=title, about=about, measured=recipe.measured_here),)  # type: ignore[attr-defined]
        return network

    def _limits(self, rows: Samples) -> tuple[Limit, ...]:
        recipe, one = self.recipe, rows.take([0])

        def products(student: Network) -> Interval:
            return counted(float(operations(student.module, student.encoding.encode(one)).multiply_adds), 1)

        out = [
            Limit("parameters", parameters, _most(recipe.parameters)),
            Limit("multiply-adds", products, _most(recipe.multiply_adds)),
        ]
        for name, cost in METERED.items():
            most = getattr(recipe, name)
            if most is None:
                continue
            if name not in self.workbench.meters:
                raise InvalidInput(f"a limit on {name} needs an instrument; a search inside an audit has one")
            meter = self.workbench.meters[name]
            out.append(Limit(cost, lambda student, meter=meter: meter(student, rows), most))  # type: ignore[misc]
        return tuple(out)

    def _storage(self, teacher: Subject, seed: int) -> Path | None:
        folder = self.workbench.folder
        if folder is None:
            return None
        who = of_data([teacher.identity.digest, seed])[:16]
        return folder / f"search-{who}.sqlite"


def _most(limit: int | None) -> float:
    return np.inf if limit is None else float(limit)


@dataclass
class _School:
    """Makes students of a policy; those of the Pareto table are kept."""

    recipe: Searching
    teacher: Subject
    fit: Record
    jury: Jury
    seed: int
    made: dict[Policy, Network] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.encoder: Encoder = self._encoder()

    def _encoder(self) -> Encoder:
        recipe = self.recipe
        if recipe.looks_inside and not isinstance(self.teacher, Network):
            name = self.teacher.identity.name
            raise NoSuchSignal(
                f"the search looks into layers or gradients, and {name} gives answers only; leave `match` out"
            )
        # an objective that looks into the teacher compares what both see, so both see rows in the same way
        objective = f"hint({recipe.layers[0]!r})" if recipe.match else " + ".join(("soft_targets(1)", *recipe.terms))
        return recipe.beginning.encoder(objective, self.teacher, self.fit.samples)

    def space(self) -> Space:
        """Return what is searched, with every layer by its full name."""
        recipe, pairs = self.recipe, Pairs()
        if recipe.match and isinstance(self.teacher, Network):
            student = tuple(_taps(outline(*self._suiting(shape)), recipe.layers, "student") for shape in recipe.shapes)
            pairs = Pairs(recipe.match, student, _taps(self.teacher.module, recipe.teacher_layers, "teacher"), WEIGHTS)
        weights, further = dict.fromkeys(recipe.terms, WEIGHTS), BALANCED if recipe.network == "soft_tree" else ""
        ends = recipe.temperature, weights, recipe.rate
        return Space(recipe.shapes, *ends, pairs, further, recipe.steps, recipe.batch, recipe.beside)

    def outline(self, policy: Policy) -> Network:
        """Return a student that learned nothing."""
        return Network("student", self._module(policy), self.encoder, self.teacher.outputs, scale=self.teacher.scale)

    def train(self, policy: Policy) -> Network:
        """Return the student of a policy: the same one every time."""
        module = self._module(policy)
        begun = self.recipe.beginning.set(self.teacher, module)
        network = self._taught(policy, policy.objective, module)
        network.notes |= begun
        return network

    def report(self, policy: Policy, student: Network) -> tuple[Row, ...]:
        """Return what a student is worth beside one of the same policy that learned the outcomes."""
        self.made[policy] = student
        control = None if self.fit.reference.outcome is None else self._taught(policy, "labels", self._module(policy))
        return self.jury.rows(student, control)

    def _taught(self, policy: Policy, objective: str, module: nn.Module) -> Network:
        draws, extras = chance(self.seed, "searching/batches"), Extras(encoding=self.encoder)
        return learn(module, self.teacher, objective, self.fit, self.recipe.schedule(policy.rate), draws, extras)

    def _module(self, policy: Policy) -> nn.Module:
        return build(*self._suiting(policy.shape), seed_of(self.seed, "searching/weights"))

    def _suiting(self, shape: Shape) -> tuple[str, dict[str, object]]:
        return suiting(shape, self.encoder, len(self.teacher.outputs))


def _taps(module: nn.Module, names: Sequence[str], who: str) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(tap for name in names for tap in resolve(module, name)))
    except InvalidInput as error:
        raise InvalidInput(f"the {who}: {error}") from error


def distance(network: Network, select: Record) -> float:
    """Return the mean divergence in nats from student to teacher, or the mean squared error of numbers."""
    raw = torch.from_numpy(network.raw(network.encoding.encode(select.samples)))
    term = logit_mse() if network.scale == "value" else soft_targets(1.0)
    return float(term(raw, select.reference).mean())
