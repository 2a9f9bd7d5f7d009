"""Companions: taken whole from one like row, by distances that a slow search finds too."""

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.companions import having, near, with_companions

DOMAIN = Domain(
    (Category("sex", ("female", "male")), Category("job", tuple("abcd")), Real("hours", 0, 99), Real("age", 18, 90))
)


def people(n=300, seed=0):
    chance = np.random.default_rng(seed)
    columns = {
        "sex": chance.integers(0, 2, n).astype(np.int32),
        "job": chance.integers(0, 4, n).astype(np.int32),
        "hours": chance.uniform(0, 99, n),
        "age": chance.integers(18, 91, n).astype(float),
    }
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def test_companions_come_from_one_of_the_nearest_that_have_the_value():
    samples = people()
    made = with_companions(samples, "sex", "female", ("job", "hours"), np.random.default_rng(1), k=5)
    women = having(samples, "sex", "female")
    assert (made.columns["sex"] == 0).all()
    assert (made.columns["age"] == samples.columns["age"]).all()
    for name in ("job", "hours"):
        assert (made.columns[name][women] == samples.columns[name][women]).all()
    age = samples.columns["age"]
    for man in having(samples, "sex", "male"):
        far = np.abs(age[women] - age[man])
        lenders = women[far <= np.sort(far)[4]]
        same = (samples.columns["hours"][lenders] == made.columns["hours"][man]) & (
            samples.columns["job"][lenders] == made.columns["job"][man]
        )
        assert same.any()


def test_nearest_are_those_of_a_slow_search_and_never_the_row_itself():
    points, rows = np.random.default_rng(2).normal(size=(60, 3)), np.arange(20)
    found = near(points, rows, np.arange(60), 4)
    for row in rows:
        far = np.round(((points - points[row]) ** 2).sum(axis=1), 9)
        far[row] = np.inf
        assert set(np.flatnonzero(found[row])) == set(np.argsort(far)[:4])


def test_all_alike_lend_equally_often_and_what_cannot_be_is_refused():
    samples = people(4000)
    made = with_companions(samples, "sex", "male", ("hours", "age", "job"), np.random.default_rng(3), k=1)
    women = having(samples, "sex", "female")
    assert made.columns["hours"][women].mean() == pytest.approx(49.5, abs=3)
    men = samples.take(having(samples, "sex", "male"))
    with pytest.raises(InvalidInput, match="nobody can lend hours"):
        with_companions(men, "sex", "female", ("hours",), np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="companion of itself"):
        with_companions(men, "sex", "male", ("sex",), np.random.default_rng(0))
