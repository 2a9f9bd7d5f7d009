"""Calibration over bins: by hand, with intervals that hold, and UNDECIDED where there is too little."""

from dataclasses import replace

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput
from kdaudit.probe.calibrations import ERROR, Calibration
from kdaudit.samples import Samples
from kdaudit.statistics.verdicts import fault

RECIPE = Calibration("sex", questions=1200)


def people_with_outcomes(people, n=4000, seed=0):
    samples = people(n, seed)
    labels = (np.random.default_rng(seed).random(n) < samples.columns["hours"] / 99).astype(np.int64)
    return Samples(samples.domain, samples.columns, samples.ids, samples.origin, labels)


def off(by):
    """Right about men; of women it says too little."""
    return lambda s: np.clip(s.columns["hours"] / 99 - by * (s.columns["sex"] == 0), 0, 1)


def by_hand(scores, samples, edges, rows):
    total = 0.0
    for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True):
        inside = rows & (scores >= low) & (scores < high)
        total += inside.sum() / rows.sum() * abs((samples.labels - scores)[inside].mean()) if inside.any() else 0.0
    return total


def test_a_group_whose_scores_say_too_little_is_found(formula, people, cast_of, asking):
    samples = people_with_outcomes(people)
    teacher, proxy = formula(off(0.25), "t"), formula(off(0.2), "p")
    evidence = RECIPE.examine(cast_of(teacher, proxy, formula(off(0), "s")), samples, asking, rng(0, "questions/pool"))
    scores = [f(samples) for f in (off(0.25), off(0.2))]
    edges = np.quantile(scores[1], np.arange(1, 10) / 10)
    for level, state in (("female", "present+"), ("male", "absent")):
        rows = samples.level("sex") == level
        row = evidence.row(ERROR, f"sex = {level}", "teacher")
        assert row.value.low <= by_hand(scores[0], samples, edges, rows) <= row.value.high
        assert fault(row.value, "at most", 0.12) == state
        shown = evidence.row(ERROR, f"sex = {level}", "proxy").value.value
        assert shown == pytest.approx(by_hand(scores[1], samples, edges, rows))
        assert "drawn by the scores themselves would lie 0.0" in row.no_control
    assert asking.rows(teacher) <= 1200


def test_intervals_hold(formula, people, cast_of, asking):
    held = []
    for seed in range(30):
        samples = people_with_outcomes(people, 2000, seed)
        cast = cast_of(formula(off(0.1), "t"), formula(off(0.1), "p"))
        evidence = replace(RECIPE, questions=400, bins=5).examine(cast, samples, asking, rng(seed, "pool"))
        edges = np.quantile(off(0.1)(samples), np.arange(1, 5) / 5)
        for level in ("female", "male"):
            true = by_hand(off(0.1)(samples), samples, edges, samples.level("sex") == level)
            value = evidence.row(ERROR, f"sex = {level}", "teacher").value
            held.append(value.low <= true <= value.high)
    assert np.mean(held) >= 0.95


def test_few_rows_are_undecided_and_outcomes_are_needed(formula, people, cast_of, asking):
    samples, cast = people_with_outcomes(people, 300), cast_of(formula(off(0), "t"), formula(off(0), "p"))
    evidence = replace(RECIPE, minimum=200).examine(cast, samples, asking, rng(0, "pool"))
    assert "at least 200 are needed" in evidence.rows[0].value.method
    with pytest.raises(InvalidInput, match="recorded outcomes 0 and 1"):
        RECIPE.examine(cast, people(300), asking, rng(0, "pool"))
