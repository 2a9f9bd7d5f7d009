"""Situation testing: planted differences between people alike, budgets, and what cannot be compared."""

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput
from kdaudit.probe.situations import GAP, SHARE, Situation
from kdaudit.sampling.companions import having, nearest, placed_by
from kdaudit.statistics.verdicts import fault

GROUP = "sex: female - male"
RECIPE = Situation("sex", "female", "male", ("hours", "age"), neighbours=6, questions=900)


def scored(effect):
    return lambda s: 1 / (1 + np.exp(-(s.columns["hours"] - 50) / 12 - effect * (s.columns["sex"] == 0)))


def examine(recipe, cast, samples, asking, seed=0):
    return recipe.examine(cast, samples, asking, rng(seed, "questions/pool"))


def slow(samples, decisions, k):
    """The mean difference over all rows of the level, one row at a time."""
    points, out = placed_by(samples, ("hours", "age")), []
    women, men = (having(samples, "sex", x) for x in ("female", "male"))
    for row in women:
        shares = []
        for among in (women[women != row], men):
            far = ((points[among] - points[row]) ** 2).sum(axis=1)
            shares.append(decisions[among[np.argsort(far)[:k]]].mean())
        out.append(shares[0] - shares[1])
    return np.array(out)


def test_a_planted_difference_is_found_within_the_budget(formula, people, cast_of, asking):
    samples, teacher, proxy = people(1500), formula(scored(-2), "t"), formula(scored(-1.5), "p")
    evidence = examine(RECIPE, cast_of(teacher, proxy, formula(scored(0), "s")), samples, asking)
    row = evidence.row(GAP, GROUP, "teacher")
    true = slow(samples, (teacher.answer(samples, {}).label == 1).astype(float), 6)
    assert row.value.low <= true.mean() <= row.value.high
    assert fault(row.value, "within", 0.05) == "present-"
    assert asking.rows(teacher) == evidence.asked <= 900
    shown = slow(samples, (proxy.answer(samples, {}).label == 1).astype(float), 6)
    assert evidence.row(GAP, GROUP, "proxy").value.value == pytest.approx(shown.mean())
    assert evidence.row(SHARE, GROUP, "proxy").value.value == pytest.approx((np.abs(shown) > 0.2).mean())
    assert row.control_kind == "permuted"
    assert row.control.high > -0.05
    assert "less often than others alike" in evidence.claims[0].found


def test_intervals_cover_and_a_good_proxy_narrows_them(formula, people, cast_of, asking):
    held, ratio = [], []
    for seed in range(12):
        samples, teacher = people(1000, seed), formula(scored(-0.8), "t")
        cast = cast_of(teacher, formula(scored(-0.9), "p"))
        evidence = examine(Situation(**{**vars(RECIPE), "questions": 700}), cast, samples, asking, seed)
        true = slow(samples, (teacher.answer(samples, {}).label == 1).astype(float), 6).mean()
        row = evidence.row(GAP, GROUP, "teacher")
        held.append(row.value.low <= true <= row.value.high)
        ratio.append(evidence.context["contrasts"][GAP]["width_ratio"])
    assert np.mean(held) >= 0.75
    assert np.mean(ratio) < 0.8


def test_too_few_alike_are_undecided_and_nonsense_is_refused(formula, people, cast_of, asking):
    samples, subject = people(400), formula(scored(-1))
    far = Situation("sex", "female", "male", ("hours", "age"), radius=1e-6)
    evidence = examine(far, cast_of(subject, subject), samples, asking)
    assert "0 units in the pool; at least 30 are needed" in evidence.rows[0].value.method
    assert evidence.context["lacking"] == (samples.columns["sex"] == 0).sum()
    assert "left out" in evidence.context["sentences"][1]
    with pytest.raises(InvalidInput, match="`like` names fields"):
        Situation("sex", "female", "male", ("sex",))


def test_nearest_are_found_as_by_a_slow_search():
    points = np.random.default_rng(0).normal(size=(50, 2))
    found, last = nearest(points, np.arange(10), np.arange(50), 3)
    for row in range(10):
        far = np.sqrt(((points - points[row]) ** 2).sum(axis=1))
        far[row] = np.inf
        assert (found[row] == np.argsort(far)[:3]).all()
        assert last[row] == pytest.approx(np.sort(far)[2], abs=1e-6)
