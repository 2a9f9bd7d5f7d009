"""Parity: planted gaps, intervals that cover, groups that are too small, and what is asked."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.probe.groups import Parity
from kdaudit.signal import LABEL, SCORE
from kdaudit.statistics.verdicts import judge

NAMES = {"female": "women", "male": "men"}
GAP = ("selection_rate_difference", "sex: female - male")


def scored(effect, noise=0.0, seed=0):
    """A score that depends on hours, on sex by `effect`, and on the row's own noise."""

    def score(samples):
        own = np.frombuffer(samples.keys().tobytes(), dtype="<u8").reshape(len(samples), -1)[:, 0]
        wobble = ((own ^ np.uint64(977 * (seed + 1))) % np.uint64(10_007)) / 10_007 - 0.5
        z = (samples.columns["hours"] - 50) / 12 + effect * (samples.columns["sex"] == 0) + noise * wobble
        return 1 / (1 + np.exp(-z))

    return score


def truth(subject, samples, field="sex"):
    label = subject.answer(samples, {SCORE}).label
    column = samples.columns[field]
    return label[column == 0].mean() - label[column == 1].mean()


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/parity"))


def test_a_planted_gap_is_found_and_told_in_words(formula, people, cast_of, asking):
    samples = people(4000)
    teacher, proxy = formula(scored(-1.5, 3), "teacher"), formula(scored(-1.5), "proxy")
    cast = cast_of(teacher, proxy, formula(scored(0), "stranger"), formula(scored(-1.5, 3, 5), "twin"))
    evidence = examine(Parity("sex", reference="male", names=NAMES), cast, samples, asking)
    row = evidence.row(*GAP, "teacher")
    claim = evidence.claims[0]
    assert row.value.low <= truth(teacher, samples) <= row.value.high
    assert judge(row.value, claim.form, claim.margin).verdict is Verdict.FAILS
    assert claim.text == "Women and men are scored above the line equally often, within 5 points"
    assert claim.found.startswith("Women are scored above the line ")
    assert claim.found.endswith(" less often than men.")
    assert "−" not in claim.found
    assert evidence.title == "Are women scored above the line as often as men?"
    assert asking.rows(teacher) == row.asked <= 1000


def test_the_proxy_is_counted_on_the_whole_pool_beside_the_stranger(formula, people, cast_of, asking):
    samples = people(2000)
    teacher, proxy, stranger = formula(scored(-1), "t"), formula(scored(-0.5), "p"), formula(scored(0.5), "s")
    evidence = examine(Parity("sex", reference="male"), cast_of(teacher, proxy, stranger), samples, asking)
    row = evidence.row(*GAP, "proxy")
    assert row.value.low == row.value.high == pytest.approx(truth(proxy, samples))
    assert row.control.value == pytest.approx(truth(stranger, samples))
    assert row.excess.value == pytest.approx(truth(proxy, samples) - truth(stranger, samples))
    assert row.control_kind == "strangers_proxy"
    assert row.population.low < row.value.value < row.population.high
    difference = evidence.row(*GAP, "teacher-proxy")
    teachers = evidence.row(*GAP, "teacher")
    assert difference.value.value == pytest.approx(teachers.value.value - row.value.value)
    assert teachers.control_kind == "permuted"
    assert teachers.control.low < 0 < teachers.control.high


def test_group_rates_have_rows_of_their_own(formula, people, cast_of, asking):
    samples = people(2000)
    cast = cast_of(formula(scored(-1), "t"), formula(scored(-0.5), "p"))
    evidence = examine(Parity("sex"), cast, samples, asking)
    label = cast.teacher.answer(samples, {SCORE}).label
    for level, name in enumerate(("female", "male")):
        row = evidence.row("selection_rate", f"sex = {name}", "teacher")
        assert row.value.low <= label[samples.columns["sex"] == level].mean() <= row.value.high
        assert row.unit == "percent"
    assert evidence.row("selection_rate", "sex = male", "proxy").no_control == "there is no stranger"


@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_intervals_cover_whatever_the_proxy_is_worth(formula, people, cast_of, asking, quality):
    teacher = formula(scored(-0.6, 4), "t")
    proxy = formula(scored(-0.6, 4 * quality), "p") if quality else formula(lambda s: s.columns["age"] / 100, "p")
    held = []
    for seed in range(100):
        samples = people(1500, seed)
        row = examine(Parity("sex", questions=300), cast_of(teacher, proxy), samples, asking).row(
            "selection_rate_difference", _only(samples), "teacher"
        )
        sign = 1 if _only(samples) == GAP[1] else -1
        held.append(row.value.low <= sign * truth(teacher, samples) <= row.value.high)
    assert np.mean(held) > 0.95 - 3.5 * np.sqrt(0.05 * 0.95 / 100)


