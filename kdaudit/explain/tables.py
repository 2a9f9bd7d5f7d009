"""Exact interventional Shapley values and interactions of trees and rule lists, by tables of codes.

Each rule is a box: one condition a field.  For a box whose conditions lie on d fields, a row is a code of d bits: which
of them it meets.  What the box gives to a field depends on the codes of the row and of the background row alone, so it
is tabled once a pair of codes that occur: the cost is boxes x (rows + background) x d, not rows x background.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.explain.attributions import Attributions
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Samples

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MOST_BOXES = 20_000
"""Boxes of a rule list beyond which it is refused: each rule may cut what later rules see into several."""
MOST_FIELDS = 62
FEW = 14
"""Fields of a box up to which all of its codes are counted."""
CELLS = 2**22
"""Entries of a table held at once."""


@dataclass(frozen=True, eq=False)
class Box:
    """A conjunction of one condition a field, and what is answered inside.

    Parameters
    ----------
    score : array of shape (outputs,)
    fields : tuple of str
    meets : tuple of array of shape (rows + background,), bool
        For each field, which rows meet its condition.
    """

    score: Floats
    fields: tuple[str, ...]
    meets: tuple[Bools, ...]


def table_values(rules: Rules, samples: Samples, background: Samples, *, output: NDArray[np.int64]) -> Attributions:
    """Return what each field contributes to the rules' answer, exactly.

    Parameters
    ----------
    rules : Rules
    samples : Samples
        n rows.
    background : Samples
        All of its rows are used.
    output : array of shape (n,)
        The output explained in each row.

    Raises
    ------
    InvalidInput
        If there is no background, or a rule list falls into more than `MOST_BOXES` boxes.
    """
    names = samples.domain.names
    n = len(samples)
    values = np.zeros((n, len(names)))
    for box in _checked(rules, samples, background):
        table, code = _shares(box, n, order=1)
        for at, field in enumerate(box.fields):
            values[:, names.index(field)] += box.score[output] * table[code, at]
    level = rules.evaluate(background).mean(axis=0)
    reach = rules.evaluate(samples)[np.arange(n), output] - level[output]
    return Attributions(
        names,
        values,
        np.zeros_like(values),
        np.abs(values.sum(axis=1) - reach),
        reach,
        method="Shapley values, exact from the rules' boxes",
        baseline=f"mean over {len(background):,} background rows",
        scale="score",
    )


def table_interactions(
    rules: Rules, samples: Samples, background: Samples, *, output: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the Shapley interaction index of each pair of fields, exactly: shape (n, fields, fields).

    Parameters
    ----------
    rules, samples, background, output
        As in `table_values`.
    """
    names = samples.domain.names
    n = len(samples)
    out = np.zeros((n, len(names), len(names)))
    for box in _checked(rules, samples, background):
        table, code = _shares(box, n, order=2)
        for (a, first), (b, second) in combinations(list(enumerate(box.fields)), 2):
            i, j = names.index(first), names.index(second)
            share = box.score[output] * table[code, a, b]
            out[:, i, j] += share
            out[:, j, i] += share
    return out


def _checked(rules: Rules, samples: Samples, background: Samples) -> Iterator[Box]:
    if not len(background):
        raise InvalidInput("Shapley values need at least one background row")
    rows = (samples, background)
    for box in _tree(rules, rows) if rules.family == "tree" else _list(rules, rows):
        if len(box.fields) > MOST_FIELDS:
            raise InvalidInput(f"a rule tests {len(box.fields)} fields; at most {MOST_FIELDS} can be tabled")
        if box.fields:
            yield box


def _holds(test: Test, rows: tuple[Samples, Samples]) -> Bools:
    return np.concatenate([test.holds(part) for part in rows])


def _tree(rules: Rules, rows: tuple[Samples, Samples]) -> Iterator[Box]:
    seen: dict[Test, Bools] = {}
    for rule in rules.rules:
        meets: dict[str, Bools] = {}
        for test in rule.tests:
            if test not in seen:
                seen[test] = _holds(test, rows)
            meets[test.field] = meets[test.field] & seen[test] if test.field in meets else seen[test]
        yield Box(np.array(rule.score), tuple(meets), tuple(meets.values()))


def _list(rules: Rules, rows: tuple[Samples, Samples]) -> Iterator[Box]:
    """Yield the boxes of a rule list: where a rule holds and none before it does is no box, so it is cut into some.

    A field's values are known by which tests on it they pass; only values that occur matter, since every mixture of
    rows takes each field from one of them.
    """
    tests = tuple(dict.fromkeys(test for rule in rules.rules for test in rule.tests))
    kinds: dict[str, Bools] = {}
    kind_of: dict[str, NDArray[np.int64]] = {}
    for field in dict.fromkeys(test.field for test in tests):
        passed = np.stack([_holds(test, rows) for test in tests if test.field == field], axis=1)
        kinds[field], where = np.unique(passed, axis=0, return_inverse=True)
        kind_of[field] = where.reshape(-1)
    column = {test: [t for t in tests if t.field == test.field].index(test) for test in tests}
    holds = {test: kinds[test.field][:, column[test]] for test in tests}
    whole = {field: np.ones(len(table), dtype=bool) for field, table in kinds.items()}
    for count, (score, region) in enumerate(_cut(rules.rules, whole, holds), 1):
        if count > MOST_BOXES:
            raise InvalidInput(
                f"this rule list falls into more than {MOST_BOXES:,} boxes; explain it by sampled Shapley values"
            )
        fields = tuple(field for field, kept in region.items() if not kept.all())
        yield Box(np.array(score), fields, tuple(region[field][kind_of[field]] for field in fields))


