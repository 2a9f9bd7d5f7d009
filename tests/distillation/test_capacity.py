"""Capacity curves: planted laws are found, one standard error is kept to, and nothing is said from too little."""

import numpy as np
import pytest

from kdaudit.distillation.capacity import Point, capacity, evidence, sentence, smallest_within
from kdaudit.errors import InvalidInput

SIZES = (50, 100, 200, 400, 800, 1600)


def law(size, e=0.05, a=4.0, b=0.8):
    return e + a * size**-b


def planted(noise=0.0, seeds=5, control=False, **keys):
    def fidelity(size, seed):
        rng = np.random.default_rng(1000 * seed + size)
        value = 1 - law(size, **keys) + rng.normal(0, noise)
        return size, value, value - 0.1 if control else None

    return capacity(SIZES, fidelity, seeds=seeds)


def test_a_law_without_noise_is_found():
    found = planted().law
    assert (found.e.value, found.b.value) == pytest.approx((0.05, 0.8), rel=1e-3)
    assert found.a.value == pytest.approx(4.0, rel=1e-2)
    assert found.error == pytest.approx(law(found.sizes), abs=1e-5)
    for size, gain in zip(SIZES, found.gain, strict=True):
        assert gain.value == pytest.approx(law(size) - law(2 * size), abs=1e-5)
    assert found.sizes[-1] == pytest.approx(4 * 1600)


@pytest.mark.parametrize("keys", [{"e": 0.0, "a": 1.0, "b": 0.3}, {"e": 0.3, "a": 0.0, "b": 1.0}])
def test_laws_at_the_edge_are_fitted(keys):
    found = planted(**keys).law
    assert found.error == pytest.approx(law(found.sizes, **keys), abs=2e-3)


def test_the_smallest_within_one_standard_error_is_told():
    points = [Point(n, np.array(v)) for n, v in ((1, [0.5, 0.6]), (2, [0.88, 0.9]), (4, [0.86, 0.94]), (8, [0.8, 0.9]))]
    assert smallest_within(points) == 1  # .89 >= .90 - .04
    assert smallest_within([Point(1, np.array([0.9])), Point(2, np.array([0.91]))]) == 1
    assert smallest_within([Point(1, np.array([0.9])), Point(2, np.array([0.9]))]) == 0


def test_from_too_little_no_law_is_fitted():
    few = capacity((10, 20, 40), lambda size, seed: (size, 0.5 + seed / 10, None), seeds=3)
    assert few.law is None and "at least 4" in few.reason
    hasty = capacity(SIZES, lambda size, seed: (size, 1 - law(size), None), seeds=2)
    assert hasty.law is None and "at least 3" in hasty.reason
    assert "no law" in sentence(hasty)
    shown = evidence(hasty, name="s", title="How large?")
    assert not any(row.value.known for row in shown.rows)
    with pytest.raises(InvalidInput, match="sizes must differ"):
        capacity((10, 11), lambda size, seed: (5, 0.5, None))
    with pytest.raises(InvalidInput, match="at least one"):
        capacity((), lambda size, seed: (size, 0.5, None))


def test_the_same_seed_gives_the_same_bands():
    assert planted(0.01).law.low.tolist() == planted(0.01).law.low.tolist()


def test_a_curve_is_evidence():
    shown = evidence(planted(0.01, control=True), name="s", title="How large?")
    assert shown.shows == "curve"
    assert [row.group for row in shown.rows][:2] == ["50 parameters", "100 parameters"]
    assert all(row.excess.value == pytest.approx(0.1) for row in shown.rows)
    assert shown.arrays["law"].shape == shown.arrays["law_low"].shape == (60,)
    assert (shown.arrays["law_low"] <= shown.arrays["law_high"]).all()
    assert "within one standard error" in shown.context["sentences"][0]
