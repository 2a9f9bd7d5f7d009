"""Importance over all rows: values, intervals, and who may say so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from kdaudit.cast import Empty
from kdaudit.compare.overall import overall
from kdaudit.explain.attributions import Attributions


def seat(values):
    nothing = np.full(len(values), np.nan)
    names = tuple("abcdef"[: values.shape[1]])
    return Attributions(names, values, np.zeros_like(values), nothing, nothing, "made", "none", "score")


def seats(draw, *, strangers=3, seed=0):
    g = np.random.default_rng(seed)
    size = np.array([3.0, 2.0, 1.0, 0.5, 0.2])
    out = {name: seat(g.normal(size=(200, 5)) * size) for name in ("teacher", "proxy", "twin")}
    for at in range(strangers):
        out["stranger" if not at else f"stranger {at + 1}"] = seat(g.normal(size=(200, 5)) * draw(g, size))
    return out if strangers else out | {"stranger": Empty("nobody came")}


def found(formula, cast_of, given):
    one = formula(lambda s: s.columns["hours"] / 99, "t")
    return overall(cast_of(one, one, one), given, np.random.default_rng(1), asked=200)


def test_the_value_is_the_rank_correlation_of_mean_sizes(formula, cast_of):
    given = seats(lambda g, size: g.permutation(size))
    order, overlap = found(formula, cast_of, given)
    means = {name: np.abs(one.values).mean(axis=0) for name, one in given.items()}
    assert order.value.value == pytest.approx(spearmanr(means["teacher"], means["proxy"]).statistic)
    p, q = (means[name] / means[name].sum() for name in ("teacher", "proxy"))
    middle = (p + q) / 2
    divergence = sum(0.5 * (part * np.log2(part / middle)).sum() for part in (p, q))
    assert overlap.value.value == pytest.approx(1 - divergence)
    each = [spearmanr(means["teacher"], means[n]).statistic for n in ("stranger", "stranger 2", "stranger 3")]
    assert order.control.value == pytest.approx(np.mean(each))
    assert order.excess.value == pytest.approx(order.value.value - np.mean(each))
    assert order.strangers == 3
    assert order.value.low <= order.value.value <= order.value.high


def test_strangers_like_the_proxy_leave_no_excess(formula, cast_of):
    alarms = 0
    for seed in range(40):
        _, overlap = found(formula, cast_of, seats(lambda _, size: size, seed=seed))
        alarms += overlap.excess.low > 0
    assert alarms <= 5


def test_without_strangers_there_is_a_reason_and_no_number(formula, cast_of):
    order, _ = found(formula, cast_of, seats(None, strangers=0))
    assert order.control is None
    assert order.excess is None
    assert order.no_control == "nobody came"


def test_strangers_that_are_all_alike_prove_nothing(formula, cast_of):
    given = {name: seat(np.tile([3.0, 2.0, 1.0], (50, 1))) for name in ("teacher", "proxy", "twin")}
    given |= {name: seat(np.tile([2.0, 3.0, 1.0], (50, 1))) for name in ("stranger", "stranger 2", "stranger 3")}
    order, _ = found(formula, cast_of, given)
    assert not order.excess.known
