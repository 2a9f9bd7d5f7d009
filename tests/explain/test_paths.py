"""Integrated gradients against closed forms and a slow sum."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.explain.paths import LARGEST_CHUNK, path_gradients
from kdaudit.units import Units

UNITS = Units(("a", "b"), ((0, 1), (2,)))
WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.0]])


def smooth(encoded, output):
    inner = encoded.astype(np.float64) @ WEIGHTS[output]
    return np.tanh(inner), (1 - np.tanh(inner) ** 2)[:, None] * WEIGHTS[output]


def rows(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


def slow(gradients, row, baseline, output, steps=4000):
    step = row.astype(np.float64) - baseline
    places = (np.arange(steps) + 0.5) / steps
    path = (baseline + places[:, None] * step).astype(np.float32)
    return step * gradients(path, output)[1].mean(axis=0)


def explain(x, nodes=16, output=None, baseline=None, gradients=smooth):
    base = np.full(3, 0.1, dtype=np.float32) if baseline is None else baseline
    which = np.zeros(len(x), dtype=np.int64) if output is None else output
    return path_gradients(gradients, x, base, output=which, units=UNITS, nodes=nodes)


def test_values_are_those_of_a_fine_sum_for_each_output():
    x, output = rows(6), np.array([0, 1, 0, 1, 1, 0])
    got = explain(x, output=output)
    expected = UNITS.gather(np.array([slow(smooth, r, np.float32(0.1), o) for r, o in zip(x, output, strict=True)]))
    assert np.allclose(got.values, expected, atol=1e-5)


def test_a_linear_answer_gives_weight_times_step_and_no_error():
    def linear(encoded, output):
        return encoded.astype(np.float64) @ WEIGHTS[output], np.broadcast_to(WEIGHTS[output], encoded.shape)

    x = rows(5)
    got = explain(x, nodes=2, gradients=linear)
    assert np.allclose(got.values, UNITS.gather((x - 0.1) * WEIGHTS[0]), atol=1e-6)
    assert got.error.max() < 1e-12
    assert got.gap.max() < 1e-6


def test_shares_sum_to_the_answer_and_the_error_is_that_of_the_coarse_rule():
    x = 3 * rows(40)
    got = explain(x, nodes=8)
    exact = UNITS.gather(np.array([slow(smooth, r, np.float32(0.1), 0) for r in x]))
    assert got.gap.max() < 1e-3
    coarse = np.abs(explain(x, nodes=4).values - exact).sum()
    assert got.error.sum() == pytest.approx(coarse, rel=0.35)
    assert np.allclose(got.values.sum(axis=1), got.reach, atol=1e-3)


def test_a_row_has_the_same_bits_in_any_company():
    x = rows(3 * (LARGEST_CHUNK // 49) + 5)
    whole = explain(x)
    some = np.array([0, 100, len(x) - 1])
    assert np.array_equal(explain(x[some]).values, whole.values[some])


def test_chunks_stay_small_whatever_the_nodes():
    seen = []

    def watched(encoded, output):
        seen.append(len(encoded))
        return smooth(encoded, output)

    explain(rows(500), nodes=64, gradients=watched)
    assert max(seen) <= LARGEST_CHUNK + 1
