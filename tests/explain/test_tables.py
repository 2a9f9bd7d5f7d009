"""Exact values of trees and rule lists against all coalitions, one by one."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.explain import tables
from kdaudit.explain.tables import table_interactions, table_values
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples

FIELDS = 6
DOMAIN = Domain(
    (
        *(Real(f"x{i}", missing=i == 0) for i in range(FIELDS - 2)),
        Category("sex", ("female", "male")),
        Category("school", ("low", "middle", "high"), ordered=True, missing=True),
    )
)


def people(n, seed):
    rng = np.random.default_rng(seed)
    columns = {f"x{i}": rng.normal(size=n) for i in range(FIELDS - 2)}
    columns["x0"][::5] = np.nan
    columns["sex"] = rng.integers(0, 2, n).astype(np.int32)
    columns["school"] = rng.integers(-1, 3, n).astype(np.int32)
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def some_test(rng):
    field = DOMAIN.fields[rng.integers(FIELDS)]
    missing = bool(rng.integers(2)) and field.missing
    if field.kind == "real":
        return Test(field.name, below=float(rng.normal()), missing=missing)
    if field.name == "school":
        return Test("school", above=0.5, missing=missing)
    return Test("sex", levels=(("female", "male")[rng.integers(2)],))


def other_side(test):
    if test.levels is not None:
        return replace(test, levels=tuple({"female", "male"} - set(test.levels)))
    return replace(test, below=test.above, above=test.below, missing=not test.missing)


def tree(seed, depth=4):
    rng = np.random.default_rng(seed)

    def grown(tests):
        if len(tests) == depth or (tests and rng.random() < 0.15):
            return [Rule(tests, (float(rng.normal()), float(rng.normal())))]
        test = some_test(rng)
        return grown((*tests, test)) + grown((*tests, other_side(test)))

    return Rules("tree", tuple(grown(())), ("a", "b"))


def rule_list(seed, count=7):
    rng = np.random.default_rng(seed)
    some = [
        Rule(tuple(some_test(rng) for _ in range(1 + rng.integers(3))), (float(rng.normal()), float(rng.normal())))
        for _ in range(count)
    ]
    return Rules("list", (*some, Rule((), (0.3, -0.2))), ("a", "b"))


def worths(rules, row, background, output):
    out = np.empty(1 << FIELDS)
    for code in range(1 << FIELDS):
        columns = dict(background.columns)
        for bit, name in enumerate(DOMAIN.names):
            if code >> bit & 1:
                columns[name] = np.repeat(row.columns[name], len(background))
        mixed = Samples(DOMAIN, columns, background.ids, background.origin)
        out[code] = rules.evaluate(mixed)[:, output].mean()
    return out


def share(s, players):
    return math.factorial(s) * math.factorial(players - s - 1) / math.factorial(players)


def brute(v):
    out = np.zeros(FIELDS)
    for i in range(FIELDS):
        for code in range(1 << FIELDS):
            if not code >> i & 1:
                out[i] += share(bin(code).count("1"), FIELDS) * (v[code | 1 << i] - v[code])
    return out


def brute_pairs(v):
    out = np.zeros((FIELDS, FIELDS))
    for i, j in itertools.combinations(range(FIELDS), 2):
        for code in range(1 << FIELDS):
            if not (code >> i & 1 or code >> j & 1):
                both = code | 1 << i | 1 << j
                delta = v[both] - v[code | 1 << i] - v[code | 1 << j] + v[code]
                out[i, j] += share(bin(code).count("1"), FIELDS - 1) * delta
        out[j, i] = out[i, j]
    return out


@pytest.mark.parametrize("make", [tree, rule_list])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_values_and_interactions_are_those_of_all_coalitions(make, seed):
    rules, rows, background = make(seed), people(4, 10 + seed), people(13, 20 + seed)
    output = np.array([0, 1, 1, 0])
    got = table_values(rules, rows, background, output=output)
    pairs = table_interactions(rules, rows, background, output=output)
    for i in range(4):
        v = worths(rules, rows.take([i]), background, output[i])
        assert np.abs(got.values[i] - brute(v)).max() <= 1e-10
        assert np.abs(pairs[i] - brute_pairs(v)).max() <= 1e-10
    assert got.gap.max() <= 1e-12


def test_a_field_that_no_rule_tests_gets_exactly_nothing():
    rules = Rules("tree", (Rule((Test("x1", below=0.0),), (1.0,)), Rule((Test("x1", above=0.0),), (0.0,))), ("a",))
    got = table_values(rules, people(20, 0), people(30, 1), output=np.zeros(20, dtype=int))
    assert (np.delete(got.values, 1, axis=1) == 0).all()
    assert np.abs(got.values[:, 1]).min() > 0


def test_blocks_change_nothing(monkeypatch):
    rules, rows, background = tree(5, depth=6), people(200, 0), people(100, 1)
    whole = table_values(rules, rows, background, output=np.zeros(200, dtype=int))
    monkeypatch.setattr(tables, "CELLS", 50)
    assert np.allclose(table_values(rules, rows, background, output=np.zeros(200, dtype=int)).values, whole.values)


def test_a_list_of_too_many_boxes_and_no_background_are_refused(monkeypatch):
    rows = people(10, 0)
    monkeypatch.setattr(tables, "MOST_BOXES", 5)
    with pytest.raises(InvalidInput, match="sampled"):
        table_values(rule_list(0), rows, rows, output=np.zeros(10, dtype=int))
    with pytest.raises(InvalidInput, match="background"):
        table_values(tree(0), rows, rows.take([]), output=np.zeros(10, dtype=int))
