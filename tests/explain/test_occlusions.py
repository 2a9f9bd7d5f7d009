"""Occlusion against its definition, row by row and draw by draw."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.explain.occlusions import occlusion
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Real("age"), Category("sex", ("female", "male"))))


def people(n, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"age": rng.normal(size=n), "sex": rng.integers(0, 2, n).astype(np.int32)}
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def scores(samples):
    yes = 1 / (1 + np.exp(-samples.columns["age"] * (1 + samples.columns["sex"])))
    return np.stack([1 - yes, yes], axis=1)


def test_values_are_the_mean_loss_over_the_draws():
    rows, background = people(5), people(9, 1)
    donors = np.random.default_rng(2).integers(0, 9, (5, 4))
    got = occlusion(scores, rows, background, output=np.array([1, 1, 0, 1, 0]), donors=donors)
    for i, out in enumerate([1, 1, 0, 1, 0]):
        age, sex = rows.columns["age"][i], rows.columns["sex"][i]

        def one(a, s, out=out):
            yes = 1 / (1 + np.exp(-a * (1 + s)))
            return (1 - yes, yes)[out]

        losses = [one(age, sex) - one(background.columns["age"][d], sex) for d in donors[i]]
        assert got.values[i, 0] == pytest.approx(np.mean(losses))
        assert got.error[i, 0] == pytest.approx(np.std(losses, ddof=1) / 2)
        assert got.values[i, 1] == pytest.approx(
            np.mean([one(age, sex) - one(age, background.columns["sex"][d]) for d in donors[i]])
        )


def test_a_field_that_is_not_used_gets_nothing():
    def only_age(samples):
        return (samples.columns["age"] > 0).astype(float)[:, None]

    rows = people(7)
    got = occlusion(only_age, rows, people(5, 3), output=np.zeros(7, dtype=int), donors=np.zeros((7, 2), dtype=int))
    assert (got.values[:, 1] == 0).all()
    assert got.names == ("age", "sex")


def test_moved_rows_have_keys_of_their_own():
    seen = []

    def watched(samples):
        seen.append(samples.keys())
        return scores(samples)

    rows = people(4)
    rows.keys()
    occlusion(watched, rows, people(3, 5), output=np.ones(4, dtype=int), donors=np.zeros((4, 1), dtype=int))
    assert np.array_equal(seen[0], rows.keys())
    assert not np.array_equal(seen[1], rows.keys())
