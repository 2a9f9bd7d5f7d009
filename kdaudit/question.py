"""The shape of everything that can be asked, and of every recipe that makes something.

A recipe is a frozen dataclass whose fields are the plan's keys.  What it must have stands in `TeacherRecipe`,
`ProxyRecipe` and `Question`; what it may have beside stands in `kdaudit.abilities`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.cast import Cast
from kdaudit.evidence import Evidence
from kdaudit.interval import Interval
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject


class Question(Protocol):
    """A comparison, probe, certificate or cost: a frozen dataclass whose fields are the plan's keys."""

    @property
    def needs(self) -> frozenset[Signal]:
        """Signals that the teacher must offer."""
        ...

    @property
    def part(self) -> Literal["judge", "pool"]:
        """Which rows it is asked on."""
        ...

    def price(self, samples: Samples) -> int:
        """Return the most teacher rows that it will use."""
        ...

    def examine(self, cast: Cast, samples: Samples, ask: Ask, rng: np.random.Generator) -> Evidence:
        """Answer the question for one proxy.

        Parameters
        ----------
        cast : Cast
        samples : Samples
            All rows of its part.
        ask : Ask
            The behaviour through the store; the only way to an answer.
        rng : Generator
            The same for every proxy of the question.
        """
        ...


@dataclass(frozen=True)
class Setting:
    """Where a teacher is opened.

    Parameters
    ----------
    folder : Path
        The plan's folder: relative paths start here.
    behaviour : Behaviour
        Domain and outputs that are expected.
    parts : mapping of str to Samples
        Rows set aside for teachers that are trained in place, by the part's name.
    seed : int
    allow_code : bool
        Whether Python files of the plan may run.
    """

    folder: Path
    behaviour: Behaviour
    parts: Mapping[str, Samples] = field(default_factory=dict)
    seed: int = 0
    allow_code: bool = False


@dataclass(frozen=True)
class Workbench:
    """What a maker may use beside rows and answers.

    For recipes that are `kdaudit.abilities.Benched`.

    Parameters
    ----------
    folder : Path, optional
        Its own until the proxy is made: what was begun there goes on after a stop.
    meters : mapping of str to callable
        Name of a cost -> what measures it, of a subject and the rows that it answers.  What one tells may differ from
        machine to machine; where a machine tells nothing reliable, the interval is unknown and says why.
    """

    folder: Path | None = None
    meters: Mapping[str, Callable[[Subject, Samples], Interval]] = field(default_factory=dict)


class TeacherRecipe(Protocol):
    """How a plan names a teacher."""

    def open(self, setting: Setting) -> Subject:
        """Return the teacher; no answer is asked here."""
        ...


class ProxyRecipe(Protocol):
    """How a plan names a proxy: student or surrogate."""

    @property
    def signals(self) -> frozenset[Signal]:
        """Signals that it is made from."""
        ...

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Subject:
        """Return the proxy.

        Parameters
        ----------
        behaviour : Behaviour
        teacher : Subject
            Whom to ask: the teacher, the stranger, or recorded outcomes dressed as a subject.
        parts : mapping of str to Samples
            ``fit`` and ``select``, never judge or pool.
        ask : Ask
            The behaviour through the store.
        rng : Generator
        """
        ...
