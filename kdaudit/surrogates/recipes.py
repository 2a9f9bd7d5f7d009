"""What recipes of rules have in common: which rows are asked, how long is searched, what is told of the choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.surrogates.choice import Candidate, choose
from kdaudit.surrogates.enquiry import Body, Trial, enquire
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.making import check_enquiry, made, parted
from kdaudit.surrogates.making import read as reading_of
from kdaudit.surrogates.readings import Wanted, unread
from kdaudit.surrogates.steadiness import check_refits, parents_of, steadiness
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Targets, TeacherAsk

PARTS = ("fit", "select")
"""Parts of the rows that a surrogate is made from."""


@dataclass(frozen=True)
class Care:
    """How a surrogate is made, whatever its family.

    Parameters
    ----------
    slack : float
        The smallest body within so many standard errors of the best is taken; 0 takes the best.
    queries : int
        New rows that are asked for each row given.
    read : mapping
        What to read off texts and pictures; see `kdaudit.surrogates.readings.Wanted`.
    refits : int
        Bodies made again on rows drawn with replacement, to tell how much would stay; 0 for none.
    limits : Limits
        What the making may take, and each refit.
    """

    slack: float = 0.5
    queries: int = 0
    read: Mapping[str, Any] = field(default_factory=dict)
    refits: int = 0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Family:
    """A way to say what a teacher does.

    Parameters
    ----------
    noun : str
        What one is called.
    trial : Trial
        How it is told which new rows serve.
    candidates : callable
        From a body of rows to the candidates that are worth a look.
    """

    noun: str
    trial: Trial
    candidates: Callable[[Body], Iterator[Candidate]]


def distilled(
    behaviour: Behaviour,
    family: Family,
    rows: tuple[Samples, Samples | None],
    ask: TeacherAsk,
    care: Care,
    rng: np.random.Generator,
) -> Surrogate:
    """Return the surrogate of a family that answers as the teacher does.

    Parameters
    ----------
    behaviour : Behaviour
    family : Family
    rows : (Samples, Samples or None)
        To grow on, and to choose on; without the latter a quarter of the former, by chance, is kept back.
    ask : callable
        ``partial(behaviour.through(store.ask), teacher)``.
    care : Care
    rng : Generator
    """
    fit, select = reading_of(parted(behaviour, *rows, ask, rng), care.read)
    enquiry = enquire(behaviour, fit, select, ask, queries=care.queries, trial=family.trial, rng=rng)
    bodies = enquiry.ways(fit, select)
    found, cut = care.limits.taken(each for body in bodies for each in family.candidates(body))
    out = made(behaviour, family.noun, found, (fit, select), care.slack, enquiry, cut)
    if not care.refits:
        return out
    body = next((body for body in bodies if out.making.way.startswith(body.name)), bodies[0])

    def again(drawn: Targets, some: Targets) -> Rules:
        candidates, _ = care.limits.taken(family.candidates(Body(body.name, drawn, None)))
        return choose(candidates, some, care.slack)[1]

    own = (body.rows, parents_of(body.name, enquiry, fit))
    steady = steadiness(again, own, select, out.rules, care.refits, rng)
    return replace(out, making=replace(out.making, steadiness=steady))


@dataclass(frozen=True, kw_only=True)
class RulesRecipe:
    """The keys that every recipe of rules has; no recipe by itself.

    Parameters
    ----------
    slack : float
        The smallest body within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    queries : int
        New rows that are asked beyond ``fit`` and ``select``, for each of their rows; which sampler draws them is
        chosen on rows held out.
    read : dict
        What to read off texts and pictures, such as ``{terms: 200, phrases: 2, counts: true}`` or ``{patches: 4}``; see
        `kdaudit.surrogates.readings.Wanted`.
    refits : int
        Bodies made again on rows drawn with replacement, to tell how much would stay; 0 for none.  Each takes as long
        as the making itself.
    tries : int
        Most candidates that are looked at; 0 for all.
    seconds : float
        A guard: after so long no further candidate is made, the best so far is taken and called partial; 0 for none.
        What is reached in a time hangs on the machine, so a plan that needs the same bytes everywhere limits `tries`.
        Each refit may take as long again.

    Raises
    ------
    InvalidInput
        If a number is none that could be meant, or `read` has a key of another name.
    """

    slack: float = 0.5
    queries: int = 0
    read: dict[str, Any] = field(default_factory=dict)
    refits: int = 0
    tries: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.slack < np.inf:
            raise InvalidInput(f"slack is a number of standard errors from 0; {self.slack:g} was asked for")
        check_enquiry(self.queries)
        Wanted.parse(self.read)
        check_refits(self.refits)
        Limits(self.tries, self.seconds)

    @property
    def care(self) -> Care:
        """The keys, as the making of any family takes them."""
        return Care(self.slack, self.queries, self.read, self.refits, Limits(self.tries, self.seconds))

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else decisions."""
        return frozenset()

    def unfit(self, domain: Domain) -> str:
        """Return what rules would have to read of the rows of a domain; empty where they can test them."""
        return unread(Wanted.parse(self.read), domain)

    def extra(self, parts: Mapping[str, Samples]) -> int:
        """Return how many rows the teacher is asked at most beyond ``fit`` and ``select``."""
        return self.queries * rows_in(parts)


def rows_in(parts: Mapping[str, Samples]) -> int:
    """Return how many rows a surrogate is made from."""
    return sum(len(parts[name]) for name in PARTS if name in parts)
