"""New rows: no more than allowed, counted once, and the sampler that serves is told with its trial."""

import numpy as np
import pytest

from kdaudit.surrogates.enquiry import FOLDS, NONE, Trial, enquire, usual
from kdaudit.surrogates.targets import ask_for_targets


@pytest.fixture
def rows(behaviour, draw_rows, planted_ask):
    return tuple(ask_for_targets(behaviour, draw_rows(n, seed), planted_ask) for n, seed in ((240, 1), (80, 2)))


@pytest.mark.parametrize("queries", [0, 1, 4])
def test_no_more_is_asked_than_allowed(behaviour, rows, planted_ask, queries):
    fit, select = rows
    found = enquire(behaviour, fit, select, planted_ask, queries=queries, trial=Trial(8), rng=np.random.default_rng(0))
    assert found.rows <= queries * (len(fit) + len(select))
    assert bool(found.pools) == bool(queries)
    keys = [key for pool in found.pools for key in pool.targets.samples.keys().tolist()]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(fit.samples.keys().tolist())
    if queries:
        assert found.sampler in dict(found.trials)
        names = [body.name for body in found.ways(fit, select)]
        assert names[-1] == NONE
        whole = found.ways(fit, select)[-1].whole
        assert len(whole) == len(fit) + len(select)


def test_where_new_rows_mislead_none_of_them_serves(behaviour, rows, planted_ask, answer_with):
    fit, select = rows
    lying = answer_with(lambda s: np.random.default_rng(0).random((len(s), 1)))
    found = enquire(behaviour, fit, select, lying, queries=4, trial=Trial(8), rng=np.random.default_rng(0))
    assert found.sampler == NONE
    assert [body.name for body in found.ways(fit, select)] == [NONE]
    assert found.near is None


def test_with_a_handful_of_rows_nothing_is_asked(behaviour, rows, planted_ask):
    few = rows[0].take(np.arange(2 * FOLDS - 1))
    found = enquire(behaviour, few, few, planted_ask, queries=50, trial=Trial(4), rng=np.random.default_rng(0))
    assert not found.pools


@pytest.mark.parametrize(("rows", "queries"), [(0, 20), (100, 20), (500, 20), (1_000, 10), (3_000, 3), (10_001, 0)])
def test_with_many_rows_fewer_new_ones_for_each_are_usual(rows, queries):
    assert usual(rows) == queries


def test_who_wants_to_be_surer_lets_fewer_new_rows_in(behaviour, rows, planted_ask):
    fit, select = rows
    served = [
        enquire(behaviour, fit, select, planted_ask, queries=4, trial=Trial(8, sure), rng=np.random.default_rng(0))
        for sure in (-100.0, 0.0, 100.0)
    ]
    assert served[0].sampler != NONE
    assert served[-1].sampler == NONE
    assert len({one.trials for one in served}) == 1
