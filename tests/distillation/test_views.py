"""Samplers: rows of the domain, near the rows or all over, the same for the same chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.distillation.views import flipped, inputs, jitter, mixup, parse, shuffled, uniform
from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples

DOMAIN = Domain(
    (
        Real("age", 18, 90, integer=True),
        Real("pay", 0, 100, missing=True),
        Category("school", ("low", "middle", "high"), ordered=True),
        Category("town", tuple("abcdefgh"), missing=True),
    ),
    constraints=("age >= 21 or school == 'low'",),
)


def people(n=200, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 91, n) * 1.0
    pay = rng.uniform(0, 100, n)
    pay[::9] = np.nan
    columns = {
        "age": age,
        "pay": pay,
        "school": np.where(age < 21, 0, rng.integers(0, 3, n)),
        "town": rng.integers(-1, 3, n),
    }
    return Samples(DOMAIN, columns, np.arange(n), Origin("people", digest="d"), (age > 40).astype(int))


def rng(seed=0):
    return np.random.default_rng(seed)


def holds(samples):
    return bool(((samples.columns["age"] >= 21) | (samples.columns["school"] == 0)).all())


@given(n=st.integers(1, 60), seed=st.integers(0, 9), which=st.sampled_from(["jitter", "mixup", "shuffled", "uniform"]))
def test_all_rows_lie_in_the_domain_and_keep_its_constraints(n, seed, which):
    made = inputs(f"{n / 40} * {which}", people(40), rng(seed))  # Samples refuse what lies outside
    assert len(made) == max(1, round(n)) and holds(made)
    assert len(set(made.ids)) == len(made)
    again = inputs(f"{n / 40} * {which}", people(40), rng(seed))
    assert np.array_equal(made.keys(), again.keys())
    assert made.origin.source == which and made.origin.digest


def test_jitter_stays_near_and_keeps_outcomes_and_gaps():
    samples = people(300)
    made = jitter(samples, 300, rng(), 0.1)
    order = rng().permutation(300)  # the first turn
    base = samples.take(order)
    assert np.array_equal(made.labels, base.labels)
    assert np.array_equal(np.isnan(made.columns["pay"]), np.isnan(base.columns["pay"]))
    step = (made.columns["pay"] - base.columns["pay"])[~np.isnan(base.columns["pay"])]
    assert 0.05 < step.std() / np.nanstd(samples.columns["pay"]) < 0.12
    assert 0.9 < (made.columns["school"] == base.columns["school"]).mean() < 1
    assert np.abs(made.columns["school"] - base.columns["school"]).max() == 1
    assert set(made.columns["town"]) <= set(samples.columns["town"])  # levels that never occur do not appear
    wide = jitter(samples, 300, rng(), 1.0)
    assert np.nanmean(np.abs(wide.columns["pay"] - base.columns["pay"])) > 5 * np.abs(step).mean()


def test_rows_are_used_equally_often():
    made = jitter(people(50), 120, rng(), 0.001)
    counts = np.unique(np.round(made.columns["pay"], 0), return_counts=True)[1]
    assert counts.max() <= 3 + 24  # two or three a row, missing ones together


def test_mixtures_lie_between_their_rows():
    samples = people(400)
    made = mixup(samples, 400, rng())
    assert made.labels is None
    at = rng().permutation(400)
    first = samples.take(at)
    low, high = np.nanmin(samples.columns["pay"]), np.nanmax(samples.columns["pay"])
    inside = made.columns["pay"][~np.isnan(made.columns["pay"])]
    assert low <= inside.min() and inside.max() <= high
    assert inside.std() < 0.9 * np.nanstd(samples.columns["pay"])
    same = (made.columns["town"] == first.columns["town"]).mean()
    assert 0.5 < same < 0.8  # half by the share, and some by chance
    with pytest.raises(InvalidInput, match="at least 2"):
        mixup(people(1), 5, rng())


def test_pictures_are_mixed_and_shifted_pixel_by_pixel():
    domain = Domain((Image("x", (1, 4, 4)),))
    pictures = np.stack([np.zeros((1, 4, 4)), np.ones((1, 4, 4))]).astype(np.float32)
    samples = Samples(domain, {"x": pictures}, np.arange(2), Origin("two"))
    mixed = mixup(samples, 500, rng()).columns["x"]
    assert np.ptp(mixed, axis=(1, 2, 3)).max() < 1e-6
    assert 0.45 < mixed.mean() < 0.55 and mixed.std() == pytest.approx(12**-0.5, abs=0.03)  # the share is uniform
    assert jitter(samples, 10, rng()).columns["x"].shape == (10, 1, 4, 4)
    assert uniform(domain, 7, rng()).columns["x"].shape == (7, 1, 4, 4)


def test_shuffling_keeps_each_field_and_breaks_what_hangs_together():
    samples = people(2000)
    made = shuffled(samples, 2000, rng())
    for level in range(-1, 3):  # but for rows that a constraint put back
        assert (made.columns["town"] == level).mean() == pytest.approx(
            (samples.columns["town"] == level).mean(), abs=0.02
        )
    age, school = samples.columns["age"] < 21, samples.columns["school"] == 0
    assert school[age].all()
    old = made.columns["age"] >= 21
    assert np.abs((made.columns["school"] == 0)[old].mean() - school.mean()) < 0.05


def test_flipping_changes_one_protected_level_and_nothing_else():
    fields = (Category("sex", ("female", "male"), protected=True), Real("hours", 0, 99))
    columns = {"sex": rng().integers(0, 2, 50).astype(np.int32), "hours": rng().uniform(0, 99, 50)}
    samples = Samples(Domain(fields), columns, np.arange(50), Origin("people"), np.zeros(50))
    made = inputs("data + flipped", samples, rng())
    assert len(made) == 100 and made.labels is None
    both = {(hours, sex) for hours, sex in zip(made.columns["hours"], made.columns["sex"], strict=True)}
    assert both == {(hours, sex) for hours in columns["hours"] for sex in (0, 1)}
    with pytest.raises(InvalidInput, match="protected category"):
        flipped(people(20), 20, rng())


def test_even_draws_cover_the_domain():
    made = uniform(DOMAIN, 3000, rng())
    assert made.columns["age"].min() == 18 and made.columns["age"].max() == 90
    assert np.abs(made.columns["pay"].mean() - 50) < 2
    assert set(made.columns["town"]) == set(range(8))
    with pytest.raises(InvalidInput, match="low and high"):
        uniform(Domain((Real("x"),)), 3, rng())
    with pytest.raises(InvalidInput, match="no even draw"):
        uniform(Domain((Text("t"),)), 3, rng())
    with pytest.raises(InvalidInput, match="too few"):
        uniform(Domain((Real("x", 0, 1),), constraints=("x > 2",)), 3, rng())


def test_inputs_add_up():
    samples = people(40)
    assert inputs("data", samples, rng()) is samples
    made = inputs("data + 2 * mixup + 0.5 * jitter(0.2)", samples, rng())
    assert len(made) == 40 + 80 + 20 and made.labels is None
    assert np.array_equal(made.keys()[:40], samples.keys())
    assert inputs("data + jitter", samples, rng()).labels is not None
    assert [share.rows(40) for share in parse("data + 3 * uniform")] == [40, 120]


@pytest.mark.parametrize(
    "text", ["", "mixdup", "data - mixup", "-1 * mixup", "2 * data", "jitter('a')", "mixup(3)", "jitter(1, 2)", "f.x"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(InvalidInput):
        parse(text)


@pytest.mark.parametrize("amount", [0.0, -1.0, 2.0, float("nan")])
def test_amounts_are_shares(amount):
    with pytest.raises(InvalidInput, match="amount"):
        jitter(people(5), 5, rng(), amount)
