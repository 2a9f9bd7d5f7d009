"""A tree that answers like a teacher, small enough to be read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.candidates import Extent, candidates
from kdaudit.surrogates.certainty import Sure, check_sure, surely_grown
from kdaudit.surrogates.choice import Candidate, choose
from kdaudit.surrogates.enquiry import Body, enquire
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.making import check, made, parted
from kdaudit.surrogates.making import read as reading_of
from kdaudit.surrogates.monotone import in_order
from kdaudit.surrogates.optimal import optimal_trees
from kdaudit.surrogates.readings import Wanted
from kdaudit.surrogates.steadiness import check_refits, parents_of, steadiness
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
    fit, chosen_on = reading_of(parted(behaviour, samples, select, ask, rng), read or {})
    extent = Extent(leaves, fields, queries)
    check_sure(sure, queries)
    if sure:
        return _sure(behaviour, (fit, chosen_on), ask, (extent, sure, slack), rng)
    enquiry = enquire(behaviour, fit, chosen_on, ask, queries=queries, leaves=leaves, rng=rng)
    bodies = enquiry.ways(fit, chosen_on)
    found, cut = (limits or Limits()).taken(
        each for body in bodies for each in _trees(behaviour, body, extent, optimal=optimal)
    )
    out = made(behaviour, "tree", found, (fit, chosen_on), slack, enquiry, cut)
    if not refits:
        return out
    body = next((body for body in bodies if out.making.way.startswith(body.name)), bodies[0])

    def again(rows: Targets, some: Targets) -> Rules:
        return choose(list(_trees(behaviour, Body(body.name, rows, None), extent, optimal=optimal)), some, slack)[1]

    own = (body.rows, parents_of(body.name, enquiry, fit))
    steady = steadiness(again, own, chosen_on, out.rules, refits, rng)
    return replace(out, making=replace(out.making, steadiness=steady))


def _trees(behaviour: Behaviour, body: Body, extent: Extent, *, optimal: bool) -> Iterator[Candidate]:
    """Yield the trees of a body of rows that are worth a look, by the rows' weights and in the domain's order."""
    makers: list[Callable[[Body], Iterator[Candidate]]] = [partial(candidates, behaviour, extent=extent)]
    makers += [partial(optimal_trees, behaviour, leaves=extent.leaves)] if optimal else []
    for each in (each for make in makers for each in by_weight(make, body)):
        ordered = in_order(each, behaviour)
        if ordered is not None:
            yield ordered


def _sure(
    behaviour: Behaviour,
    rows: tuple[Targets, Targets],
    ask: TeacherAsk,
    how: tuple[Extent, float, float],
    rng: np.random.Generator,
) -> Surrogate:
    extent, level, slack = how
    budget = extent.queries * len(rows[0])
    found = surely_grown(behaviour, rows[0], ask, leaves=extent.leaves, level=level, budget=budget, rng=rng)
    candidates_ = [ordered for each in found.candidates if (ordered := in_order(each, behaviour)) is not None]
    out = made(behaviour, "tree", candidates_, rows, slack)
    note = "; ".join(part for part in (out.making.note, found.note) if part)
    making = replace(
        out.making,
        why=_unparted(found, level) or out.making.why,
        contests=found.contests,
        beyond=found.asked,
        note=note,
        partial=bool(found.note),
    )
    return replace(out, making=making)


def _unparted(found: Sure, level: float) -> str:
    """Explain a tree whose first split was not sure."""
    first = found.contests[0]
    if first["won"] or not first["winner"]:
        return ""
    fields = f"{first['winner']} and {first['rival']}".replace("_", " ")
    return f"one leaf only: {fields} part {first['rows']:,} rows so alike that neither wins at {level:.0%}"


@dataclass(frozen=True)
class Tree:
    """Recipe of a tree.

    Parameters
    ----------
    leaves : int
        Most leaves.
    slack : float
        The smallest tree within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    fields : int
        Most fields of one split, 1 to 3; with more than one, a split may cut a weighted sum.
    queries : int
        New rows that are asked beyond ``fit`` and ``select``, for each of their rows.
    read : dict
        What to read off texts and pictures, such as ``{terms: 200, phrases: 2, counts: true}`` or ``{patches: 4}``; see
        `kdaudit.surrogates.readings.Wanted`.
    sure : float
        Level at which each split must beat every other field's, such as 0.95; the teacher is asked until it does,
        within `queries`, and what cannot be told apart stays a leaf.  0 lets any split be.
    refits : int
        Trees grown again on rows drawn with replacement, to tell how much of the tree would stay; 0 for none.
    optimal : bool
        Whether the best of all trees of depth 1, 2 and 3 over some tests are candidates as well.
    tries : int
        Most candidates that are looked at; 0 for all.
    seconds : float
        A guard: after so long no further candidate is made, the best so far is taken and called partial; 0 for none.
        What is reached in a time hangs on the machine, so a plan that needs the same bytes everywhere limits `tries`.
    """

    leaves: int = 16
    slack: float = 0.5
    fields: int = 1
    queries: int = 0
    read: dict[str, Any] = field(default_factory=dict)
    sure: float = 0.0
    refits: int = 0
    optimal: bool = False
    tries: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        check("tree", "one leaf", self.leaves, self.slack)
        Extent(self.leaves, self.fields, self.queries)
        Wanted.parse(self.read)
        check_sure(self.sure, self.queries)
        check_refits(self.refits)
        Limits(self.tries, self.seconds)
        if self.sure and self.refits:
            raise InvalidInput("a tree whose splits are sure asks for each of them; leave refits away, or sure")

    def extra(self, parts: Mapping[str, Samples]) -> int:
        """Return how many rows are asked at most beyond ``fit`` and ``select``."""
        return self.queries * sum(len(parts[name]) for name in ("fit", "select") if name in parts)

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
            fields=self.fields,
            queries=self.queries,
            read=self.read,
            sure=self.sure,
            refits=self.refits,
            optimal=self.optimal,
            limits=Limits(self.tries, self.seconds),
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