def _only(samples):
    female = (samples.columns["sex"] == 0).sum()
    return "sex: male - female" if female >= len(samples) - female else "sex: female - male"


def test_a_good_proxy_narrows_and_a_bad_one_does_not_hurt(formula, people, cast_of, asking):
    samples = people(6000)
    teacher = formula(scored(-0.6, 2), "t")
    good, bad = formula(scored(-0.6), "good"), formula(lambda s: s.columns["age"] / 100, "bad")
    evidence = examine(Parity("sex", reference="male"), cast_of(teacher, good, bad), samples, asking)
    worth = evidence.context["contrasts"][GAP[1]]
    assert worth["width_ratio"] < 0.75
    assert 0.95 < worth["strangers_width_ratio"] < 1.05
    assert 0.5 < worth["forecast_ratio"] < 1.0
    assert worth["plain"]["low"] < evidence.row(*GAP, "teacher").value.low


def test_rows_are_shared_between_questions_and_do_not_hang_on_the_proxy(formula, people, cast_of, asking):
    samples = people(3000)
    teacher = formula(scored(-1), "t")
    examine(Parity("sex", questions=600, stop="never"), cast_of(teacher, formula(scored(0), "p")), samples, asking)
    before = asking.rows(teacher)
    examine(Parity("sex", questions=600, stop="never"), cast_of(teacher, formula(scored(9), "q")), samples, asking)
    assert asking.rows(teacher) == before == 600
    examine(Parity("school", questions=600), cast_of(teacher, formula(scored(0), "p")), samples, asking)
    assert asking.rows(teacher) < 1050


def test_the_teachers_rows_are_the_same_for_every_proxy(formula, people, cast_of, asking):
    samples, teacher, lead = people(2000), formula(scored(-1), "t"), formula(scored(-1), "lead")
    casts = (
        cast_of(teacher, lead, formula(scored(0), "s"), covariate=lead),
        cast_of(teacher, formula(scored(2), "other"), covariate=lead),
    )
    a, b = (examine(Parity("school"), cast, samples, asking) for cast in casts)
    for first, second in zip(a.rows, b.rows, strict=True):
        if first.of == "teacher":
            assert first == second


def test_two_runs_give_the_same_evidence(formula, people, cast_of, asking):
    samples = people(1000)
    cast = cast_of(formula(scored(-1), "t"), formula(scored(0), "p"), formula(scored(1), "s"))
    a, b = (examine(Parity("sex"), cast, samples, asking) for _ in range(2))
    assert a.table.equals(b.table)
    assert json.dumps(a.context, sort_keys=True, allow_nan=False) == json.dumps(b.context, sort_keys=True)


def test_a_group_that_is_too_small_is_undecided_with_its_number(formula, people, cast_of, asking):
    samples = people(400)
    few = np.r_[np.flatnonzero(samples.columns["sex"] == 1), np.flatnonzero(samples.columns["sex"] == 0)[:12]]
    samples = samples.take(few)
    teacher = formula(scored(-1), "t")
    evidence = examine(Parity("sex", minimum=30), cast_of(teacher, formula(scored(0), "p")), samples, asking)
    row = evidence.row(*GAP, "teacher")
    assert not row.value.known
    assert row.value.n == 12
    assert "12 rows in the pool; at least 30 are needed" in row.value.method
    assert judge(row.value, "within", 0.05).verdict is Verdict.UNDECIDED
    assert evidence.row(*GAP, "proxy").value.known
    assert evidence.context["left_out"] == ["sex = female"]
    # the reference is not asked for nothing
    assert asking.rows(teacher) <= len(samples)


def test_missing_values_are_a_group_and_contrasts_hold_together(formula, people, cast_of, asking):
    samples = people(3000)
    cast = cast_of(formula(scored(-1), "t"), formula(scored(0), "p"))
    evidence = examine(Parity("school", reference="low"), cast, samples, asking)
    assert {c.group for c in evidence.claims} == {f"school: {x} - low" for x in ("middle", "high", "unknown")}
    assert evidence.row("selection_rate_difference", "school: unknown - low", "teacher").value.level == pytest.approx(
        1 - 0.05 / 3
    )
    assert "3 contrasts are decided together (Holm" in evidence.context["method"]


def test_a_number_is_cut_into_bands(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1), "t"), formula(scored(0), "p"))
    recipe = Parity("age", cuts=(30, 45, 60), reference="45 to 59")
    evidence = examine(recipe, cast, people(2000), asking)
    assert evidence.claims[0].group == "age: under 30 - 45 to 59"
    assert evidence.row("selection_rate", "age under 30", "teacher").value.known
    assert evidence.claims[0].text.startswith("Those of age under 30 and those of age 45 to 59 are")


