"""Trees whose answers rise, or fall, in the fields of which the domain says so: proved leaf by leaf.

A tree is monotone in a field exactly where no two rows that differ in this field alone are answered the wrong way
round.  Which leaves two such rows can lie in is told by their boxes.  The leaves keep their tests, and their answers
are moved, as little as the squared error allows, until every such pair is in order (relabelling of leaves by isotonic
regression: van de Kamp, Feelders and Barile, 2009; solved by recursive partitioning: Luss, Rosset and Shahar, 2012).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real
from kdaudit.rules import Rule, Rules, Test
from kdaudit.surrogates.choice import Candidate

Pairs = list[tuple[int, int]]
LEAST = 1e-12
"""A gain in squared error below this share of the whole is rounding."""


def directions(behaviour: Behaviour) -> dict[str, int]:
    """Return the fields in which answers must rise (1) or fall (-1): those of the domain, for one plain output."""
    if behaviour.contrast is not None or len(behaviour.outputs) > 1:
        return {}
    fields = [item for item in behaviour.domain.fields if isinstance(item, Real | Category)]
    return {item.name: item.monotone for item in fields if item.monotone}


def in_order(candidate: Candidate, behaviour: Behaviour) -> Candidate | None:
    """Return the tree with its answers in order; itself where the domain asks for none.

    None for a tree that cuts weighted sums, whose leaves have no boxes.
    """
    rising = directions(behaviour)
    if not rising:
        return candidate
    if any(test.terms for rule in candidate.rules.rules for test in rule.tests):
        return None
    again = candidate.again
    ordered = None if again is None else (lambda: relabelled(again(), behaviour.domain, rising))
    return replace(candidate, rules=relabelled(candidate.rules, behaviour.domain, rising), again=ordered)


def relabelled(rules: Rules, domain: Domain, rising: dict[str, int]) -> Rules:
    """Return a tree of one output whose answers are in order; leaves side by side with one answer become one.

    Parameters
    ----------
    rules : Rules
        Of family "tree", without weighted sums.
    domain : Domain
    rising : dict of str to {-1, 1}
        Field -> direction of the answer.
    """
    pairs = comparable(rules, domain, rising)
    score = np.array([rule.score[0] for rule in rules.rules])
    if all(score[low] <= score[high] for low, high in pairs):
        return rules
    weight = np.array([max(1, rule.n) for rule in rules.rules], dtype=np.float64)
    moved = isotonic(score, weight, pairs)
    return folded(
        replace(rules, rules=tuple(replace(r, score=(float(s),)) for r, s in zip(rules.rules, moved, strict=True)))
    )


@dataclass(frozen=True)
class _Side:
    """What a leaf leaves open of one field: an interval of numbers (or of ranks), or a set of levels; and missing."""

    low: float = -math.inf
    high: float = math.inf
    levels: frozenset[str] | None = None
    missing: bool = True

    def meets(self, other: _Side) -> bool:
        """Return whether a value, present or missing, lies in both."""
        if self.missing and other.missing:
            return True
        if self.levels is not None and other.levels is not None:
            return bool(self.levels & other.levels)
        return max(self.low, other.low) < min(self.high, other.high)


def comparable(rules: Rules, domain: Domain, rising: dict[str, int]) -> Pairs:
    """Return the pairs (low, high) of leaves between which the answer must not fall."""
    boxes = [_box(rule.tests, domain) for rule in rules.rules]
    out: Pairs = []
    for a, first in enumerate(boxes):
        for b, second in enumerate(boxes):
            if a == b:
                continue
            apart = [name for name in first if not first[name].meets(second[name])]
            # rows that differ in one field alone lie in boxes that are apart in no other
            for name in apart if len(apart) == 1 else ():
                if name in rising and _lower(first[name], second[name], domain[name]):
                    out.append((a, b) if rising[name] > 0 else (b, a))
    return out


def _lower(first: _Side, second: _Side, item: object) -> bool:
    """Return whether the present values of one side lie below those of the other; both sides are apart."""
    if isinstance(item, Category):
        ranks = [[item.levels.index(level) for level in side.levels or ()] for side in (first, second)]
        return bool(ranks[0] and ranks[1]) and min(ranks[0]) < max(ranks[1])
    return first.low < first.high and second.low < second.high and first.high <= second.low


def _box(tests: tuple[Test, ...], domain: Domain) -> dict[str, _Side]:
    out: dict[str, _Side] = {}
    for item in domain.fields:
        match item:
            case Category(levels=levels, missing=missing):
                out[item.name] = _Side(levels=frozenset(levels), missing=missing)
            case Real(missing=missing):
                out[item.name] = _Side(missing=missing)
            case _:
                continue
    for test in tests:
        old, item = out[test.field], domain[test.field]
        missing = old.missing and test.missing
        if isinstance(item, Category):
            passing = frozenset(_levels(test, item))
            out[test.field] = _Side(levels=(old.levels or frozenset()) & passing, missing=missing)
        else:
            low = old.low if test.above is None else max(old.low, test.above)
            high = old.high if test.below is None else min(old.high, test.below)
            out[test.field] = _Side(low, high, missing=missing)
    return out


def _levels(test: Test, item: Category) -> Iterator[str]:
    for rank, level in enumerate(item.levels):
        named = test.levels is None or level in test.levels
        if named and (test.above is None or rank > test.above) and (test.below is None or rank <= test.below):
            yield level


def isotonic(score: NDArray[np.float64], weight: NDArray[np.float64], pairs: Pairs) -> NDArray[np.float64]:
    """Return the numbers nearest to `score`, by weighted squared error, that rise along every pair.

    A block of numbers is given its mean, or parted where that gains most: which part should lie higher is a linear
    programme with whole solutions (Luss, Rosset and Shahar, 2012).
    """
    out = np.empty(len(score))
    blocks = [np.arange(len(score))]
    scale = float((weight * (score - np.average(score, weights=weight)) ** 2).sum()) or 1.0
    while blocks:
        block = blocks.pop()
        mean = float(np.average(score[block], weights=weight[block]))
        upper = _upper(weight[block] * (score[block] - mean), block, pairs)
        gain = float((weight[block] * (score[block] - mean))[upper].sum())
        if upper.all() or not upper.any() or gain <= LEAST * math.sqrt(scale):
            out[block] = mean
            continue
        blocks += [block[upper], block[~upper]]
    return out


def _upper(gain: NDArray[np.float64], block: NDArray[np.int64], pairs: Pairs) -> NDArray[np.bool_]:
    """Return the upper set of a block with the largest sum of gains: whatever must lie above one of it lies in it."""
    places = {int(at): place for place, at in enumerate(block)}
    inside = [(places[low], places[high]) for low, high in pairs if low in places and high in places]
    if not inside:
        return gain > 0
    rows = np.repeat(np.arange(len(inside)), 2)
    matrix = csr_array((np.tile([1.0, -1.0], len(inside)), (rows, np.array(inside).ravel())), (len(inside), len(block)))
    found = linprog(-gain, A_ub=matrix, b_ub=np.zeros(len(inside)), bounds=(0, 1), method="highs")
    out: NDArray[np.bool_] = found.x > 0.5
    return out


def folded(rules: Rules) -> Rules:
    """Return a tree in which two leaves of one split that answer the same are one."""
    out: list[Rule] = []
    for rule in rules.rules:
        out.append(rule)
        while len(out) > 1 and _twins(out[-2], out[-1]):
            last = out.pop()
            out[-1] = Rule(last.tests[:-1], last.score, out[-1].n + last.n)
    return replace(rules, rules=tuple(out))


def _twins(a: Rule, b: Rule) -> bool:
    return len(a.tests) == len(b.tests) > 0 and a.tests[:-1] == b.tests[:-1] and a.score == b.score
