"""Flip: planted dependence, intervals that cover, what cannot be asked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.domain import Domain
from kdaudit.errors import InvalidInput, OutOfDomain
from kdaudit.finding import Verdict
from kdaudit.probe.counterfactuals import Flip
from kdaudit.probe.groups import Parity
from kdaudit.probe.trials import RATE, SCORED, SHIFT
from kdaudit.samples import Samples
from kdaudit.signal import SCORE
from kdaudit.statistics.verdicts import judge

GROUP = "sex: female - male"
RECIPE = Flip("sex", "female", "male", stop="never")


def scored(effect, noise=0.0):
    def score(samples):
        # noise of the person, not of the sex that is tried on
        person = np.sin(samples.columns["hours"] * 977) * np.cos(samples.columns["age"] * 13)
        z = (samples.columns["hours"] - 50) / 12 + effect * (samples.columns["sex"] == 0) + noise * person
        return 1 / (1 + np.exp(-z))

    return score


def truth(subject, samples):
    a, b = (subject.answer(samples.setting("sex", x), {SCORE}).label for x in ("female", "male"))
    return (a - b).mean(), np.abs(a - b).mean()


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/flip"))


def test_a_planted_dependence_is_found_and_told_in_words(formula, people, cast_of, asking):
    samples = people(3000)
    teacher, proxy, stranger = formula(scored(-2, 2), "t"), formula(scored(-2), "p"), formula(scored(0), "s")
    evidence = examine(RECIPE, cast_of(teacher, proxy, stranger, formula(scored(-1.5, 2), "twin")), samples, asking)
    shift, rate = truth(teacher, samples)
    for measure, true, form in ((SHIFT, shift, "within"), (RATE, rate, "at most")):
        row = evidence.row(measure, GROUP, "teacher")
        assert row.value.low <= true <= row.value.high
        assert judge(row.value, form, 0.05).verdict is Verdict.FAILS
        assert row.ceiling.known
        assert "exactly 0" in row.no_control
    assert [c.form for c in evidence.claims] == ["within", "at most"]
    told = evidence.claims[0].found
    assert told.startswith(
        "Changing sex from male to female and nothing else lowers the share scored above the line by"
    )
    assert asking.rows(teacher) == evidence.asked == 1000


def test_the_proxy_is_counted_on_all_rows_beside_the_stranger(formula, people, cast_of, asking):
    samples = people(1000)
    proxy, stranger = formula(scored(-1), "p"), formula(scored(0.5), "s")
    evidence = examine(RECIPE, cast_of(formula(scored(-2), "t"), proxy, stranger), samples, asking)
    for measure, ours, theirs in zip((SHIFT, RATE), truth(proxy, samples), truth(stranger, samples), strict=True):
        row = evidence.row(measure, GROUP, "proxy")
        assert row.value.low == row.value.high == pytest.approx(ours)
        assert row.control.value == pytest.approx(theirs)
        assert evidence.row(measure, GROUP, "teacher-proxy").value.known


def test_a_teacher_that_ignores_the_field_is_cleared(formula, people, cast_of, asking):
    evidence = examine(RECIPE, cast_of(formula(scored(0), "t"), formula(scored(-2), "p")), people(2000), asking)
    for claim in evidence.claims:
        row = evidence.row(claim.measure, claim.group, "teacher")
        assert row.value.value == 0
        assert row.value.high > 0
        assert judge(row.value, claim.form, claim.margin).verdict is Verdict.HOLDS


@pytest.mark.parametrize("effect", [-1.0, -0.15])
def test_intervals_cover(formula, people, cast_of, asking, effect):
    teacher, proxy = formula(scored(effect, 3), "t"), formula(scored(effect), "p")
    held = []
    for seed in range(100):
        samples = people(1000, seed)
        evidence = examine(replace(RECIPE, questions=200), cast_of(teacher, proxy), samples, asking)
        for measure, true in zip((SHIFT, RATE), truth(teacher, samples), strict=True):
            value = evidence.row(measure, GROUP, "teacher").value
            held.append(value.low <= true <= value.high)
    assert np.mean(held) > 0.975 - 3.5 * np.sqrt(0.025 * 0.975 / 100)


def test_a_good_proxy_narrows_the_interval(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1, 1), "t"), formula(scored(-1, 0.9), "p"), formula(lambda s: 0.5 + 0 * s.ids, "s"))
    worth = examine(RECIPE, cast, people(4000), asking).context["contrasts"]
    assert worth[RATE]["width_ratio"] < 0.95
    assert worth[RATE]["strangers_width_ratio"] == pytest.approx(1.0, abs=0.02)


def test_rows_are_shared_with_parity(formula, people, cast_of, asking):
    samples, teacher = people(3000), formula(scored(-1), "t")
    cast = cast_of(teacher, formula(scored(0), "p"))
    examine(Parity("sex", questions=600), cast, samples, asking)
    examine(replace(RECIPE, questions=300), cast, samples, asking)
    assert asking.rows(teacher) < 600 + 2 * 300 - 250


def test_a_record_of_answers_stays_undecided_and_is_not_asked(formula, people, cast_of, asking):
    teacher = formula(scored(-2), "log", by="id")
    evidence = examine(RECIPE, cast_of(teacher, formula(scored(-2), "p")), people(500), asking)
    row = evidence.row(RATE, GROUP, "teacher")
    assert not row.value.known
    assert "record of answers" in row.value.method
    assert evidence.row(RATE, GROUP, "proxy").value.known
    assert asking.rows(teacher) == 0


def test_too_few_rows_are_undecided_with_their_number(formula, people, cast_of, asking):
    evidence = examine(RECIPE, cast_of(formula(scored(-2), "t"), formula(scored(-2), "p")), people(20), asking)
    assert "20 rows in the pool; at least 30 are needed" in evidence.rows[0].value.method
    assert evidence.rows[0].value.n == 20


def test_impossible_rows_are_left_out_and_counted(formula, people, cast_of, asking):
    samples = people(600)
    domain = Domain(samples.domain.fields, ("sex == 'male' or age < 60",))
    keep = (samples.columns["sex"] == 1) | (samples.columns["age"] < 60)
    chosen = samples.take(keep)
    limited = Samples(domain, chosen.columns, chosen.ids, chosen.origin)
    evidence = examine(RECIPE, cast_of(formula(scored(-2), "t"), formula(scored(-2), "p")), limited, asking)
    assert evidence.context["impossible"] == (limited.columns["age"] >= 60).sum() > 0
    assert evidence.context["pool"] == (limited.columns["age"] < 60).sum()


def test_numbers_can_be_changed_too_and_failed_rows_widen(formula, people, cast_of, asking):
    samples = people(1000)
    recipe = Flip("hours", 60.0, 40.0, questions=300, stop="never")
    sound, broken = formula(scored(0, 3), "t"), formula(scored(0, 3), "u", failed=set(range(0, 1000, 10)))
    a, b = (examine(recipe, cast_of(t, formula(scored(0), "p")), samples, asking) for t in (sound, broken))
    assert a.claims[0].group == "hours: 60.0 - 40.0"
    assert b.context["failed"] > 5
    assert b.row(RATE, b.claims[1].group, "teacher").value.half > a.row(RATE, a.claims[1].group, "teacher").value.half


def test_two_runs_give_the_same_evidence(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1), "t"), formula(scored(0), "p"), formula(scored(1), "s"))
    a, b = (examine(RECIPE, cast, people(800), asking) for _ in range(2))
    assert a.table.equals(b.table)
    assert json.dumps(a.context, sort_keys=True, allow_nan=False) == json.dumps(b.context, sort_keys=True)


@pytest.mark.parametrize(("level", "other"), [("woman", "male"), ("female", "man")])
def test_an_unknown_level_is_refused(formula, people, cast_of, asking, level, other):
    with pytest.raises(OutOfDomain, match="its levels are"):
        examine(Flip("sex", level, other), cast_of(formula(scored(0)), formula(scored(0), "p")), people(100), asking)


def test_recipes_refuse_what_makes_no_sense():
    with pytest.raises(InvalidInput, match="two values"):
        Flip("sex", "male", "male")


def test_rows_known_before_choose_and_sharpen_and_intervals_still_cover(formula, people, cast_of, asking):
    teacher, proxy = formula(scored(-1, 1), "t"), formula(scored(-1, 0.8), "p")
    known, held, ratios = people(600, 999), [], []
    for seed in range(60):
        samples = people(1000, seed)
        cast = cast_of(teacher, proxy, formula(scored(0, 1), "s"), known=known)
        evidence = examine(replace(RECIPE, questions=200), cast, samples, asking)
        for measure, true in zip((SHIFT, RATE), truth(teacher, samples), strict=True):
            value = evidence.row(measure, GROUP, "teacher").value
            held.append(value.low <= true <= value.high)
        ratios.append(evidence.context["contrasts"][RATE]["width_ratio"])
        assert evidence.context["contrasts"][RATE]["forecast_half"] > 0
    assert np.mean(held) > 0.975 - 3.5 * np.sqrt(0.025 * 0.975 / 60)
    assert np.mean(ratios) < 0.8
    assert "where the proxy may err" in evidence.context["method"]


def test_a_useless_proxy_with_known_rows_costs_nothing(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1, 1), "t"), formula(lambda s: s.columns["age"] / 100, "p"), known=people(600, 9))
    worth = examine(RECIPE, cast, people(3000), asking).context["contrasts"]
    assert worth[RATE]["width_ratio"] < 1.1


def with_hours(effect):
    """A teacher that goes by hours alone: sex matters only through what goes along with it."""
    return lambda samples: 1 / (1 + np.exp(-(samples.columns["hours"] - 50) / 12 * effect))


def people_of_two_kinds(people, n=1500, seed=0):
    samples = people(n, seed)
    chance = np.random.default_rng(seed)
    # women work fewer hours
    hours = np.where(samples.columns["sex"] == 0, chance.uniform(0, 60, n), chance.uniform(40, 99, n))
    return Samples(samples.domain, {**samples.columns, "hours": hours}, samples.ids, samples.origin)


def test_companions_show_what_the_field_alone_does_not(formula, people, cast_of, asking):
    samples = people_of_two_kinds(people)
    cast = cast_of(formula(with_hours(2), "t"), formula(with_hours(1.5), "p"))
    alone = examine(RECIPE, cast, samples, asking)
    along = examine(replace(RECIPE, companions=("hours",)), cast, samples, asking)
    assert alone.row(RATE, GROUP, "proxy").value.value == 0
    assert judge(alone.row(SHIFT, GROUP, "teacher").value, "within", 0.05).verdict is Verdict.HOLDS
    row = along.row(SHIFT, "sex and companions: female - male", "teacher")
    assert row.value.high < -0.3
    assert row.title.endswith("sex from male to female (hours with it)")
    assert along.title.startswith("Does sex with hours, ")
    assert "and hours with it, as like rows have them," in along.claims[0].text
    assert along.context["companions"] == ["hours"]
    again = examine(replace(RECIPE, companions=("hours",)), cast, samples, asking)
    assert again.table.equals(along.table)


def test_without_lenders_companions_stay_undecided(formula, people, cast_of, asking):
    samples = people_of_two_kinds(people, 200)
    men = samples.take(samples.columns["sex"] == 1)
    cast = cast_of(formula(with_hours(2), "t"), formula(with_hours(2), "p"))
    found = examine(replace(RECIPE, companions=("hours",)), cast, men, asking)
    assert "0 rows have sex female; at least 30 are needed to draw hours from" in found.rows[0].value.method


def test_scores_shift_on_average_and_at_worst(formula, people, cast_of, asking):
    samples, teacher = people(800), formula(scored(-2), "t")
    evidence = examine(RECIPE, cast_of(teacher, formula(scored(-1.5), "p")), samples, asking)
    a, b = (teacher.answer(samples.setting("sex", x), {SCORE}).score[:, 0] for x in ("female", "male"))
    row = evidence.row(SCORED, GROUP, "teacher")
    assert row.value.low <= (a - b).mean() <= row.value.high
    assert row.value.half < 0.01
    told = evidence.context["sentences"][0]
    worst = float(told.split(" is ")[1].split(",")[0])
    assert worst == pytest.approx((a - b)[np.abs(a - b).argmax()], abs=0.02)


@pytest.mark.parametrize("stop", ["planned", "anytime"])
def test_asking_stops_where_it_is_clear_and_intervals_still_cover(formula, people, cast_of, asking, stop):
    held, rows = [], []
    for seed in range(12 if stop == "planned" else 4):
        samples, teacher = people(1500, seed), formula(scored(-0.5, 1), "t")
        cast = cast_of(teacher, formula(scored(-0.5, 0.8), "p"), known=people(300, 999))
        evidence = examine(replace(RECIPE, questions=600, stop=stop, margin=0.06), cast, samples, asking)
        for measure, true in zip((SHIFT, RATE), truth(teacher, samples), strict=True):
            value = evidence.row(measure, GROUP, "teacher").value
            held.append(value.low <= true <= value.high)
            assert ("look" if stop == "planned" else "betting") in value.method
        rows.append(evidence.context["rows_asked"])
    assert np.mean(held) > 0.85
    assert max(rows) <= 600
    clear = cast_of(formula(scored(-4), "u"), formula(scored(-3), "q"), known=people(300, 999))
    evidence = examine(replace(RECIPE, questions=600, stop=stop), clear, people(1500), asking)
    assert evidence.context["rows_asked"] < 400
    assert any("Asking stopped" in told for told in evidence.context["sentences"])


def test_which_flips_a_proxy_shows_is_told_beside_a_stranger(formula, people, cast_of, asking):
    samples, teacher, proxy = people(3000), formula(scored(-1, 1), "t"), formula(scored(-1.5), "p")
    cast = cast_of(teacher, proxy, formula(scored(1), "s"))
    evidence = examine(replace(RECIPE, questions=1500), cast, samples, asking)
    change = {}
    for one in (teacher, proxy):
        a, b = (one.answer(samples.setting("sex", x), {SCORE}).label for x in ("female", "male"))
        change[one.identity.name] = a - b
    both = (change["t"] != 0) & (change["t"] == change["p"])
    for measure, of in (("flip_recall", "t"), ("flip_precision", "p")):
        row = evidence.row(measure, GROUP, "proxy")
        assert row.value.low <= both.sum() / (change[of] != 0).sum() <= row.value.high
        assert row.control is None or row.control.high < 0.1
