"""Rules whose answers rise, or fall, in the fields of which the domain says so: proved rule by rule.

A tree or list is monotone in a field exactly where no two rows that differ in this field alone are answered the wrong
way round.  Which rules can answer two such rows is told by their boxes.  The rules keep their tests, and their answers
are moved, as little as the squared error allows, until every such pair is in order (relabelling of leaves by isotonic
regression: van de Kamp, Feelders and Barile, 2009; solved by recursive partitioning: Luss, Rosset and Shahar, 2012).
Of a list a rule's box holds less what earlier rules surely answer, so that more pairs may be put in order than need be,
and never fewer.  Where rules vote, each vote rises by itself (`lift`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real
from kdaudit.rules import Rule, Rules, Test
from kdaudit.surrogates.choice import Candidate

Pairs = list[tuple[int, int]]
Mask = NDArray[np.bool_]
LEAST = 1e-12
"""A gain in squared error below this share of the whole is rounding."""


def directions(behaviour: Behaviour) -> dict[str, int]:
    """Return the fields in which answers must rise (1) or fall (-1): those of the domain, for one plain output."""
    if behaviour.contrast is not None or len(behaviour.outputs) > 1:
        return {}
    return _marked(behaviour.domain)


def _marked(domain: Domain) -> dict[str, int]:
    fields = [item for item in domain.fields if isinstance(item, Real | Category)]
    return {item.name: item.monotone for item in fields if item.monotone}


def unkept(behaviour: Behaviour) -> str:
    """Return why nothing is put in order although the domain asks for it; empty where it is, or where it does not."""
    fields = _marked(behaviour.domain)
    if not fields or behaviour.contrast is not None or len(behaviour.outputs) == 1:
        return ""
    return (
        f"the domain calls {', '.join(fields)} monotone, and not which of {', '.join(behaviour.outputs)} it is that "
        "rises: nothing keeps to that"
    )


def in_order(candidates: Iterable[Candidate], behaviour: Behaviour, domain: Domain) -> Iterator[Candidate]:
    """Yield trees or lists with their answers in order; as they are where the domain asks for none.

    Trees that cut weighted sums, whose leaves have no boxes, are left out then.

    Parameters
    ----------
    candidates : iterable of Candidate
    behaviour : Behaviour
    domain : Domain
        Of the rows as the rules see them.
    """
    rising = directions(behaviour)
    for each in candidates:
        if not rising:
            yield each
        elif not any(test.terms for rule in each.rules.rules for test in rule.tests):
            again = None if each.again is None else _Ordered(each, domain, rising)
            yield replace(each, rules=relabelled(each.rules, domain, rising), again=again)


class _Ordered:
    """Makes a candidate again and puts it in order."""

    def __init__(self, candidate: Candidate, domain: Domain, rising: dict[str, int]) -> None:
        self._again, self._domain, self._rising = candidate.again, domain, rising

    def __call__(self) -> Rules:
        assert self._again is not None
        return relabelled(self._again(), self._domain, self._rising)


def relabelled(rules: Rules, domain: Domain, rising: dict[str, int]) -> Rules:
    """Return a tree or list of one output whose answers are in order; rules side by side with one answer become one.

    Parameters
    ----------
    rules : Rules
        Of family "tree" or "list", without weighted sums.
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
    out = replace(rules, rules=tuple(replace(r, score=(float(s),)) for r, s in zip(rules.rules, moved, strict=True)))
    return folded(out) if rules.family == "tree" else shortened(out)


def comparable(rules: Rules, domain: Domain, rising: dict[str, int]) -> Pairs:
    """Return the pairs (low, high) of rules of a tree or list between which the answer must not fall."""
    sides = _sides(rules, domain)
    rows, listed = range(len(rules.rules)), rules.family == "list"
    meets = {name: (side.astype(np.int64) @ side.T.astype(np.int64)) > 0 for name, side in sides.items()}
    out: Pairs = []
    for a in rows:
        for b in rows:
            for name in sides if a != b else ():
                # rows that differ in one field alone lie in boxes that meet in all others
                if name in rising and all(meets[other][a, b] for other in sides if other != name):
                    low, high = (_left(sides, name, (a, b), one) if listed else sides[name][one] for one in (a, b))
                    if _below(low[:-1], high[:-1]):
                        out.append((a, b) if rising[name] > 0 else (b, a))
    return out


def _below(low: Mask, high: Mask) -> bool:
    """Return whether a value of one side lies below one of the other; both without the missing value."""
    return bool(low.any() and high.any()) and int(low.argmax()) < len(high) - 1 - int(high[::-1].argmax())


def _left(sides: dict[str, Mask], name: str, pair: tuple[int, int], one: int) -> Mask:
    """Return the values of a field with which a rule of a list answers rows that the other could answer as well.

    Those are gone that an earlier rule holds for, whatever the other fields are, as long as both boxes hold them.
    """
    out: Mask = sides[name][one].copy()
    both = {other: side[pair[0]] & side[pair[1]] for other, side in sides.items() if other != name}
    for earlier in range(one):
        if all(sides[other][earlier][held].all() for other, held in both.items()):
            out &= ~sides[name][earlier]
    return out


def _sides(rules: Rules, domain: Domain) -> dict[str, Mask]:
    """Return what each rule leaves open of each tested field, shape (rules, parts + 1).

    A number's range falls into parts at the cuts of all rules; a category has its levels.  Parts rise; behind them
    stands the missing value.
    """
    out: dict[str, Mask] = {}
    for name in dict.fromkeys(test.field for rule in rules.rules for test in rule.tests):
        item = domain[name]
        tests = [[test for test in rule.tests if test.field == name] for rule in rules.rules]
        ends = {end for some in tests for test in some for end in (test.above, test.below) if end is not None}
        parts = range(len(item.levels)) if isinstance(item, Category) else [*sorted(ends), math.inf]
        missing = isinstance(item, Real | Category) and item.missing
        out[name] = np.array(
            [[*(_passes(some, item, at) for at in parts), _absent(some) and missing] for some in tests]
        )
    return out


def _passes(tests: list[Test], item: object, value: float) -> bool:
    """Return whether the part of a field that ends with a value passes all tests."""
    for test in tests:
        named = test.levels is None or (isinstance(item, Category) and item.levels[int(value)] in test.levels)
        above, below = (-math.inf if test.above is None else test.above), test.below
        if not (named and value > above and (below is None or value <= below)):
            return False
    return True


def _absent(tests: list[Test]) -> bool:
    return all(test.missing for test in tests)


def lift(codes: Mask, rising: int) -> int | None:
    """Return the sign that the points of a vote may have where it holds for some codes of a field with a direction.

    Parameters
    ----------
    codes : array of shape (size + 1,)
        Codes of present values, which rise, and behind them the missing one.
    rising : {-1, 1}

    Returns
    -------
    int or None
        1 where the vote holds from some value up and answers rise, -1 where it holds up to some value; None where it
        holds between two values, so that it may add nothing.
    """
    steps = np.diff(codes[:-1].astype(np.int64))
    if (steps >= 0).all():
        return rising
    return -rising if (steps <= 0).all() else None


def shortened(rules: Rules) -> Rules:
    """Return a list without the rules at its end that answer as its default does."""
    *first, last = rules.rules
    while first and first[-1].score == last.score:
        last = replace(last, n=last.n + first.pop().n)
    return replace(rules, rules=(*first, last))


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
    free: Mask = gain > 0
    # what is best without any pair is best with them, if it keeps to them
    if all(free[high] or not free[low] for low, high in inside):
        return free
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
