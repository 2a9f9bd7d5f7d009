"""Pictures that are shown with their shares: the first of each decision, thinned out, for those who were explained."""

from __future__ import annotations

import numpy as np

from kdaudit.cast import Empty
from kdaudit.compare.seats import Task
from kdaudit.compare.sights import FINEST, MOST, sights
from kdaudit.domain import Domain, Image
from kdaudit.explain.attributions import Attributions
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples


def rows_of(n=30, shape=(1, 8, 8), seed=0):
    rng = np.random.default_rng(seed)
    domain = Domain((Image("digit", shape),))
    pixels = rng.uniform(0, 1, (n, *shape)).astype(np.float32)
    return Samples(domain, {"digit": pixels}, np.arange(n), Origin("pictures by chance"))


def task_of(rows, output):
    return Task(rows, rows, np.asarray(output), 2, np.zeros((len(rows), 1), dtype=np.int64), rows.take(np.arange(2)))


def shares_of(rows, seed):
    names = Pictures.fitted(rows).units.names
    values = np.random.default_rng(seed).normal(size=(len(rows), len(names)))
    nothing = np.full(len(rows), np.nan)
    return Attributions(names, values, np.zeros_like(values), nothing, nothing, "chance", "none", "logit")


def test_the_first_picture_of_each_decision_is_shown_with_everybodys_shares():
    rows = rows_of()
    output = np.array([3, 3, 1] * 10)
    seats = {name: shares_of(rows, seed) for seed, name in enumerate(("teacher", "proxy", "stranger", "stranger 2"))}
    arrays, words = sights(task_of(rows, output), seats, tuple("0123"))
    assert words["sights"]["decisions"] == ["1", "3"]
    assert len(words["sights"]["patches"]) == 16
    np.testing.assert_array_equal(arrays["pictures"], rows.columns["digit"][[2, 0], 0])
    for name in ("teacher", "proxy", "stranger"):
        np.testing.assert_allclose(arrays[f"sight_{name}"], seats[name].values[[2, 0]], rtol=1e-6)
    assert "sight_stranger 2" not in arrays


def test_who_was_not_explained_is_not_shown():
    rows = rows_of()
    seats = {"teacher": shares_of(rows, 0), "proxy": Empty("no gradients"), "stranger": Empty("there is none")}
    arrays, words = sights(task_of(rows, np.zeros(30, dtype=int)), seats, ("yes", "no"))
    assert set(arrays) == {"pictures", "sight_teacher"}
    assert words["sights"]["decisions"] == ["yes"]
    assert sights(task_of(rows, np.zeros(30, dtype=int)), seats | {"teacher": Empty("closed")}, ("yes",)) == ({}, {})


def test_of_one_output_the_first_pictures_are_shown():
    rows = rows_of()
    seats = {"teacher": shares_of(rows, 0), "proxy": shares_of(rows, 1)}
    arrays, words = sights(task_of(rows, np.zeros(30, dtype=int)), seats, ("above",))
    assert words["sights"]["decisions"] == [f"picture {i + 1}" for i in range(MOST)]
    np.testing.assert_array_equal(arrays["pictures"], rows.columns["digit"][:MOST, 0])


def test_large_pictures_in_colours_are_thinned_out_to_grey():
    rows = rows_of(shape=(3, 60, 32))
    seats = {"teacher": shares_of(rows, 0), "proxy": shares_of(rows, 1)}
    arrays, _ = sights(task_of(rows, np.zeros(30, dtype=int)), seats, ("yes", "no"))
    shown = arrays["pictures"]
    assert max(shown.shape[1:]) <= FINEST
    np.testing.assert_allclose(shown[0], rows.columns["digit"][0].mean(axis=0)[::3, ::3], rtol=1e-6)
    assert shown.dtype == np.float32


def test_tables_have_no_pictures(people):
    rows = people(30)
    names = rows.domain.names
    values = np.ones((30, len(names)))
    nothing = np.full(30, np.nan)
    seat = Attributions(names, values, values, nothing, nothing, "chance", "none", "logit")
    assert sights(task_of(rows, np.zeros(30, dtype=int)), {"teacher": seat, "proxy": seat}, ("yes",)) == ({}, {})
