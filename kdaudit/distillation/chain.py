"""In which order: a chain of students, each taught by the one before, as assistants or as generations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng as chance
from kdaudit.distillation.loop import Door, Extras, Record, encoder_of, learn, recorded
from kdaudit.distillation.refusals import check_alone, check_answers
from kdaudit.distillation.starting import MOST, Beginning, Start
from kdaudit.distillation.students import BALANCED
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import inputs, rows_of
from kdaudit.distillation.views import parse as parse_inputs
from kdaudit.domain import Domain
from kdaudit.encoders import Encoder
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.suiting import Family, Shape, suiting, unsuited
from kdaudit.objective.sum import Objective, parse
from kdaudit.objective.terms import FAITHFUL
from kdaudit.samples import Samples, concat
from kdaudit.signal import Signal
from kdaudit.store.answers import Store
from kdaudit.subject import Ask, Subject


def chain(  # noqa: PLR0913 - what `distil` takes, and how the links hang together
    modules: Sequence[nn.Module],
    teacher: Subject,
    objective: Objective | str,
    samples: Samples,
    *,
    store: Door | None = None,
    rng: np.random.Generator | None = None,
    schedule: Schedule | None = None,
    dense: bool = False,
    later: Samples | None = None,
    encoding: Encoder | None = None,
) -> tuple[Network, ...]:
    """Distil through assistants: the first module learns from the teacher, every other one from the one before.

    Parameters
    ----------
    modules : sequence of Module
        At least one, usually of falling size; the last one is the student.
    teacher : Subject
    objective : Objective or str
    samples : Samples
    store, rng, schedule
        As in `kdaudit.distillation.loop.distil`.
    dense : bool
        Whether each learns from the teacher and from all before it, at equal weights: what one assistant gets wrong
        is then not handed down alone.  Rows are paired with each guide in turn, which gives the sum of their losses
        in the mean and drops guides by chance within a batch.
    later : Samples, optional
        On which rows the links after the first learn: the link before answers them, the teacher is never asked about
        them, so that few of its answers reach far.  None: on those that the teacher answered.
    encoding : Encoder, optional
        How all links see rows; None leaves it to the rows or the teacher.

    Returns
    -------
    tuple of Network
        One a module; their `notes` name who taught them, and who answered how many rows.

    Raises
    ------
    InvalidInput
        If there is no module, or the objective needs outcomes that the later rows lack; else as `distil` does.

    References
    ----------
    Mirzadeh et al. 2020 (teacher assistants); Son et al. 2021 (dense guidance).
    """
    if not modules:
        raise InvalidInput("a chain needs at least one module: the student")
    ask = Store().ask if store is None else store.ask
    draws = rng or chance(0, "chain")
    plan, guide, out = schedule or Schedule(), teacher, []
    records = [recorded(teacher, samples, ask)]
    goal = _goal(objective, teacher, dense=dense)
    _check_later(goal, later)
    rows = records[0].samples if later is None else later
    extras = Extras(encoding=encoding or encoder_of(str(goal), teacher, _seen(records[0].samples, later)))
    for link, module in enumerate(modules):
        record = stacked(records) if dense else records[-1]
        network = learn(module, guide, goal, record, plan, draws, extras)
        taught = [teacher.identity.name, *(f"link {i + 1}" for i in range(link))]
        names = ("teacher", *taught[1:])
        answered = {name: len(one.samples) for name, one in zip(names, records, strict=True)}
        network.notes |= {"link": link + 1, "taught_by": taught if dense else taught[-1:], "answered": answered}
        out.append(network)
        if link + 1 < len(modules):
            guide = network
            records.append(recorded(network, rows, ask))
    return tuple(out)


def _goal(objective: Objective | str, teacher: Subject, *, dense: bool) -> Objective:
    goal = parse(objective) if isinstance(objective, str) else objective
    # rows of several guides stand together, and reasons could be had of one of them only
    return goal.suited(teacher.scale, opened=False) if dense else goal


def _check_later(goal: Objective, later: Samples | None) -> None:
    # told before the first link has learned
    if later is not None and later.labels is None and "outcome" in goal.needs:
        raise InvalidInput(
            f"the objective {goal} needs recorded outcomes, and some rows of the later links have none; "
            "drop labels, or let them learn on data and jitter"
        )


def _seen(rows: Samples, later: Samples | None) -> Samples:
    """Return all rows that some link sees, by which every link standardises."""
    return rows if later is None else concat([rows, later])


def generations(
    build: Callable[[np.random.Generator], nn.Module], count: int, rng: np.random.Generator
) -> tuple[nn.Module, ...]:
    """Return new modules of one architecture: handed to `chain`, each generation is taught by its predecessor.

    Parameters
    ----------
    build : callable
        A generator of chance -> a new module.
    count : int
        Generations, at least 1.
    rng : Generator

    References
    ----------
    Furlanello et al. 2018 (born-again networks).
    """
    if count < 1:
        raise InvalidInput(f"{count} generations; at least 1 is needed")
    return tuple(build(rng) for _ in range(count))


def stacked(records: Sequence[Record]) -> Record:
    """Return records as one: a row stands in it once for each teacher that answered it; outcomes if all have them."""
    references = [record.reference for record in records]
    return Record(
        concat([record.samples for record in records]), _stacked(references), sum(record.failed for record in records)
    )


def _stacked(parts: Sequence[Any]) -> Any:  # noqa: ANN401 - tensors, tables of tensors, and what all parts share
    first = parts[0]
    if any(part is None for part in parts):
        return None
    match first:
        case torch.Tensor():
            return torch.cat(list(parts))
        case Mapping():
            shared = [key for key in first if all(key in part for part in parts)]
            return {key: _stacked([part[key] for part in parts]) for key in shared}
        case tuple():
            return tuple(_stacked(each) for each in zip(*parts, strict=True))
        case _ if is_dataclass(first) and not isinstance(first, type):
            values = {f.name: _stacked([getattr(part, f.name) for part in parts]) for f in fields(first) if f.init}
            return type(first)(**values)
        case _:
            return first


@dataclass(frozen=True)
class Chain:
    """Recipe of a network that was taught through assistants or over generations.

    Parameters
    ----------
    hidden : tuple of int
        As in `kdaudit.distillation.students.Student`.
    assistants : tuple of tuple of int
        The same of each assistant, from the teacher down; none: straight from the teacher.
    dense : bool
        Whether each also learns from all before it.
    generations : int
        How often the student's own architecture is taught anew by its predecessor; 1 for once.
    inputs : str
        As in `Student`: on which rows the first link learns, which the teacher answers.
    objective : str
    steps, batch : int
    rate : float
    network : {"mlp", "cnn", "transformer", "soft_tree"}
    width, heads : int
    exits : bool
    settled : float
    reads : tuple of str
    vocabulary : int
    start : {"chance", "teacher"}
        As in `Student`; of every link.
    depth : int
        Of a soft tree that is the student; its assistants are as large as they are deep: each is one depth, such as
        ``[6]``.
    asked : int
        How many rows of ``fit`` the teacher answers, the same ones for every chain of a plan; 0 for all.  The rest is
        answered by the links alone, each for the next.
    later : str
        On which rows the links after the first learn, made of all of ``fit``, such as ``"data + 4 * mixup"``; the link
        before answers them, so that they cost no question.  Empty: on all of ``fit`` where `asked` leaves some of it,
        else on those of the first.  On digits real rows that were left brought a student nearer, mixtures no further.

    Raises
    ------
    InvalidInput
        If a text cannot be read, a number is not above 0, or there are rows for later links and no such link.
    """

    hidden: tuple[int, ...] = (32,)
    assistants: tuple[tuple[int, ...], ...] = ()
    dense: bool = False
    generations: int = 1
    inputs: str = "data"
    objective: str = FAITHFUL
    steps: int = 1500
    batch: int = 256
    rate: float = 3e-3
    network: Family = "mlp"
    width: int = 32
    heads: int = 2
    asked: int = 0
    later: str = ""
    depth: int = 4
    exits: bool = False
    settled: float = 0.0
    reads: tuple[str, ...] = ()
    vocabulary: int = MOST
    start: Start = "chance"
    instead: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"peers": "students that learn together are of kind student"}
    )

    def __post_init__(self) -> None:
        for name in ("hidden", "reads"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "assistants", tuple(tuple(sizes) for sizes in self.assistants))
        if self.network == "soft_tree" and self.objective == FAITHFUL:
            object.__setattr__(self, "objective", f"{FAITHFUL} + {BALANCED}")
        if self.network == "soft_tree" and any(len(size) != 1 for size in self.assistants):
            raise InvalidInput("a soft tree is as large as it is deep: each assistant is one depth, such as [6]")
        check_alone(parse(self.objective))
        parse_inputs(self.inputs)
        _ = self._schedule, self._beginning
        if self.generations < 1:
            raise InvalidInput(f"{self.generations} generations; at least 1 is needed")
        if self.asked < 0:
            raise InvalidInput(f"{self.asked} rows asked of the teacher; name how many it answers, or 0 for all of fit")
        if self.later:
            parse_inputs(self.later)
            if self.links < 2:
                raise InvalidInput(
                    f"later: {self.later!r} is for links after the first; name assistants or generations"
                )

    @property
    def links(self) -> int:
        """How many networks are made."""
        return len(self.assistants) + self.generations

    @property
    def uses(self) -> tuple[str, ...]:
        """Parts that the teacher answers whole; where it answers some rows of ``fit``, `further` returns them."""
        return () if self.asked else ("fit",)

    def unfit(self, domain: Domain) -> str:
        """Return why such a network cannot read rows of a domain; empty where it can."""
        return unsuited(self.network, domain, self.reads)

    def of_outcomes(self) -> Chain:
        """Return the recipe for a chain from recorded outcomes, which have neither layers nor a word on made rows."""
        return replace(self, objective=str(parse(self.objective).outward), inputs="data", start="chance")

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else logits, else decisions."""
        return frozenset()

    def further(self, behaviour: Behaviour, parts: Mapping[str, Samples], rng: np.random.Generator) -> Samples | None:
        """Return the rows that the teacher answers, where these are others than ``fit``."""
        fit = behaviour.within(parts["fit"])
        few = self._few(fit)
        rows = rows_of(self.inputs, few, rng)
        return few if rows is None and self.asked else rows

    def _few(self, fit: Samples) -> Samples:
        if not 0 < self.asked < len(fit):
            return fit
        # by their content, so that chains of one plan, their controls and canaries share them
        return fit.take(np.sort(np.argsort(fit.keys(), kind="stable")[: self.asked]))

    def _later(self, fit: Samples, rng: np.random.Generator) -> Samples | None:
        """Return the rows of the links after the first, where these are others than those of the first."""
        if self.later:
            return inputs(self.later, fit, rng.spawn(1)[0])
        return fit if 0 < self.asked < len(fit) and self.links > 1 else None

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Network:
        """Return the last student; see `kdaudit.question.ProxyRecipe`.  Nothing is chosen on ``select``."""
        check_answers(behaviour, teacher)
        fit = behaviour.within(parts["fit"])
        rows = self.further(behaviour, parts, rng)
        rows, later = fit if rows is None else rows, self._later(fit, rng)
        goal = _goal(self.objective, teacher, dense=self.dense)
        encoder = self._beginning.encoder(str(goal), teacher, _seen(rows, later))
        modules, begun = [], {}
        for shape in self.shapes:
            of_shape = suiting(shape, encoder, len(teacher.outputs), teacher.scale)
            modules.append(build(*of_shape, int(rng.integers(2**62))))
            begun = self._beginning.set(teacher, modules[-1])
        network = chain(
            modules,
            teacher,
            goal,
            rows,
            store=_Asked(ask),
            rng=rng,
            schedule=self._schedule,
            dense=self.dense,
            later=later,
            encoding=encoder,
        )[-1]
        network.notes |= begun
        return network

    def words(self, subject: Network | None = None) -> str:  # noqa: ARG002 - the shape of every recipe
        """Return what is made, in words."""
        return f"{self.shapes[-1].words()}, link {self.links} of a chain"

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape of every link."""
        own = Shape(self.network, self.hidden, self.width, self.heads, self.depth, self.exits)
        if self.network == "soft_tree":
            others = [replace(own, depth=depth) for (depth,) in self.assistants]
        else:
            others = [replace(own, hidden=hidden) for hidden in self.assistants]
        return (*others, *[own] * self.generations)

    @property
    def _schedule(self) -> Schedule:
        return Schedule(self.steps, self.batch, self.rate, settled=self.settled)

    @property
    def _beginning(self) -> Beginning:
        return Beginning(self.reads, self.vocabulary, self.start)


@dataclass(frozen=True)
class _Asked:
    """A door through which an `ask` is asked."""

    through: Ask

    def ask(self, subject: Subject, samples: Samples, signals: Any) -> Any:  # noqa: ANN401 - as the ask has them
        """Return what the ask returns."""
        return self.through(subject, samples, signals)
