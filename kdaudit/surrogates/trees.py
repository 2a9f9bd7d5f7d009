"""A tree that answers like a teacher, small enough to be read whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.alternation import alternated
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import Column, columns_of
from kdaudit.surrogates.enquiry import NONE, Body, enquire
from kdaudit.surrogates.growth import Node, grow, leaves_of, paths
from kdaudit.surrogates.making import check, check_enquiry, made, parted
from kdaudit.surrogates.pruning import pruned
from kdaudit.surrogates.sums import Sums
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Targets, TeacherAsk
from kdaudit.surrogates.thinning import MOST, settled, thinned

MOST_FIELDS = 3
"""More fields than these in one split, and nobody can picture it."""
SMALLEST = 10
"""Fewest rows of a leaf: a rate among fewer says little."""
LARGE = 4
"""Trees are grown to so many times the leaves allowed, then cut back."""
COARSE = (0.75, 0.5, 0.25, 0.125)
"""Of many trees, those of the most leaves and of these shares of it have their splits chosen anew."""


@dataclass(frozen=True)
class Extent:
    """How much a tree may hold, and how much may be asked for it.

    Parameters
    ----------
    leaves : int
        Most leaves.
    fields : int
        Most fields of one split; with more than one, a split may cut a weighted sum.
    queries : int
        Rows asked beyond those given, for each of them.
    """

    leaves: int = 16
    fields: int = 1
    queries: int = 0

    def __post_init__(self) -> None:
        check_enquiry(self.queries)
        if not 1 <= self.fields <= MOST_FIELDS:
            raise InvalidInput(f"a split looks at 1 to {MOST_FIELDS} fields; {self.fields} were asked for")


def tree(  # noqa: PLR0913 - each is a choice of the user's
    behaviour: Behaviour,
    samples: Samples,
    ask: TeacherAsk,
    *,
    leaves: int = 16,
    fields: int = 1,
    queries: int = 0,
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
    are grown, and leaves answer, from all.

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
    extent = Extent(leaves, fields, queries)
    enquiry = enquire(behaviour, fit, chosen_on, ask, queries=queries, leaves=leaves, rng=rng)
    candidates: list[Candidate] = []
    for body in enquiry.ways(fit, chosen_on):
        candidates += _candidates(behaviour, body, extent)
    return made(behaviour, "tree", candidates, (fit, chosen_on), slack, enquiry)


@dataclass(frozen=True)
class _Way:
    """How a tree comes about: grown on what, with splits chosen anew, with sums, and cut back to how many leaves."""

    on: str
    anew: bool
    sums: bool
    leaves: int

    @property
    def words(self) -> str:
        """Return it in words; the size is told beside."""
        return f"grown on {self.on}, pruned" + (
            ", alternated with sums" if self.sums else ", alternated" if self.anew else ""
        )


class _Maker:
    """Makes trees from one body of rows."""

    def __init__(self, behaviour: Behaviour, rows: Targets, extent: Extent) -> None:
        without = () if behaviour.contrast is None else (behaviour.contrast.field,)
        self._rows, self._outputs, self._most = rows, behaviour.outputs, extent.leaves
        self._smallest = max(1, min(SMALLEST, len(rows) // (4 * extent.leaves)))
        self._columns = list(columns_of(rows.samples, without=without))
        slanted = extent.fields > 1 and not rows.numeric
        self._sums = Sums.of(rows.samples, extent.fields, without=without) if slanted else None
        self._coarse = bool(extent.queries) or slanted or len(rows) >= MOST

    def bodies(self, on: str) -> list[Node]:
        """Return the best trees of every size."""
        targets = self._rows.score if on == "scores" else self._rows.classes
        large = grow(self._columns, targets, LARGE * self._most, self._smallest)[-1]
        return pruned(large, self._rows, self._most)

    def ways(self) -> Iterator[tuple[_Way, Rules]]:
        """Yield all trees that are worth a look."""
        for on in ("scores",) if self._rows.numeric else ("scores", "decisions"):
            bodies = self.bodies(on)
            for body in bodies:
                yield _Way(on, False, False, _size(body)), self._said(body, self._columns)
            if self._rows.numeric:
                continue
            for body in _few(bodies, self._most) if self._coarse else bodies:
                size = _size(body)
                changed = alternated(body, self._columns, self._rows, self._smallest)
                yield _Way(on, True, False, size), self._said(changed, self._columns)
                if self._sums is not None:
                    yield _Way(on, True, True, size), self._slanted(changed)

    def plain(self) -> Iterator[tuple[str, Rules]]:
        """Yield the trees that need no more than growing, with words for each."""
        for on in ("scores",) if self._rows.numeric else ("scores", "decisions"):
            for body in self.bodies(on):
                yield f"grown on {on} of all rows, pruned", self._said(body, self._columns)

    def made(self, way: _Way) -> Rules:
        """Return the tree that came about in one way."""
        body = [body for body in self.bodies(way.on) if _size(body) <= way.leaves][-1]
        if way.anew:
            body = alternated(body, self._columns, self._rows, self._smallest)
        return self._slanted(body) if way.sums else self._said(body, self._columns)

    def _slanted(self, body: Node) -> Rules:
        widened = list(self._columns)
        return self._said(alternated(body, widened, self._rows, self._smallest, self._sums), widened)

    def _said(self, body: Node, columns: Sequence[Column]) -> Rules:
        return Rules("tree", paths(body, columns, self._rows), self._outputs)


def _candidates(behaviour: Behaviour, body: Body, extent: Extent) -> Iterator[Candidate]:
    again = None if body.whole is None else partial(_again, behaviour, body.whole, extent)
    few = thinned(body.rows)
    for way, rules in _Maker(behaviour, few, extent).ways():
        words = way.words if body.name == NONE else f"{body.name}, {way.words}"
        made = rules if few is body.rows else settled(rules, body.rows)
        yield Candidate(words, made, None if again is None else partial(again, way))
    if few is not body.rows:
        for words, rules in _Maker(behaviour, body.rows, extent).plain():
            yield Candidate(f"{body.name}, {words}", rules, None)


def _again(behaviour: Behaviour, rows: Targets, extent: Extent, way: _Way) -> Rules:
    few = thinned(rows)
    rules = _Maker(behaviour, few, extent).made(way)
    return rules if few is rows else settled(rules, rows)


def _size(body: Node) -> int:
    return sum(1 for _ in leaves_of(body))


def _few(bodies: list[Node], leaves: int) -> list[Node]:
    """Return the largest bodies below the coarse sizes, largest first."""
    sizes = sorted({max(2, round(leaves * share)) for share in (1.0, *COARSE)}, reverse=True)
    fitting = [[body for body in bodies if _size(body) <= size] for size in sizes]
    return list({id(found[-1]): found[-1] for found in fitting if found}.values())


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
    """

    leaves: int = 16
    slack: float = 0.5
    fields: int = 1
    queries: int = 0

    def __post_init__(self) -> None:
        check("tree", "one leaf", self.leaves, self.slack)
        Extent(self.leaves, self.fields, self.queries)

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
