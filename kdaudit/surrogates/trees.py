"""A tree that answers like a teacher, small enough to be read whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.alternation import alternated
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import Column, columns_of
from kdaudit.surrogates.growth import grow, paths
from kdaudit.surrogates.making import check, made, parted
from kdaudit.surrogates.pruning import pruned
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Targets, TeacherAsk

SMALLEST = 10
"""Fewest rows of a leaf: a rate among fewer says little."""
LARGE = 4
"""Trees are grown to so many times the leaves allowed, then cut back."""


def tree(
    behaviour: Behaviour,
    samples: Samples,
    ask: TeacherAsk,
    *,
    leaves: int = 16,
    select: Samples | None = None,
    slack: float = 0.5,
    rng: np.random.Generator,
) -> Surrogate:
    """Return a tree that answers as the teacher does.

    It tests the fields themselves: numbers against a cut, ordered levels by their order, other levels by set.  Missing
    values go to the side where they fit best; where no row that comes to a test has the value missing, and for levels
    that none of them has, to the side with more rows.  Trees are grown large on the teacher's scores and on its
    decisions (Breiman, Friedman, Olshen and Stone, 1984), cut back to the best subtree of every size (Bohanec and
    Bratko, 1994), and their splits chosen anew by alternation (Carreira-Perpinan and Tavallali, 2018); which tree of
    which size is taken is chosen on `select`.

    Parameters
    ----------
    behaviour : Behaviour
    samples : Samples
        Rows to grow on.
    ask : callable
        ``partial(behaviour.through(store.ask), teacher)``.
    leaves : int
        Most leaves.
    select : Samples, optional
        Rows to choose on; without them a quarter of `samples`, by chance, is kept back.
    slack : float
        The smallest body within so many standard errors of the best is taken; 0 takes the best.
    rng : Generator

    Raises
    ------
    InvalidInput
        If `leaves` is below 1 or `slack` below 0, no row was answered, or a field is neither a number nor a category.
    """
    check("tree", "one leaf", leaves, slack)
    fit, chosen_on = parted(behaviour, samples, select, ask, rng)
    without = () if behaviour.contrast is None else (behaviour.contrast.field,)
    columns = columns_of(fit.samples, without=without)
    candidates = _candidates(columns, fit, behaviour.outputs, leaves)
    return made(behaviour, "tree", candidates, (fit, chosen_on), slack)


def _candidates(columns: Sequence[Column], fit: Targets, outputs: tuple[str, ...], leaves: int) -> Sequence[Candidate]:
    smallest = max(1, min(SMALLEST, len(fit) // (4 * leaves)))

    out: list[Candidate] = []
    ways = {"scores": fit.score} if fit.numeric else {"scores": fit.score, "decisions": fit.classes}
    for way, targets in ways.items():
        large = grow(columns, targets, LARGE * leaves, smallest)[-1]
        bodies = [(f"grown on {way}, pruned", body) for body in pruned(large, fit, leaves)]
        if not fit.numeric:
            bodies += [(f"{name}, alternated", alternated(body, columns, fit, smallest)) for name, body in bodies]
        out += [Candidate(name, Rules("tree", paths(body, columns, fit), outputs)) for name, body in bodies]
    return out


@dataclass(frozen=True)
class Tree:
    """Recipe of a tree.

    Parameters
    ----------
    leaves : int
        Most leaves.
    slack : float
        The smallest tree within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    """

    leaves: int = 16
    slack: float = 0.5

    def __post_init__(self) -> None:
        check("tree", "one leaf", self.leaves, self.slack)

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else decisions."""
        return frozenset()

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the tree; see `kdaudit.question.ProxyRecipe`."""
        return tree(
            behaviour,
            parts["fit"],
            partial(ask, teacher),
            leaves=self.leaves,
            select=parts.get("select"),
            slack=self.slack,
            rng=rng,
        )

    def words(self, subject: Surrogate | None = None) -> str:
        """Return what was made, in words; without it, what will be."""
        if subject is None:
            return f"tree of at most {self.leaves} leaves"
        n = len(subject.rules.rules)
        return f"tree of {n} {'leaf' if n == 1 else 'leaves'}"

    def size(self, subject: Surrogate) -> dict[str, int]:
        """Return how much there is to read."""
        return {"leaves": len(subject.rules.rules), "terms": subject.rules.terms}
