"""A tree that answers like a teacher, small enough to be read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.candidates import Extent, candidates
from kdaudit.surrogates.certainty import Aim, Sure, check_sure, surely_grown
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.enquiry import SURE, SURER, Body, Trial
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.making import check, made, parted
from kdaudit.surrogates.making import read as reading_of
from kdaudit.surrogates.monotone import in_order
from kdaudit.surrogates.optimal import optimal_trees
from kdaudit.surrogates.recipes import Care, Family, RulesRecipe, distilled
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Targets, TeacherAsk
from kdaudit.surrogates.weighting import by_weight


def tree(  # noqa: PLR0913 - each is a choice of the user's
    behaviour: Behaviour,
    samples: Samples,
    ask: TeacherAsk,
    *,
    leaves: int = 16,
    fields: int = 1,
    queries: int = 0,
    read: Mapping[str, Any] | None = None,
    sure: float = 0.0,
    refits: int = 0,
    optimal: bool = False,
    limits: Limits | None = None,
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
    which size is taken is chosen on `select`.  With more than 50,000 rows splits are chosen anew on some of them; trees
    are grown, and leaves answer, from all.  Where the domain calls a field monotone, the answers of every tree are put
    in order before one is chosen (`kdaudit.surrogates.monotone`); trees that cut weighted sums are then left out.

    Parameters
    ----------
    behaviour : Behaviour
    samples : Samples
        Rows to grow on.
    ask : callable
        ``partial(behaviour.through(store.ask), teacher)``.
    leaves : int
        Most leaves.
    fields : int
        Most fields of one split, 1 to 3; with more than one, a split may cut a weighted sum.
    queries : int
        New rows around `samples` that are asked as well, for each of them; which sampler draws them is chosen on rows
        held out.
    read : mapping, optional
        What to read off texts and pictures; see `kdaudit.surrogates.readings.Wanted`.
    sure : float
        Level at which each split must beat every other field's, such as 0.95; the teacher is asked until it does,
        within `queries`, and what cannot be told apart stays a leaf.  0 lets any split be.
    refits : int
        Trees grown again on rows drawn with replacement, to tell how much of the tree would stay; 0 for none.
    optimal : bool
        Whether the best of all trees of depth 1, 2 and 3 over some tests are candidates as well.
    limits : Limits, optional
        What the making may take; the best so far is returned, and its card says so.
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
    search = Search(Extent(leaves, fields, queries), sure, optimal=optimal)
    care = Care(slack, queries, read or {}, refits, limits or Limits())
    return grown(behaviour, (samples, select), ask, search, care, rng)


@dataclass(frozen=True)
class Search:
    """Which trees are looked for.

    Parameters
    ----------
    extent : Extent
    sure : float
        Level at which each split must beat every other field's; 0 lets any split be.
    optimal : bool
        Whether the best of all trees of depth 1, 2 and 3 over some tests are candidates as well.
    """

    extent: Extent
    sure: float = 0.0
    optimal: bool = False

    def __post_init__(self) -> None:
        check_sure(self.sure, self.extent.queries)


def grown(
    behaviour: Behaviour,
    rows: tuple[Samples, Samples | None],
    ask: TeacherAsk,
    search: Search,
    care: Care,
    rng: np.random.Generator,
) -> Surrogate:
    """Return the tree that a search finds; see `kdaudit.surrogates.recipes.distilled` for the parameters."""
    if search.sure:
        return _sure(behaviour, reading_of(parted(behaviour, *rows, ask, rng), care.read), ask, (search, care), rng)
    make = partial(_trees, behaviour, search=search)
    plain = search.extent.fields == 1 and len(behaviour.outputs) > 2
    family = Family("tree", Trial(search.extent.leaves, SURER if plain else SURE), make)
    return distilled(behaviour, family, rows, ask, care, rng)


def _trees(behaviour: Behaviour, body: Body, search: Search) -> Iterator[Candidate]:
    """Yield the trees of a body of rows that are worth a look, by the rows' weights and in the domain's order."""
    extent = search.extent
    makers: list[Callable[[Body], Iterator[Candidate]]] = [partial(candidates, behaviour, extent=extent)]
    makers += [partial(optimal_trees, behaviour, leaves=extent.leaves)] if search.optimal else []
    found = (each for make in makers for each in by_weight(make, body))
    yield from in_order(found, behaviour, body.rows.samples.domain)


def _sure(
    behaviour: Behaviour,
    rows: tuple[Targets, Targets],
    ask: TeacherAsk,
    how: tuple[Search, Care],
    rng: np.random.Generator,
) -> Surrogate:
    search, care = how
    aim = Aim(search.extent.leaves, search.sure, search.extent.queries * len(rows[0]), care.limits)
    found = surely_grown(behaviour, rows[0], ask, aim, rng)
    ordered = list(in_order(found.candidates, behaviour, rows[0].samples.domain))
    out = made(behaviour, "tree", ordered, rows, care.slack, cut=found.cut)
    note = "; ".join(part for part in (out.making.note, found.note) if part)
    making = replace(
        out.making,
        why=_unparted(found, search.sure) or out.making.why,
        contests=found.contests,
        beyond=found.asked,
        note=note,
        partial=bool(found.note or found.cut),
    )
    return replace(out, making=making)


def _unparted(found: Sure, level: float) -> str:
    """Explain a tree whose first split was not sure."""
    first = found.contests[0] if found.contests else {"won": False, "winner": ""}
    if first["won"] or not first["winner"]:
        return ""
    fields = f"{first['winner']} and {first['rival']}".replace("_", " ")
    return f"one leaf only: {fields} part {first['rows']:,} rows so alike that neither wins at {level:.0%}"


@dataclass(frozen=True, kw_only=True)
class TreeRecipe(RulesRecipe):
    """The keys that every recipe of trees has; no recipe by itself.  For further ones see `RulesRecipe`.

    Parameters
    ----------
    leaves : int
        Most leaves.
    fields : int
        Most fields of one split, 1 to 3; with more than one, a split may cut a weighted sum.
    sure : float
        Level at which each split must beat every other field's, such as 0.95; the teacher is asked until it does,
        within `queries`, and what cannot be told apart stays a leaf.  0 lets any split be.
    optimal : bool
        Whether the best of all trees of depth 1, 2 and 3 over some tests are candidates as well.
    """

    leaves: int = 16
    fields: int = 1
    sure: float = 0.0
    optimal: bool = False

    def __post_init__(self) -> None:
        check("tree", "one leaf", self.leaves, self.slack)
        super().__post_init__()
        Extent(self.leaves, self.fields, self.queries)
        check_sure(self.sure, self.queries)
        if self.sure and self.refits:
            raise InvalidInput("a tree whose splits are sure asks for each of them; leave refits away, or sure")

    @property
    def search(self) -> Search:
        """Which trees are looked for."""
        return Search(Extent(self.leaves, self.fields, self.queries), self.sure, optimal=self.optimal)


@dataclass(frozen=True, kw_only=True)
class Tree(TreeRecipe):
    """Recipe of a tree; its keys are those of `TreeRecipe` and `kdaudit.surrogates.recipes.RulesRecipe`."""

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the tree; see `kdaudit.question.ProxyRecipe`."""
        rows = (parts["fit"], parts.get("select"))
        return grown(behaviour, rows, partial(ask, teacher), self.search, self.care, rng)
