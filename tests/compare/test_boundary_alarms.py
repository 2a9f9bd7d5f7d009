"""How often a proxy is told from a stranger: many pairs whose truth is known.

One stranger stands beside the proxy, and strangers differ among themselves: which of two strangers lies nearer to a
teacher is a real difference, which an interval over rows finds.  So false excesses must balance, not vanish.
"""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.compare.boundaries import Boundary

WEIGHTS = 4
APART = 0.5
"""How far models of one task lie from it, in standard deviations of the task's own weights."""


def subject(formula, weights, name):
    def score(samples):
        hours, age = (samples.columns["hours"] - 50) / 29, (samples.columns["age"] - 54) / 21
        parts = (hours, age, samples.columns["sex"] - 0.5, samples.columns["school"] - 0.5)
        return 1 / (1 + np.exp(-2 * sum(w * x for w, x in zip(weights, parts, strict=True))))

    return formula(score, name)


def pair(formula, people, cast_of, asking, seed, distance, strangers=1):
    """A teacher, a proxy at some distance from it, strangers that know the task alone, and what was found."""
    chance = rng(seed, "pair")
    task = chance.normal(size=WEIGHTS)
    teacher, other, *rest = (task + APART * chance.normal(size=WEIGHTS) for _ in range(2 + strangers))
    proxy = other if distance is None else teacher + distance * APART * chance.normal(size=WEIGHTS)
    first, *more = (subject(formula, w, f"s{i}") for i, w in enumerate(rest))
    cast = cast_of(subject(formula, teacher, "t"), subject(formula, proxy, "p"), first, further=tuple(more))
    evidence = Boundary(lines=40, triples=0).examine(cast, people(400, seed=seed), asking, rng(seed, "questions"))
    return evidence.row("crossing_agreement", "all", "proxy")


@pytest.mark.slow
def test_excesses_of_second_strangers_balance(formula, people, cast_of, asking):
    rows = [pair(formula, people, cast_of, asking, seed, None) for seed in range(220)]
    excess = np.array([row.excess.value for row in rows if row.excess is not None and row.excess.known])
    assert len(excess) >= 200
    assert abs(excess.mean()) < 3 * excess.std() / np.sqrt(len(excess))
    assert abs(float((excess > 0).mean()) - 0.5) < 0.12


@pytest.mark.slow
def test_the_same_function_is_told_from_strangers_by_its_excess(formula, people, cast_of, asking):
    same = [pair(formula, people, cast_of, asking, seed, 0.0) for seed in range(40)]
    near = [pair(formula, people, cast_of, asking, seed, 0.05) for seed in range(40)]
    other = [pair(formula, people, cast_of, asking, 1000 + seed, None) for seed in range(60)]

    def area(rows, value):
        a, b = np.array([value(row) for row in rows]), np.array([value(row) for row in other])
        return float((a[:, None] > b[None, :]).mean())

    assert area(same, lambda row: row.excess.value) >= 0.95
    assert area(same, lambda row: row.value.value) == 1.0
    for rows in (same, near):
        assert np.mean([row.excess.low > 0 for row in rows]) >= 0.9


@pytest.mark.slow
def test_with_several_strangers_a_further_one_is_seldom_taken_for_a_proxy(formula, people, cast_of, asking):
    other = [pair(formula, people, cast_of, asking, seed, None, 6) for seed in range(220)]
    other = [row for row in other if row.excess is not None and row.excess.known]
    near = [pair(formula, people, cast_of, asking, 1000 + seed, 0.05, 6) for seed in range(40)]
    assert len(other) >= 200
    assert np.mean([row.excess.low > 0 for row in other]) <= 0.05
    a, b = (np.array([row.excess.value for row in rows]) for rows in (near, other))
    assert (a[:, None] > b[None, :]).mean() >= 0.95
