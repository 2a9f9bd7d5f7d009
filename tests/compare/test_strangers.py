"""False alarms over several strangers, and over one."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.compare.strangers import excess_over
from kdaudit.errors import InvalidInput
from kdaudit.statistics.gaps import paired


def draws(rng, k, n, shift=0.0):
    """Likeness of k proxies: rows share what they are like, proxies have their own luck."""
    rows = rng.normal(0.7, 0.2, n)
    luck = rng.normal(0.0, 0.03, k + 1)
    luck[0] += shift
    return rows + luck[:, None] + rng.normal(0, 0.1, (k + 1, n))


def test_strangers_raise_no_more_alarms_than_promised_where_one_alone_does():
    rng, alarms, one = np.random.default_rng(0), [], []
    for _ in range(600):
        found = draws(rng, 5, 200)
        interval, p = excess_over(found[0], found[1:])
        alarms.append(interval.low > 0)
        assert (p < 0.025) == (interval.low > 0)
        one.append(paired(found[0], found[1]).low > 0)
    assert np.mean(alarms) <= 0.04
    assert np.mean(one) > 0.2  # rows alone do not know the strangers' spread


def test_a_proxy_that_is_nearer_is_seen():
    rng = np.random.default_rng(1)
    seen = [excess_over(*(lambda f: (f[0], f[1:]))(draws(rng, 6, 200, shift=0.2)))[0].low > 0 for _ in range(100)]
    assert np.mean(seen) > 0.95


def test_missing_rows_are_left_out_and_one_stranger_is_refused():
    found = draws(np.random.default_rng(2), 3, 20)
    found[0, :3], found[2, 5] = np.nan, np.nan
    interval, _ = excess_over(found[0], found[1:])
    assert interval.n == 16
    assert interval.value == pytest.approx(np.delete(found[0] - found[1:].mean(axis=0), [0, 1, 2, 5]).mean())
    with pytest.raises(InvalidInput, match="at least 2"):
        excess_over(found[0], found[1:2])
    assert not excess_over(np.full(4, np.nan), np.ones((2, 4)))[0].known
