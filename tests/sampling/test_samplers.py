"""New rows: whole numbers stay whole, levels are those that were met, and every value has a row that it comes from."""

import numpy as np
import pytest

from kdaudit.sampling.samplers import SAMPLERS, between, flipped


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_values_are_admitted_and_come_from_rows(draw_rows, name):
    rows = draw_rows(300)
    columns, parents = SAMPLERS[name](rows, 2_000, np.random.default_rng(1))
    assert parents.min() >= 0
    assert parents.max() < len(rows)
    assert (columns["hours"] == np.round(columns["hours"])).all()
    for field in ("hours", "gain"):
        low, high = rows.columns[field].min(), rows.columns[field].max()
        assert columns[field].min() >= low
        assert columns[field].max() <= high
    for field in ("school", "job", "sex", "origin"):
        assert set(np.unique(columns[field])) <= set(np.unique(rows.columns[field]))
    assert np.isnan(columns["debt"]).any()


def test_smearing_keeps_three_quarters(draw_rows):
    rows = draw_rows(400)
    columns, parents = SAMPLERS["smear"](rows, 8_000, np.random.default_rng(2))
    kept = (columns["hours"] == rows.columns["hours"][parents]).mean()
    assert 0.75 < kept < 0.80
    assert set(columns["gain"]) <= set(rows.columns["gain"])


def test_jitter_leaves_a_number_that_many_share(draw_rows):
    rows = draw_rows(400)
    columns, parents = SAMPLERS["jitter"](rows, 4_000, np.random.default_rng(3))
    none = rows.columns["gain"][parents] == 0
    assert (columns["gain"][none] == 0).mean() > 0.95
    step = (columns["debt"] - rows.columns["debt"][parents]) / np.nanstd(rows.columns["debt"])
    assert np.nanstd(step) == pytest.approx(0.25, abs=0.03)
    assert np.array_equal(np.isnan(columns["debt"]), np.isnan(rows.columns["debt"][parents]))


def test_interpolation_lies_between_two_rows(draw_rows):
    rows = draw_rows(50)
    first, second = np.zeros(20, dtype=int), np.ones(20, dtype=int)
    share = np.linspace(0, 1, 20)
    columns = between(rows, first, second, share, np.random.default_rng(4))
    a, b = rows.columns["gain"][0], rows.columns["gain"][1]
    np.testing.assert_allclose(columns["gain"], a + share * (b - a))
    for field in ("school", "job", "sex"):
        assert set(columns[field]) <= set(rows.columns[field][:2])
        assert columns[field][0] == rows.columns[field][0]
        assert columns[field][-1] == rows.columns[field][1]


def test_one_protected_level_is_flipped_and_nothing_else(draw_rows):
    rows = draw_rows(200)
    columns, parents = flipped(rows, np.random.default_rng(5))
    changed = sum((columns[name] != rows.columns[name][parents]).astype(int) for name in ("sex", "origin"))
    assert (changed == 1).all()
    assert columns["origin"].min() >= -1
    for name in ("hours", "gain", "job"):
        assert np.array_equal(columns[name], rows.columns[name][parents])
    assert 0.8 < len(parents) / len(rows) <= 1
