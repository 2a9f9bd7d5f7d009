import math

import numpy as np
import pytest
from scipy import stats

from kdaudit.errors import InvalidInput
from kdaudit.statistics.clusters import beyond_rows, clustered_mean
from kdaudit.statistics.rates import mean


def test_clusters_of_one_size_are_as_many_rows():
    y = np.random.default_rng(0).normal(size=60)
    means = y.reshape(12, 5).mean(axis=1)
    got, places = (
        clustered_mean(y, np.repeat(np.arange(12), 5)),
        stats.t.interval(0.95, 11, means.mean(), stats.sem(means)),
    )
    assert (got.low, got.high) == pytest.approx(places)
    assert got.n == 12


def test_clusters_of_one_row_are_rows():
    y = np.random.default_rng(1).normal(size=30)
    one, other = clustered_mean(y, np.arange(30)), mean(y)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_rows_that_repeat_each_other_say_little():
    rng, hits, rows = np.random.default_rng(2), 0, 0
    for _ in range(400):
        y = np.repeat(rng.normal(size=25), 20) + 0.1 * rng.normal(size=500)
        clusters = np.repeat(np.arange(25), 20)
        hits += clustered_mean(y, clusters).low <= 0 <= clustered_mean(y, clusters).high
        rows += mean(y).low <= 0 <= mean(y).high
    assert 0.91 <= hits / 400 <= 0.98
    assert rows / 400 < 0.6


def test_too_few_clusters_say_nothing():
    assert not clustered_mean([1.0, 0.0], np.array(["a", "a"])).known
    assert not clustered_mean([1.0, 1.0, math.nan], np.array(["a", "b", "c"])).known
    with pytest.raises(InvalidInput):
        clustered_mean([1.0], np.array(["a", "b"]))


def test_what_clusters_add_is_counted_pair_by_pair():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(8), 6)
    y = rng.normal(size=8)[groups] + 0.3 * rng.normal(size=48)
    away = y - y.mean()
    together = sum(away[i] * away[j] for i in range(48) for j in range(48) if groups[i] == groups[j]) * 8 / 7
    alone = float((away**2).sum()) * 48 / 47
    assert beyond_rows(np.append(y, np.nan), np.append(groups, 0)) == pytest.approx((together - alone) / 48**2)
    assert beyond_rows(y, np.zeros(48)) == 0
    assert beyond_rows(y, np.arange(48)) == pytest.approx(0)
