"""A tree of differences: where, and how much, one level of a field is answered otherwise than another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.recipes import PARTS, rows_in
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.trees import TreeRecipe, grown


@dataclass(frozen=True)
class ContrastTree(TreeRecipe):
    """Recipe of a tree that answers with the teacher's answer at one level minus its answer at another, all else kept.

    For further keys see `kdaudit.surrogates.trees.TreeRecipe`; each new row is asked at both levels.

    Parameters
    ----------
    field, level, other : str
        A category and two of its levels.
    leaves : int
        Most leaves.
    """

    field: str
    level: str
    other: str
    leaves: int = dataclasses.field(default=8, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.level == self.other:
            raise InvalidInput(f"level and other are both {self.level!r}; two levels were expected")

    @property
    def contrast(self) -> Contrast:
        """What its answers are the difference of."""
        return Contrast(self.field, self.level, self.other)

    def extra(self, parts: Mapping[str, Samples]) -> int:
        """Return how many rows are asked at most beyond ``fit`` and ``select`` as they are."""
        as_they_are = 0
        for part in (parts[name] for name in PARTS if name in parts):
            codes = [part.domain.code(self.field, name) for name in (self.level, self.other)]
            as_they_are += int(np.isin(part.columns[self.field], codes).sum())
        return 2 * rows_in(parts) * (1 + self.queries) - as_they_are

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the tree; see `kdaudit.question.ProxyRecipe`."""
        posed = replace(behaviour, contrast=self.contrast)
        rows = (parts["fit"], parts.get("select"))
        return grown(posed, rows, partial(posed.through(ask), teacher), self.search, self.care, rng)
