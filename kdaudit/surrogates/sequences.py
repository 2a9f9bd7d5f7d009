"""Rule lists: conditions taken one after another, the first that holds answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kdaudit.rules import Rule
from kdaudit.surrogates.columns import Mask
from kdaudit.surrogates.conditions import Condition, Cost, Vocabulary, search
from kdaudit.surrogates.targets import Floats, Positions, Targets

PRICE = 1e-3
"""What a further test must save, as a share of the squared error (or of the rows) before any rule."""
ROUNDS = 4
"""Most passes of `revised`."""


def grow(vocabulary: Vocabulary, targets: Floats, rules: int, cover: int, patience: float) -> list[Condition]:
    """Return conditions, each the best for the rows that no earlier one covers.

    What a rule covers is settled, what it leaves will be parted further: so the squared error of the rows left counts
    less.

    Parameters
    ----------
    vocabulary : Vocabulary
    targets : array of shape (n, outputs)
    rules : int
        Most conditions.
    cover : int
        Fewest rows that a condition covers.
    patience : float
        Weight of the squared error of the rows left, from 0 to 1.
    """
    # multiples of 2**-12 add up without rounding: the same sums in whatever order
    rounded = np.round(targets * 4096) / 4096
    values = np.column_stack([np.ones(len(targets)), (rounded**2).sum(axis=1), rounded])
    left = np.arange(len(targets))
    price = PRICE * float(_error(values.sum(axis=0, keepdims=True))[0])
    out: list[Condition] = []
    while len(out) < rules and len(left) >= 2 * cover:
        total = values[left].sum(axis=0)
        before = float(_error(total[None])[0])
        condition = search(vocabulary, left, values[left], _parting(total, cover, patience), price)
        if condition is None:
            break
        held = condition.holds(vocabulary.columns)[left]
        after = float(
            _error(values[left][held].sum(axis=0)[None])[0] + _error(values[left][~held].sum(axis=0)[None])[0]
        )
        if after > before - 1e-9:
            break
        out.append(condition)
        left = left[~held]
    return out


def _error(sums: Floats) -> Floats:
    """Return the squared error around the mean, from rows, squares and values summed: shape (m, 2 + k) -> (m,)."""
    out: Floats = sums[:, 1] - (sums[:, 2:] ** 2).sum(axis=1) / np.maximum(sums[:, 0], 1.0)
    return out


def _parting(total: Floats, cover: int, patience: float) -> Cost:
    def cost(sums: Floats) -> Floats:
        allowed = (sums[:, 0] >= cover) & (total[0] - sums[:, 0] >= cover)
        return np.where(allowed, _error(sums) + patience * _error(total - sums), np.inf)

    return cost


def revised(vocabulary: Vocabulary, conditions: list[Condition], targets: Targets, cover: int) -> list[Condition]:
    """Return the list with each condition chosen anew while all others are held.

    As in tree alternating optimisation (Carreira-Perpinan and Tavallali, 2018), carried over to lists: at each rule
    only those rows matter that it would decide as the teacher and the rest of the list would not, or the other way
    round.  The number of agreeing rows never falls.
    """
    agreeing = _agreeing(vocabulary, conditions, targets)
    for _ in range(ROUNDS):
        changed = list(conditions)
        for position in range(len(changed)):
            changed = _anew(vocabulary, changed, position, targets, cover)
        now = _agreeing(vocabulary, changed, targets)
        if now <= agreeing:
            break
        conditions, agreeing = changed, now
    return conditions


def _anew(
    vocabulary: Vocabulary, conditions: list[Condition], position: int, targets: Targets, cover: int
) -> list[Condition]:
    held = _held(vocabulary, conditions)
    before = np.flatnonzero(~held[:position].any(axis=0))
    passed = np.zeros(len(targets), dtype=bool)
    passed[before] = _decisions(np.delete(held, position, axis=0), targets)[before] == targets.label[before]
    best, most = conditions, _agreeing(vocabulary, conditions, targets)
    for decision in np.unique(targets.label[before]):
        merit = (targets.label[before] == decision).astype(np.float64) - passed[before]
        values = np.column_stack([np.ones(len(before)), merit])

        def cost(sums: Floats) -> Floats:
            return np.where(sums[:, 0] >= cover, -sums[:, 1], np.inf)

        found = search(vocabulary, before, values, cost, PRICE * len(targets))
        if found is not None:
            trial = [*conditions[:position], found, *conditions[position + 1 :]]
            agreeing = _agreeing(vocabulary, trial, targets)
            if agreeing > most:
                best, most = trial, agreeing
    return best


def _held(vocabulary: Vocabulary, conditions: Sequence[Condition]) -> Mask:
    n = len(vocabulary.columns[0].codes)
    rows = [condition.holds(vocabulary.columns) for condition in conditions]
    return np.array([*rows, np.ones(n, dtype=bool)], dtype=bool)


def _decisions(held: Mask, targets: Targets) -> Positions:
    """Return what a list decides for each row, shape (n,); `held` of shape (rules, n) says which rules hold."""
    which = held.argmax(axis=0)
    out = np.zeros(len(which), dtype=np.int64)
    for position in range(len(held)):
        rows = np.flatnonzero(which == position)
        if len(rows):
            out[rows] = targets.decided(np.array([targets.answer(rows)]))[0]
    return out


def _agreeing(vocabulary: Vocabulary, conditions: Sequence[Condition], targets: Targets) -> int:
    return int((_decisions(_held(vocabulary, conditions), targets) == targets.label).sum())


def listed(vocabulary: Vocabulary, conditions: Sequence[Condition], targets: Targets) -> tuple[Rule, ...]:
    """Return the rules of a list, its default last; conditions that no row comes to are left out.

    Tests that change nothing about which rows come to which rule are left out as well.
    """
    columns = vocabulary.columns
    left = np.ones(len(targets), dtype=bool)
    out = []
    for condition in conditions:
        kept = _needed(condition, left, vocabulary)
        rows = left & kept.holds(columns)
        if rows.any() and (left & ~rows).any():
            out.append(Rule(kept.tests(columns), targets.answer(np.flatnonzero(rows)), int(rows.sum())))
            left &= ~rows
    rest = np.flatnonzero(left)
    out.append(Rule((), targets.answer(rest), len(rest)))
    return tuple(out)


def _needed(condition: Condition, left: Mask, vocabulary: Vocabulary) -> Condition:
    held = left & condition.holds(vocabulary.columns)
    for literal in condition.literals:
        without = Condition(tuple(other for other in condition.literals if other is not literal))
        if without.literals and (left & without.holds(vocabulary.columns) == held).all():
            return _needed(without, left, vocabulary)
    return condition
