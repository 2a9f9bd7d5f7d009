"""What a search may choose: size, temperature, weights of terms, and which layer learns from which."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from kdaudit.errors import InvalidInput
from kdaudit.networks.suiting import Shape
from kdaudit.objective.sum import NAMED, parse

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Ends = tuple[float, float]
NOBODY = ""
"""Stands for no layer of the teacher: the term is left out."""


@dataclass(frozen=True)
class Policy:
    """How a student is made: what an item of a plan says.

    Parameters
    ----------
    shape : Shape
    objective : str
    rate : float
    steps, batch : int
    beside : tuple of str
        What else an item says, such as ``"settled: 0.5"``.
    """

    shape: Shape
    objective: str
    rate: float
    steps: int = 1500
    batch: int = 256
    beside: tuple[str, ...] = ()

    def plan(self, name: str = "student") -> str:
        """Return the text of a plan's item that makes such a student."""
        goal = self.objective.replace('"', '\\"')
        keys = [f"name: {name}", "kind: student", *_keys(self.shape), f'objective: "{goal}"', f"rate: {self.rate:.4g}"]
        return f"- {{{', '.join([*keys, f'steps: {self.steps}', f'batch: {self.batch}', *self.beside])}}}"


@dataclass(frozen=True)
class Pairs:
    """Terms about layers, whose pairing is searched.

    Parameters
    ----------
    terms : tuple of str
        Such as ``("hint", "similarity")``; each may also be left out.
    student : tuple of tuple of str
        Layers of a student that may learn, an inner tuple for each shape of the space.
    teacher : tuple of str
        Layers that may teach.
    weight : (float, float)
        Ends of the weight of each, on a scale of powers.

    Raises
    ------
    InvalidInput
        If a term is about no layer, there are no layers, or the weights do not rise from above 0.
    """

    terms: tuple[str, ...] = ()
    student: tuple[tuple[str, ...], ...] = ()
    teacher: tuple[str, ...] = ()
    weight: Ends = (0.03, 1.0)

    def __post_init__(self) -> None:
        _rising("weight", self.weight)
        if wrong := [term for term in self.terms if term not in NAMED]:
            raise InvalidInput(f"{', '.join(wrong)} cannot be paired by layers; terms that can are {', '.join(NAMED)}")
        if self.terms and (not self.teacher or not all(self.student)):
            raise InvalidInput(f"{', '.join(self.terms)} need at least one layer of the student and one of the teacher")

    def drawn(self, trial: BaseTrial, place: int) -> list[str]:
        """Return the terms that a trial proposes for a student of the shape at `place`."""
        out = []
        for term in self.terms:
            other = trial.suggest_categorical(f"{term} from", [NOBODY, *self.teacher])
            if other == NOBODY:
                continue
            # shapes of the same depth share what was learned of their layers
            mine = self.student[place]
            tap = mine[trial.suggest_int(f"{term} at one of {len(mine)}", 0, len(mine) - 1)]
            weight = trial.suggest_float(f"weight of {term}", *self.weight, log=True)
            out.append(f"{weight:.3g} * {term}({tap!r}, {other!r})")
        return out


@dataclass(frozen=True)
class Space:
    """What is searched.

    Parameters
    ----------
    shapes : tuple of Shape
        Sizes to choose from.
    temperature : (float, float)
        Ends of the temperature of ``soft_targets``, drawn on a scale of powers.
    weights : mapping of str to (float, float)
        Further terms with the ends of their weights, on a scale of powers, such as ``{"logit_mse": (0.01, 1)}``.
    rate : (float, float)
        Ends of the learning rate.
    pairs : Pairs
    further : str
        What every objective has besides, such as what a family of students needs; empty for nothing.
    steps, batch : int
    beside : tuple of str
        Of each student.

    Raises
    ------
    InvalidInput
        If there is no size, an end is not above 0 or the first is larger, or a term cannot be read.
    """

    shapes: tuple[Shape, ...] = tuple(Shape("mlp", hidden) for hidden in ((4,), (8,), (16,), (32,), (64,), (32, 16)))
    temperature: Ends = (1.0, 8.0)
    weights: Mapping[str, Ends] = field(default_factory=dict)
    rate: Ends = (1e-3, 1e-2)
    pairs: Pairs = field(default_factory=Pairs)
    further: str = ""
    steps: int = 1500
    batch: int = 256
    beside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.shapes or len(set(map(size_of, self.shapes))) < len(self.shapes):
            told = "; ".join(map(size_of, self.shapes))
            raise InvalidInput(f"sizes {told or 'none'}; at least one, and none twice, was expected")
        for name, ends in {"temperature": self.temperature, "rate": self.rate, **self.weights}.items():
            _rising(name, ends)
        for term in (*self.weights, *filter(None, (self.further,))):
            parse(term)

    def drawn(self, trial: BaseTrial, places: Sequence[int]) -> Policy:
        """Return the policy that a trial proposes, of the shapes at `places`."""
        place = trial.suggest_categorical("size", list(places))
        terms = [f"soft_targets({trial.suggest_float('temperature', *self.temperature, log=True):.3g})"]
        for term, ends in sorted(self.weights.items()):
            terms.append(f"{trial.suggest_float(term, *ends, log=True):.3g} * {term}")
        terms += [*self.pairs.drawn(trial, place), *filter(None, (self.further,))]
        rate = float(f"{trial.suggest_float('rate', *self.rate, log=True):.3g}")
        return Policy(self.shapes[place], " + ".join(terms), rate, self.steps, self.batch, self.beside)

    def plainest(self, place: int) -> Policy:
        """Return a policy of the shape at `place`, to be measured: what it costs depends on the shape alone."""
        return Policy(self.shapes[place], f"soft_targets({self.temperature[0]:.3g})", self.rate[0])


def _keys(shape: Shape) -> Iterator[str]:
    """Yield the keys of a plan's item that tell a shape, those left at their defaults apart."""
    for key in fields(Shape):
        value = getattr(shape, key.name)
        match key.name:
            case "family":
                yield from () if value == key.default else (f"network: {value}",)
            case "hidden":
                yield from () if shape.family == "soft_tree" else (f"hidden: [{', '.join(map(str, value))}]",)
            case name if value != key.default:
                yield f"{name}: {str(value).lower()}"


def size_of(shape: Shape) -> str:
    """Return a shape in short, as a plan writes it."""
    if shape.family == "soft_tree":
        return f"[{shape.depth}]"
    tail = f" at width {shape.width}" if shape.family == "transformer" else ""
    return f"[{', '.join(map(str, shape.hidden))}]{tail}"


def _rising(name: str, ends: Ends) -> None:
    if len(ends) != 2 or not 0 < ends[0] <= ends[1] < math.inf:
        raise InvalidInput(
            f"{name} from {' to '.join(f'{x:g}' for x in ends)}; two ends above 0, rising, were expected"
        )