def test_mean_scores_can_be_compared_too(formula, people, cast_of, asking):
    samples = people(3000)
    teacher = formula(scored(-1, 2), "t")
    cast = cast_of(teacher, formula(scored(-1), "p"))
    recipe = Parity("sex", measure="score", reference="male", names=NAMES, stop="never")
    evidence = examine(recipe, cast, samples, asking)
    score = teacher.answer(samples, {SCORE}).score[:, 0]
    gap = score[samples.columns["sex"] == 0].mean() - score[samples.columns["sex"] == 1].mean()
    row = evidence.row("score_difference", GAP[1], "teacher")
    # one choice of rows: about four standard errors, which coverage tests narrow down over many
    assert abs(row.value.value - gap) <= 2 * row.value.half
    assert row.value.half < 0.03
    assert "lower than men, on average" in evidence.claims[0].found
    assert recipe.needs == {SCORE}


def test_a_teacher_of_labels_only_is_enough_for_rates(formula, people, cast_of, asking):
    teacher = formula(scored(-1), "t", offers=(LABEL,))
    evidence = examine(Parity("sex"), cast_of(teacher, formula(scored(-1), "p", offers=(LABEL,))), people(500), asking)
    assert evidence.rows[0].value.known


def test_failed_rows_widen_and_are_counted(formula, people, cast_of, asking):
    samples = people(2000)
    whole = examine(Parity("sex"), cast_of(formula(scored(-1), "t"), formula(scored(0), "p")), samples, asking)
    broken = formula(scored(-1), "u", failed=set(range(0, 2000, 20)))
    partly = examine(Parity("sex"), cast_of(broken, formula(scored(0), "p")), samples, asking)
    assert partly.context["failed"] > 20
    name = partly.claims[0].group
    a, b = (e.row("selection_rate_difference", name, "teacher").value for e in (whole, partly))
    assert b.half > a.half + 0.02
    assert "failed rows" in b.method


def test_asking_the_whole_pool_leaves_no_doubt(formula, people, cast_of, asking):
    samples = people(300)
    teacher = formula(scored(-1), "t")
    evidence = examine(
        Parity("sex", reference="male", stop="never"), cast_of(teacher, formula(scored(0), "p")), samples, asking
    )
    row = evidence.row(*GAP, "teacher")
    assert row.value.low == row.value.high == pytest.approx(truth(teacher, samples))


@pytest.mark.parametrize(
    ("recipe", "part"),
    [
        (Parity("sex", reference="woman"), "no group 'woman'"),
        (Parity("sex", groups=("male",), reference="male"), "other than itself"),
        (Parity("age"), "cut it"),
    ],
)
def test_what_makes_no_contrast_is_refused(formula, people, cast_of, asking, recipe, part):
    with pytest.raises(InvalidInput, match=part):
        examine(recipe, cast_of(formula(scored(0)), formula(scored(0), "p")), people(100), asking)


def test_recipes_refuse_what_makes_no_sense():
    with pytest.raises(InvalidInput, match="margin"):
        Parity("sex", margin=0)


@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_rows_known_before_choose_and_sharpen_and_intervals_still_cover(formula, people, cast_of, asking, quality):
    teacher = formula(scored(-0.6, 2), "t")
    proxy = formula(scored(-0.6, quality), "p") if quality else formula(lambda s: s.columns["age"] / 100, "p")
    held, ratios = [], []
    for seed in range(80):
        samples = people(1500, seed)
        cast = cast_of(teacher, proxy, known=people(500, 999))
        evidence = examine(Parity("sex", reference="male", questions=300), cast, samples, asking)
        row = evidence.row(*GAP, "teacher")
        held.append(row.value.low <= truth(teacher, samples) <= row.value.high)
        ratios.append(evidence.context["contrasts"][GAP[1]]["width_ratio"])
    assert np.mean(held) > 0.95 - 3.5 * np.sqrt(0.05 * 0.95 / 80)
    assert np.mean(ratios) < (0.6 if quality else 1.07)


def test_agreement_is_told_in_each_group_beside_a_stranger(formula, people, cast_of, asking):
    samples = people(4000)
    woman = samples.columns["sex"] == 0
    own = lambda s: s.columns["hours"] / 99  # noqa: E731
    # wrong about a third of the women alone
    proxy = formula(lambda s: np.where((s.columns["sex"] == 0) & (s.columns["age"] < 42), 1 - own(s), own(s)), "p")
    cast = cast_of(formula(own, "t"), proxy, formula(lambda s: s.columns["age"] / 100, "s"))
    evidence = examine(Parity("sex", questions=1500), cast, samples, asking)
    same = (own(samples) > 0.5) == (proxy.answer(samples, {SCORE}).label == 1)
    for level, rows in (("female", woman), ("male", ~woman)):
        row = evidence.row("group_agreement", f"sex = {level}", "proxy")
        assert row.value.low <= same[rows].mean() <= row.value.high
        assert row.control.low < 0.55
    assert evidence.row("group_agreement", "sex = male", "proxy").value.value == 1
