"""Trees that are worth a look, made in several ways from one body of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rules, Test
from kdaudit.surrogates.alternation import alternated
from kdaudit.surrogates.choice import HARDLY, Candidate
from kdaudit.surrogates.columns import Column, columns_of
from kdaudit.surrogates.consensus import MOST as BAGGED
from kdaudit.surrogates.consensus import consensus
from kdaudit.surrogates.enquiry import EVERY, NONE, Body
from kdaudit.surrogates.growth import Node, grow, leaves_of, paths
from kdaudit.surrogates.making import check_enquiry
from kdaudit.surrogates.pruning import pruned
from kdaudit.surrogates.sums import Sums
from kdaudit.surrogates.targets import Targets
from kdaudit.surrogates.thinning import MOST, settled, thinned

MOST_FIELDS = 3
"""More fields than these in one split, and nobody can picture it."""
SMALLEST = 10
"""Fewest rows of a leaf: a rate among fewer says little."""
LARGE = 4
"""Trees are grown to so many times the leaves allowed, then cut back."""
AGREED = "grown on what many trees agree on, pruned, alternated"
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
        slanted = extent.fields > 1
        self._sums = Sums.of(rows.samples, extent.fields, without=without) if slanted else None
        self._coarse = bool(extent.queries) or slanted or len(rows) >= MOST
        self._bodies: dict[str, list[Node]] = {}
        self._from: set[Tests] = set()

    def bodies(self, on: str) -> list[Node]:
        """Return the best trees of every size."""
        if on not in self._bodies:
            targets = self._rows.score if on == "scores" else self._rows.classes
            large = grow(self._columns, targets, LARGE * self._most, self._smallest)[-1]
            self._bodies[on] = pruned(large, self._rows, self._most)
        return self._bodies[on]

    def ways(self) -> Iterator[tuple[_Way, Rules]]:
        """Yield all trees that are worth a look, each once."""
        met: set[Tests] = set()
        for on in ("scores",) if self._rows.numeric else ("scores", "decisions"):
            bodies = self.bodies(on)
            for body in bodies:
                said = self._said(body, self._columns)
                if _tests(said) not in met:
                    met.add(_tests(said))
                    yield _Way(on, False, False, _size(body)), said
            if not self._rows.numeric or self._sums is not None:
                yield from self._changed(on, _few(bodies, self._most) if self._coarse else bodies, met)

    def _changed(self, on: str, bodies: list[Node], met: set[Tests]) -> Iterator[tuple[_Way, Rules]]:
        for body in bodies:
            changed = alternated(body, self._columns, self._rows, self._smallest)
            said = self._said(changed, self._columns)
            if _tests(said) not in met:
                met.add(_tests(said))
                yield _Way(on, True, False, _size(body)), said
            if self._sums is not None and _tests(said) not in self._from:
                self._from.add(_tests(said))
                yield _Way(on, True, True, _size(body)), self._slanted(changed)

    def agreed(self) -> Iterator[tuple[_Way, Rules]]:
        """Yield trees with their splits chosen anew, largest first, none much smaller than the one before."""
        for body in _ladder(self.bodies("decisions")):
            way = _Way("decisions", True, False, _size(body))
            yield way, self.made(way)

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


class _Again:
    """Makes trees from all rows, in the ways that served; what several of them need is made once."""

    def __init__(self, behaviour: Behaviour, rows: Targets, extent: Extent) -> None:
        self._behaviour, self._rows, self._extent = behaviour, rows, extent

    @cached_property
    def _maker(self) -> _Maker:
        return _Maker(self._behaviour, self._rows, self._extent)

    def __call__(self, way: _Way) -> Rules:
        return self._maker.made(way)


class _Agreed:
    """Makes trees from what many trees agree on; what they answer, and of how many rows, is taken from the rows."""

    def __init__(self, behaviour: Behaviour, rows: Targets, extent: Extent) -> None:
        self._behaviour, self._rows, self._extent = behaviour, rows, extent

    @cached_property
    def _maker(self) -> _Maker | None:
        scope = "" if self._rows.reading is not None else self._behaviour.scope
        found = consensus(thinned(self._rows, BAGGED), scope)
        return None if found is None else _Maker(self._behaviour, found, self._extent)

    def ways(self) -> Iterator[tuple[_Way, Rules]]:
        """Yield the trees of every size; none where there is nothing to agree on."""
        for way, rules in () if self._maker is None else self._maker.agreed():
            yield way, settled(rules, self._rows)

    def __call__(self, way: _Way) -> Rules:
        maker = self._maker or _Maker(self._behaviour, self._rows, self._extent)
        return settled(maker.made(way), self._rows)


def candidates(behaviour: Behaviour, body: Body, extent: Extent) -> Iterator[Candidate]:
    """Yield the trees of up to so many leaves that are worth a look, each with how to make it again from all rows.

    Those that many trees agree on come last, of splits on one field: they stay best when the rows are drawn again.
    """
    start = "" if body.name == NONE else f"{body.name}, "
    few = thinned(body.rows)
    # of very many rows those that were chosen on add nothing
    whole = None if few is not body.rows else body.whole
    again = None if whole is None else _Again(behaviour, thinned(whole), extent)
    met: set[Tests] = set()
    for way, rules in _Maker(behaviour, few, extent).ways():
        met.add(_tests(rules))
        made = rules if few is body.rows else settled(rules, body.rows)
        yield Candidate(f"{start}{way.words}", made, None if again is None else partial(again, way))
    if few is not body.rows:
        for words, rules in _Maker(behaviour, body.rows, extent).plain():
            yield Candidate(f"{body.name}, {words}", rules, None)
    # a bag of all new rows does for those of one sampler too
    if extent.fields == 1 and body.name in (EVERY, NONE):
        remade = None if whole is None else _Agreed(behaviour, whole, extent)
        for way, rules in _Agreed(behaviour, body.rows, extent).ways():
            if _tests(rules) not in met:
                words = f"{start}{AGREED}"
                yield Candidate(words, rules, None if remade is None else partial(remade, way), steady=True)


Tests = tuple[tuple[Test, ...], ...]


def _tests(rules: Rules) -> Tests:
    # answers follow from the tests, but for rounding
    return tuple(rule.tests for rule in rules.rules)


def _size(body: Node) -> int:
    return sum(1 for _ in leaves_of(body))


def _few(bodies: list[Node], leaves: int) -> list[Node]:
    """Return the largest bodies below the coarse sizes, largest first."""
    sizes = sorted({max(2, round(leaves * share)) for share in (1.0, *COARSE)}, reverse=True)
    fitting = [[body for body in bodies if _size(body) <= size] for size in sizes]
    return list({id(found[-1]): found[-1] for found in fitting if found}.values())


def _ladder(bodies: list[Node]) -> list[Node]:
    """Return bodies, largest first, so that every size has one that is hardly larger."""
    out: list[Node] = []
    for body in reversed(bodies):
        if not out or _size(body) * HARDLY < _size(out[-1]):
            out.append(body)
    return out
