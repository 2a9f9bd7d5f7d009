"""A tree of differences: where, and how much, one level of a field is answered otherwise than another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.candidates import Extent
from kdaudit.surrogates.making import check, check_enquiry
from kdaudit.surrogates.readings import Wanted
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.trees import tree


@dataclass(frozen=True)
class ContrastTree:
    """Recipe of a tree that answers with the teacher's answer at one level minus its answer at another, all else kept.

    Parameters
    ----------
    field, level, other : str
        A category and two of its levels.
    leaves : int
        Most leaves.
    slack : float
        The smallest tree within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    queries : int
        New rows that are asked beyond ``fit`` and ``select``, for each of their rows; each is asked at both levels.
    fields : int
        Most fields of one split, 1 to 3; with more than one, a split may cut a weighted sum.
    read : dict
        What to read off texts and pictures; see `kdaudit.surrogates.readings.Wanted`.
    """

    field: str
    level: str
    other: str
    leaves: int = 8
    slack: float = 0.5
    queries: int = 0
    fields: int = 1
    read: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        check("tree", "one leaf", self.leaves, self.slack)
        check_enquiry(self.queries)
        Wanted.parse(self.read)
        Extent(self.leaves, self.fields, self.queries)
        if self.level == self.other:
            raise InvalidInput(f"level and other are both {self.level!r}; two levels were expected")

    @property
    def contrast(self) -> Contrast:
        """What its answers are the difference of."""
        return Contrast(self.field, self.level, self.other)

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else decisions."""
        return frozenset()

    def extra(self, parts: Mapping[str, Samples]) -> int:
        """Return how many rows are asked at most beyond ``fit`` and ``select`` as they are."""
        rows = sum(len(parts[name]) for name in ("fit", "select") if name in parts)
        as_they_are = 0
        for part in (parts[name] for name in ("fit", "select") if name in parts):
            codes = [part.domain.code(self.field, name) for name in (self.level, self.other)]
            as_they_are += int(np.isin(part.columns[self.field], codes).sum())
        return 2 * rows * (1 + self.queries) - as_they_are

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the tree; see `kdaudit.question.ProxyRecipe`."""
        posed = replace(behaviour, contrast=self.contrast)
        return tree(
            posed,
            parts["fit"],
            partial(posed.through(ask), teacher),
            leaves=self.leaves,
            fields=self.fields,
            queries=self.queries,
            read=self.read,
            select=parts.get("select"),
            slack=self.slack,
            rng=rng,
        )

    def words(self, subject: Surrogate | None = None) -> str:
        """Return what was made, in words; without it, what will be."""
        if subject is None:
            return f"tree of at most {self.leaves} leaves on {self.level} minus {self.other}"
        n = len(subject.rules.rules)
        return f"tree of {n} {'leaf' if n == 1 else 'leaves'} on {self.level} minus {self.other}"

    def size(self, subject: Surrogate) -> dict[str, int]:
        """Return how much there is to read."""
        return {"leaves": len(subject.rules.rules), "terms": subject.rules.terms}
