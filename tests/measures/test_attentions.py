"""Likeness of attention against slow twins, and what matching on the same texts would flatter."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from kdaudit.errors import InvalidInput
from kdaudit.measures.attentions import (
    cut,
    entropy,
    flow,
    head_divergence,
    hellinger,
    jensen_shannon,
    matched,
    rollout,
    top_tokens,
)


def maps(seed=0, heads=3, k=4, sharp=2.0):
    raw = np.exp(sharp * np.random.default_rng(seed).normal(size=(heads, k, k)))
    return raw / raw.sum(axis=2, keepdims=True)


def slow_js(p, q):
    total = 0.0
    for a, b in zip(p, q, strict=True):
        m = (a + b) / 2
        total += (a * math.log2(a / m) if a > 0 else 0.0) / 2 + (b * math.log2(b / m) if b > 0 else 0.0) / 2
    return total


def test_divergences_equal_loops():
    p, q = np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.1, 0.0, 0.4, 0.5])
    assert jensen_shannon(p, q) == pytest.approx(slow_js(p, q), abs=1e-12)
    slow = math.sqrt(1 - sum(math.sqrt(a * b) for a, b in zip(p, q, strict=True)))
    assert hellinger(p, q) == pytest.approx(slow, abs=1e-12)
    assert entropy(q) == pytest.approx(-sum(a * math.log2(a) for a in q if a > 0), abs=1e-12)
    assert jensen_shannon(p[::-1], np.array([1.0, 0, 0, 0])) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_divergences_are_even_and_bounded(seed):
    a, b = maps(seed), maps(seed + 1)
    for f in (jensen_shannon, hellinger):
        np.testing.assert_allclose(f(a, b), f(b, a), atol=1e-12)
        assert (f(a, b) >= 0).all() and (f(a, b) <= 1).all()
        # the square root of a difference of nearly equal numbers keeps half of their digits
        np.testing.assert_allclose(f(a, a), 0.0, atol=1e-7)


def test_divergence_of_heads_equals_a_loop():
    a, b = maps(0), maps(1, heads=2)
    got = head_divergence(a, b)
    for i, j in itertools.product(range(3), range(2)):
        assert got[i, j] == pytest.approx(np.mean([slow_js(a[i, t], b[j, t]) for t in range(4)]), abs=1e-12)
    other = head_divergence(a, b, by="hellinger")
    assert other[0, 0] == pytest.approx(hellinger(a[0], b[0]).mean(), abs=1e-12)
    with pytest.raises(InvalidInput, match="align"):
        head_divergence(a, maps(0, k=5))


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (4, 2)])
def test_matching_is_the_best_of_all_assignments(shape):
    table = np.random.default_rng(3).random(shape)
    rows, columns = matched(table)
    few, many = min(shape), max(shape)
    wide = table if shape[0] <= shape[1] else table.T
    best = min(sum(wide[i, p[i]] for i in range(few)) for p in itertools.permutations(range(many), few))
    assert table[rows, columns].sum() == pytest.approx(best, abs=1e-12)


def test_heads_in_another_order_are_found_again():
    a = maps(0, heads=6)
    order = np.random.default_rng(1).permutation(6)
    rows, columns = matched(head_divergence(a, a[order]))
    assert (order[columns] == rows).all()


def test_rollout_equals_a_sum_over_paths():
    layers = [maps(s, heads=2, k=3) for s in range(3)]
    mixed = []
    for one in layers:
        m = (one.mean(axis=0) + np.eye(3)) / 2
        mixed.append(m / m.sum(axis=1, keepdims=True))
    slow = np.zeros((3, 3))
    for i, j, a, b in itertools.product(range(3), repeat=4):
        slow[i, j] += mixed[2][i, a] * mixed[1][a, b] * mixed[0][b, j]
    np.testing.assert_allclose(rollout(layers), slow, atol=1e-12)
    np.testing.assert_allclose(rollout(layers).sum(axis=1), 1.0, atol=1e-12)


def test_flow_equals_a_linear_programme():
    layers, k, token = [maps(s, heads=2, k=3) for s in range(3)], 3, 1
    edges = []
    for level, one in enumerate(layers, 1):
        m = (one.mean(axis=0) + np.eye(k)) / 2
        edges += [((level, i), (level - 1, j), m[i, j]) for i in range(k) for j in range(k)]
    slow = []
    for target in range(k):
        nodes = sorted({n for e in edges for n in e[:2]} - {(3, token), (0, target)})
        balance = [[(e[0] == n) * 1.0 - (e[1] == n) * 1.0 for e in edges] for n in nodes]
        gain = [-1.0 if e[1] == (0, target) else 0.0 for e in edges]
        found = linprog(gain, A_eq=balance, b_eq=np.zeros(len(nodes)), bounds=[(0, e[2]) for e in edges])
        slow.append(-found.fun)
    np.testing.assert_allclose(flow(layers, token), np.array(slow) / sum(slow), atol=1e-6)


def test_flow_from_all_tokens_is_that_of_their_mean_in_one_layer():
    (one,) = [maps(0, heads=1, k=3)]
    mixed = (one[0] + np.eye(3)) / 2
    # one layer: what reaches an input is bounded by the source's share and by the edge
    slow = np.minimum(mixed, 1 / 3).sum(axis=0)
    np.testing.assert_allclose(flow([one]), slow / slow.sum(), atol=1e-6)


def test_cutting_leaves_distributions_among_the_tokens_kept():
    a = maps(0, k=5)
    part = cut(a, np.array([0, 2, 3]))
    np.testing.assert_allclose(part.sum(axis=2), 1.0)
    assert part[1, 0, 1] == pytest.approx(a[1, 0, 2] / a[1, 0, [0, 2, 3]].sum())
    nowhere = np.zeros((1, 2, 2))
    nowhere[:, :, 1] = 1.0
    np.testing.assert_allclose(cut(nowhere, np.array([0])), 1.0)


def test_top_tokens_break_ties_by_order():
    assert top_tokens(np.array([0.1, 0.4, 0.1, 0.4]), 3).tolist() == [1, 3, 0]