def _cut(
    rules: tuple[Rule, ...], region: dict[str, Bools], holds: dict[Test, Bools]
) -> Iterator[tuple[tuple[float, ...], dict[str, Bools]]]:
    """Yield score and region of each box, rule by rule, without those that no value reaches."""
    stack = [(0, 0, region)]
    while stack:
        at, place, here = stack.pop()
        rule = rules[at]
        if place == len(rule.tests):
            yield rule.score, here
            continue
        test = rule.tests[place]
        inside = here[test.field] & holds[test]
        outside = here[test.field] & ~holds[test]
        # the later part is put down first, so that boxes come in the order of the rules
        if outside.any():
            stack.append((at + 1, 0, {**here, test.field: outside}))
        if inside.any():
            stack.append((at, place + 1, {**here, test.field: inside}))


def _shares(box: Box, n: int, *, order: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return each code's share per unit of score, and each row's place among the codes.

    For a row's code a and a background row's z (bits: conditions met), with p = conditions that only the row meets and
    q = those that only the other one does, and none that neither does: a field of the first kind gets
    ``(p-1)! q! / (p+q)!``, one of the second ``-p! (q-1)! / (p+q)!``; pairs get the same with one factorial fewer.
    """
    d = len(box.fields)
    code: NDArray[Any] = np.zeros(len(box.meets[0]), dtype=np.uint16 if d <= FEW else np.int64)
    for bit, met in enumerate(box.meets):
        code |= met.astype(code.dtype) << code.dtype.type(bit)
    ours, where, _ = _occurring(code[:n], d)
    theirs, _, count = _occurring(code[n:], d)
    bits = np.arange(d)
    other = (theirs[:, None] >> bits) & 1 == 1
    own = (ours[:, None] >> bits) & 1 == 1
    out = np.zeros((len(ours), *[d] * order))
    block = max(1, CELLS // max(1, len(theirs) * d))
    for start in range(0, len(ours), block):
        row = own[start : start + block, None]
        mine, not_mine = (row & ~other).astype(np.float64), (~row & other).astype(np.float64)
        weight = (row | other).all(axis=2) * (count / count.sum())
        p, q = mine.sum(axis=2).astype(np.int64), not_mine.sum(axis=2).astype(np.int64)
        part = _first if order == 1 else _second
        out[start : start + block] = part(mine, not_mine, weight, p, q)
    return out, where


def _occurring(code: NDArray[Any], d: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the codes that occur, rising, each row's place among them, and how often each occurs."""
    if d > FEW:
        found, where, count = np.unique(code, return_inverse=True, return_counts=True)
        return found.astype(np.int64), where.reshape(-1), count
    # few conditions: counting is faster than sorting
    times = np.bincount(code, minlength=1 << d)
    present = np.flatnonzero(times)
    place = np.zeros(1 << d, dtype=np.int64)
    place[present] = np.arange(len(present))
    return present, place[code], times[present]


def _first(mine: Floats, other: Floats, weight: Floats, p: NDArray[np.int64], q: NDArray[np.int64]) -> Floats:
    up, down = _factor(-1, 0, mine.shape[2])[p, q], _factor(0, -1, mine.shape[2])[p, q]
    out: Floats = np.einsum("abj,ab->aj", mine, weight * up) - np.einsum("abj,ab->aj", other, weight * down)
    return out


def _second(mine: Floats, other: Floats, weight: Floats, p: NDArray[np.int64], q: NDArray[np.int64]) -> Floats:
    d = mine.shape[2]
    both = np.einsum("abi,abj,ab->aij", mine, mine, weight * _factor(-2, 0, d)[p, q])
    neither = np.einsum("abi,abj,ab->aij", other, other, weight * _factor(0, -2, d)[p, q])
    mixed = np.einsum("abi,abj,ab->aij", mine, other, weight * _factor(-1, -1, d)[p, q])
    out: Floats = both + neither - mixed - mixed.transpose(0, 2, 1)
    return out


def _factor(a: int, b: int, d: int) -> Floats:
    """Return ``(p+a)! (q+b)! / (p+q+a+b+1)!`` for p and q up to d; 0 where one of them is negative."""
    out = np.zeros((d + 1, d + 1))
    for p in range(max(0, -a), d + 1):
        for q in range(max(0, -b), d + 1):
            top = math.factorial(p + a) * math.factorial(q + b)
            out[p, q] = top / math.factorial(p + q + a + b + 1)
    return out
