"""The pool: no row twice, none outside the domain, no more than were allowed, the same for the same seed."""

import numpy as np
import pytest

from kdaudit.sampling.neighbours import neighbours, placed
from kdaudit.sampling.pool import admitted, bisected, drawn
from kdaudit.sampling.samplers import SAMPLERS


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("name", list(SAMPLERS))
def test_new_rows_are_new_admitted_and_no_more_than_asked(draw_rows, name, paired):
    rows = draw_rows(200)
    out = drawn(name, rows, 500, np.random.default_rng(0), scope="sex == 'female' or debt > 0", paired=paired)
    keys = out.samples.keys().tolist()
    assert len(keys) == len(set(keys)) <= 500
    assert len(keys) > 300
    assert not set(keys) & set(rows.keys().tolist())
    assert admitted(out.samples, "sex == 'female' or debt > 0").all()
    assert not set(out.samples.ids.tolist()) & set(rows.ids.tolist())
    again = drawn(name, rows, 500, np.random.default_rng(0), scope="sex == 'female' or debt > 0", paired=paired)
    assert again.samples.keys().tolist() == keys


def test_a_small_domain_gives_what_it_holds(draw_rows):
    rows = draw_rows(2)
    out = drawn("smear", rows, 10_000, np.random.default_rng(0))
    # two values a field at most, and the two rows themselves are known
    assert 0 < len(out) <= 2**7 - 2


def test_bisection_comes_to_the_border(draw_rows):
    rows = draw_rows(300)
    asked = []

    def decide(samples):
        asked.append(len(samples))
        return (samples.columns["hours"] > 31.5).astype(int)

    label = (rows.columns["hours"] > 31.5).astype(int)
    batches = bisected(rows, label, 240, decide, np.random.default_rng(0))
    assert sum(asked) <= 240
    far = [np.abs(batch.samples.columns["hours"] - 31.5).mean() for batch in batches]
    assert far[-1] < far[0] < np.abs(rows.columns["hours"] - 31.5).mean()
    assert all(admitted(batch.samples).all() for batch in batches)


def test_where_all_are_answered_alike_there_is_no_border(draw_rows):
    rows = draw_rows(50)
    assert bisected(rows, np.ones(50, dtype=int), 60, lambda s: np.ones(len(s)), np.random.default_rng(0)) == []


def test_neighbours_are_the_nearest_by_brute_force(draw_rows):
    rows = draw_rows(60)
    points = placed(rows)
    found = neighbours(rows, np.arange(60), 3, np.random.default_rng(0))
    for at in range(60):
        far = np.linalg.norm(points - points[at], axis=1)
        far[at] = np.inf
        np.testing.assert_allclose(np.sort(far[found[at]]), np.sort(far)[:3], atol=1e-6)
