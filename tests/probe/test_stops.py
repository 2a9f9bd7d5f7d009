"""Stopping early: fewer questions where an effect is clear, intervals that always hold, and rows in stages."""

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput, OverBudget
from kdaudit.probe.groups import Parity
from kdaudit.statistics.verdicts import fault

GAP, GROUP = "selection_rate_difference", "sex: female - male"


def scored(gap):
    def score(samples):
        z = (samples.columns["hours"] - 50) / 12 - gap * (samples.columns["sex"] == 0)
        return 1 / (1 + np.exp(-z + np.sin(samples.columns["age"] * 13)))

    return score


def examine(stop, gap, seed, formula, people, cast_of, asking, margin=0.05):
    samples, teacher = people(2000, seed), formula(scored(gap), "t")
    cast = cast_of(teacher, formula(scored(gap * 0.9), "p"), known=people(300, 999))
    recipe = Parity("sex", reference="male", questions=1000, stop=stop, margin=margin)
    evidence = recipe.examine(cast, samples, asking, rng(seed, "questions/pool"))
    yes, woman = teacher.answer(samples, {}).label == 1, samples.columns["sex"] == 0
    return evidence, yes[woman].mean() - yes[~woman].mean()


@pytest.mark.parametrize("stop", ["planned", "anytime"])
def test_a_clear_gap_needs_fewer_rows_and_the_report_says_so(stop, formula, people, cast_of, asking):
    evidence, true = examine(stop, 1.5, 0, formula, people, cast_of, asking)
    row = evidence.row(GAP, GROUP, "teacher")
    assert row.asked < 500
    assert row.value.low <= true <= row.value.high
    assert row.value.level == 0.95
    assert fault(row.value, "within", 0.05) == "present-"
    assert ("look 1 of 5" if stop == "planned" else "betting") in row.value.method
    assert any("Asking stopped" in text for text in evidence.context["sentences"])


def test_rows_are_those_of_the_whole_design_in_stages(formula, people, cast_of, asking):
    whole, _ = examine("never", 0.3, 1, formula, people, cast_of, asking)
    planned, _ = examine("planned", 0.3, 1, formula, people, cast_of, asking, margin=0.0701)
    a, b = (e.row(GAP, GROUP, "teacher") for e in (whole, planned))
    assert b.asked <= a.asked
    assert "look" in b.value.method
    assert "look" not in a.value.method


@pytest.mark.parametrize("stop", ["planned", "anytime"])
def test_intervals_hold_whenever_asking_stops(stop, formula, people, cast_of, asking):
    held, asked = [], []
    for seed in range(25 if stop == "planned" else 8):
        # near the margin, where stopping at the first interval that decides is most tempting
        evidence, true = examine(stop, 0.4, seed, formula, people, cast_of, asking, margin=0.06)
        row = evidence.row(GAP, GROUP, "teacher")
        held.append(row.value.low <= true <= row.value.high)
        asked.append(row.asked)
    assert np.mean(held) >= 0.75
    assert min(asked) < max(asked) <= 1000


def test_numbers_that_make_no_sense_are_refused():
    with pytest.raises(InvalidInput, match="2 to 50 planned looks"):
        Parity("sex", stop="planned", looks=1)
    with pytest.raises(InvalidInput, match="stop: planned"):
        Parity("sex", measure="impact_ratio", stop="anytime")


@pytest.mark.parametrize("left", [10, 250])
def test_looks_that_the_budget_ends_stand_where_they_are_many_enough(left, formula, people, cast_of, asking):
    samples, known, teacher = people(2000), people(301, 999), formula(scored(0.4), "t")
    yes, woman = teacher.answer(samples, {}).label == 1, samples.columns["sex"] == 0
    # on the margin itself nothing is decided early
    margin = abs(yes[woman].mean() - yes[~woman].mean())
    recipe = Parity("sex", reference="male", questions=500, margin=margin)
    cast = cast_of(teacher, formula(scored(0.36), "p"), known=known)

    def short(who, rows, signals):
        if who is teacher and left < len(rows) != len(known):
            raise OverBudget("too dear", needed=len(rows), left=left)
        return asking(who, rows, signals)

    if left < 30:
        with pytest.raises(OverBudget):
            recipe.examine(cast, samples, short, rng(0, "q"))
        return
    row = recipe.examine(cast, samples, short, rng(0, "q")).row(GAP, GROUP, "teacher")
    whole = recipe.examine(cast, samples, asking, rng(0, "q")).row(GAP, GROUP, "teacher")
    assert row.asked == 200
    assert whole.asked == 500
    # what was paid is told, at the level that allows for having looked
    assert "look 2 of 5" in row.value.method
    assert row.value.half > 1.5 * whole.value.half
