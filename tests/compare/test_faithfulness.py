"""Orders of fields tried on answers, against loops; the ratio of two gains against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.compare.faithfulness import curves, direction, steps, tops
from kdaudit.compare.telling import share

WEIGHTS = np.array([[3.0, -1.0, 2.0, 0.5], [-2.0, 1.0, 0.1, -0.3]])


def game(masks):
    """Each row has weights of its own; a pair of fields works together."""
    return (masks * WEIGHTS[None]).sum(axis=2) + 0.7 * masks[:, :, 0] * masks[:, :, 2]


def test_curves_are_those_of_a_loop():
    values = np.random.default_rng(0).normal(size=(2, 4))
    sign = direction(game, 2, 4)
    assert sign.tolist() == [1.0, -1.0]
    got = curves(game, values, sign)
    for row in range(2):
        order = sorted(range(4), key=lambda j: (-values[row, j] * sign[row], j))
        for k in range(5):
            inside = np.zeros((1, 2, 4), dtype=bool)
            inside[0, row, order[:k]] = True
            assert got.kept[row, k] == pytest.approx(sign[row] * game(inside)[0, row])
            assert got.left[row, k] == pytest.approx(sign[row] * game(~inside)[0, row])
    assert np.allclose(got.insertion, [np.trapezoid(curve, dx=0.25) for curve in got.kept])
    # of four fields, 1 to 20 % are one field and 50 % are two
    assert np.allclose(got.sufficiency, got.left[:, 0] - (4 * got.kept[:, 1] + got.kept[:, 2]) / 5)
    assert np.allclose(got.comprehensiveness, got.left[:, 0] - (4 * got.left[:, 1] + got.left[:, 2]) / 5)


def test_the_order_of_the_weights_themselves_is_the_best_of_all_orders():
    def plain(masks):
        return (masks * WEIGHTS[None]).sum(axis=2)

    sign = direction(plain, 2, 4)
    best = curves(plain, WEIGHTS, sign).span
    rng = np.random.default_rng(1)
    for _ in range(50):
        assert (curves(plain, rng.normal(size=(2, 4)), sign).span <= best + 1e-12).all()


def test_the_interval_of_a_ratio_covers():
    rng, inside = np.random.default_rng(0), []
    for _ in range(400):
        whole = rng.normal(1.0, 1.0, 80)
        found = share(0.6 * whole + rng.normal(0, 0.5, 80), whole)
        inside.append(found.low <= 0.6 <= found.high)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_a_ratio_to_nothing_is_unknown():
    rng = np.random.default_rng(0)
    assert not share(rng.normal(size=50), rng.normal(size=50)).known
    assert not share(np.ones(1), np.ones(1)).known


def test_of_many_units_some_steps_are_looked_at_and_the_rest_lie_between():
    rng, units = np.random.default_rng(0), 60
    weights, values = rng.normal(size=(3, units)), rng.normal(size=(3, units))
    asked = []

    def bent(masks):
        asked.append(len(masks))
        return np.tanh((masks * weights[None]).sum(axis=2) / 4)

    got = curves(bent, values, np.ones(3))
    at = steps(units)
    assert sum(asked) == 2 * len(at) <= 32
    assert {0, units, *tops(units)} <= set(at.tolist())
    order = np.argsort(-values, axis=1)
    for row in range(3):
        known = []
        for k in at:
            inside = np.zeros((1, 3, units), dtype=bool)
            inside[0, row, order[row, :k]] = True
            known.append(bent(inside)[0, row])
        assert np.allclose(got.kept[row, at], known)
        assert np.isclose(got.insertion[row], np.trapezoid(known, at / units))
