"""Corruptions: each changes what it says, stays inside the domain, and leaves the rest."""

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.corruptions import FITS, Corruption, corrupted, fitting

MADE = Origin("made by chance")


def mixed(n=300, seed=0):
    rng = np.random.default_rng(seed)
    fields = (
        Real("age", 18, 90, integer=True),
        Real("hours", 0, 99, missing=True),
        Category("school", ("low", "middle", "high")),
        Image("face", (1, 6, 5)),
        Text("said", 30),
    )
    columns = {
        "age": rng.integers(18, 91, n).astype(float),
        "hours": rng.uniform(0, 99, n),
        "school": rng.integers(0, 3, n).astype(np.int32),
        "face": rng.random((n, 1, 6, 5)).astype(np.float32),
        "said": np.array(["one two three four"] * n, dtype=object),
    }
    return Samples(Domain(fields), columns, np.arange(n), MADE)


def test_every_kind_changes_the_fields_that_it_fits_and_no_other():
    rows = mixed()
    for how in fitting(rows.domain, (), 0.3):
        made = corrupted(rows, how, np.random.default_rng(0))
        for item in rows.domain.fields:
            before, after = rows.columns[item.name], made.columns[item.name]
            same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
            assert same != (isinstance(item, FITS[how.kind]) and how.field in ("", item.name)), (how, item.name)


def test_blur_is_the_mean_of_nine_pixels():
    rows = mixed(3)
    made = corrupted(rows, Corruption("blur", 1.0), np.random.default_rng(0)).columns["face"]
    x = rows.columns["face"]
    for n in range(3):
        for i in range(6):
            for j in range(5):
                near = [x[n, 0, min(max(i + a, 0), 5), min(max(j + b, 0), 4)] for a in (-1, 0, 1) for b in (-1, 0, 1)]
                assert made[n, 0, i, j] == pytest.approx(np.mean(near), abs=1e-6)


def test_missing_is_missing_or_the_most_usual_value():
    rows = mixed()
    gone = {
        name: corrupted(rows, Corruption("missing", 0.1, name), np.random.default_rng(0)).columns[name]
        for name in rows.domain.names
    }
    assert np.isnan(gone["hours"]).all()
    assert set(gone["age"]) == {np.round(np.median(rows.columns["age"]))}
    assert set(gone["school"]) == {np.bincount(rows.columns["school"]).argmax()}
    assert set(gone["said"]) == {""}
    assert np.ptp(gone["face"]) == 0


def test_noise_has_the_strength_that_it_says():
    rows = mixed(4000)
    made = corrupted(rows, Corruption("noise", 0.05), np.random.default_rng(0))
    moved = made.columns["hours"] - rows.columns["hours"]
    assert moved.std() == pytest.approx(0.05 * rows.columns["hours"].std(), rel=0.05)
    assert (made.columns["age"] == np.round(made.columns["age"])).all()
    assert made.columns["said"] is not rows.columns["said"] or (made.columns["said"] == rows.columns["said"]).all()


def test_occlusion_covers_its_share():
    rows = mixed(50)
    made = corrupted(rows, Corruption("occlusion", 0.25), np.random.default_rng(0))
    assert set((made.columns["face"] == 0.5).sum(axis=(1, 2, 3))) == {3 * 2}


def test_constraints_hold():
    rows = mixed()
    tight = Samples(Domain(rows.domain.fields, ("age >= 40",)), rows.columns, rows.ids, MADE)
    some = tight.take(rows.columns["age"] >= 40)
    assert (corrupted(some, Corruption("noise", 2.0), np.random.default_rng(0)).columns["age"] >= 40).all()


def test_what_fits_nothing_is_refused():
    with pytest.raises(InvalidInput, match="fits none"):
        fitting(Domain((Real("x"),)), ("blur",), 0.1)
