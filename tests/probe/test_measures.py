"""Measures of groups: fairlearn's values where it has them, UNDEFINED with n where it gives 0 or NaN, and by hand."""

import gzip
import io
import json

import numpy as np
import pandas as pd
import pytest

from kdaudit.chance import rng
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.probe.groups import Parity
from kdaudit.probe.odds import WORST, EqualizedOdds
from kdaudit.probe.quantities import QUANTITIES, conditional, exposure
from kdaudit.samples import Origin, Samples
from kdaudit.statistics.verdicts import judge


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/pool"))


def compas(folder):
    text = gzip.decompress((folder / "compas" / "compas-scores-two-years.noname.csv.gz").read_bytes())
    table = pd.read_csv(io.BytesIO(text))
    return table["race"], table["two_year_recid"], (table["decile_score"] - 0.5) / 10


def adult(folder):
    table = pd.read_csv(folder / "adult" / "adult.data.gz", header=None, skipinitialspace=True)
    score = 1 / (1 + np.exp(-(0.35 * (table[4] - 11) + 0.04 * (table[12] - 42) + 0.8 * (table[9] == "Male"))))
    return table[8], (table[14] == ">50K").astype(int), score


def rows_of(group, outcome, score):
    levels = tuple(sorted(group.unique()))
    domain = Domain((Category("race", levels), Real("own", 0, 1)))
    columns = {"race": group.map(levels.index).to_numpy().astype(np.int32), "own": score.to_numpy(dtype=float)}
    return Samples(domain, columns, np.arange(len(group)), Origin("people"), outcome.to_numpy(dtype=np.int64))


PAIRS = {
    "selection_rate": "selection_rate",
    "true_positive_rate": "true_positive_rate",
    "false_positive_rate": "false_positive_rate",
    "false_negative_rate": "false_negative_rate",
    "true_negative_rate": "true_negative_rate",
}


@pytest.mark.data
@pytest.mark.parametrize("read", [compas, adult])
def test_values_are_fairlearns_to_the_last_digits(data_folder, formula, cast_of, asking, read):
    import fairlearn.metrics as fair
    from sklearn.metrics import mean_absolute_error, precision_score, zero_one_loss

    samples = rows_of(*read(data_folder))
    subject = formula(lambda s: s.columns["own"])
    race, yes = samples.level("race"), samples.columns["own"] > 0.5
    theirs = {name: getattr(fair, peer) for name, peer in PAIRS.items()}
    theirs |= {"positive_predictive_value": precision_score, "error_rate": zero_one_loss}
    for name, metric in theirs.items():
        frame = fair.MetricFrame(metrics=metric, y_true=samples.labels, y_pred=yes, sensitive_features=race)
        evidence = examine(Parity("race", measure=name, questions=200), cast_of(subject, subject), samples, asking)
        for level, value in frame.by_group.items():
            row = evidence.row(name, f"race = {level}", "proxy")
            assert row.value.value == pytest.approx(value, abs=1e-12, rel=0), (name, level)
        contrast = evidence.claims[0].group
        first, second = contrast.removeprefix("race: ").split(" - ")
        gap = frame.by_group[first] - frame.by_group[second]
        assert evidence.row(f"{name}_difference", contrast, "proxy").value.value == pytest.approx(gap, abs=1e-12)
    frame = fair.MetricFrame(
        metrics=mean_absolute_error,
        y_true=samples.labels,
        y_pred=samples.columns["own"],
        sensitive_features=race,
    )
    evidence = examine(
        Parity("race", measure="absolute_error", questions=200), cast_of(subject, subject), samples, asking
    )
    for level, value in frame.by_group.items():
        found = evidence.row("absolute_error", f"race = {level}", "proxy").value.value
        assert found == pytest.approx(value, abs=1e-12)


def test_odds_have_one_reference_and_a_group_of_one_outcome_is_undecided(formula, cast_of, asking):
    # most of those with the outcome are a, most of those without are b; none of c is without
    group = pd.Series(["a"] * 300 + ["b"] * 100 + ["c"] * 60 + ["a"] * 100 + ["b"] * 300)
    outcome = pd.Series([1] * 460 + [0] * 400)
    samples = rows_of(group, outcome, pd.Series(np.random.default_rng(0).uniform(size=860)))
    subject = formula(lambda s: s.columns["own"])
    odds = examine(EqualizedOdds("race", questions=400), cast_of(subject, subject), samples, asking)
    assert [claim.group for claim in odds.claims] == ["race: b - a", "race: c - a"]
    assert odds.claims[0].found
    assert odds.row(WORST, "race: b - a", "teacher").value.known
    assert not odds.row(WORST, "race: c - a", "teacher").value.known


@pytest.mark.data
@pytest.mark.parametrize("read", [compas, adult])
def test_odds_and_ratios_of_two_groups_are_fairlearns(data_folder, formula, cast_of, asking, read):
    import fairlearn.metrics as fair

    samples = rows_of(*read(data_folder))
    two = np.argsort(np.bincount(samples.columns["race"]))[-2:]
    samples = samples.take(np.isin(samples.columns["race"], two))
    subject = formula(lambda s: s.columns["own"])
    race, yes = samples.level("race"), samples.columns["own"] > 0.5
    odds = examine(EqualizedOdds("race", questions=400), cast_of(subject, subject), samples, asking)
    found = odds.row(WORST, odds.claims[0].group, "proxy").value.value
    theirs = fair.equalized_odds_difference(samples.labels, yes, sensitive_features=race)
    assert found == pytest.approx(theirs, abs=1e-12)
    ratio = examine(Parity("race", measure="impact_ratio", questions=400), cast_of(subject, subject), samples, asking)
    found = ratio.row("impact_ratio", ratio.claims[0].group, "proxy").value.value
    theirs = fair.demographic_parity_ratio(samples.labels, yes, sensitive_features=race)
    assert found == pytest.approx(theirs, abs=1e-12)


def people_with_outcomes(n=2000, seed=0):
    chance = np.random.default_rng(seed)
    domain = Domain(
        (
            Category("sex", ("female", "male")),
            Category("race", ("white", "Black", "other"), missing=True),
            Category("job", ("a", "b")),
            Real("own", 0, 1),
        )
    )
    columns = {
        "sex": chance.integers(0, 2, n).astype(np.int32),
        "race": chance.integers(-1, 3, n).astype(np.int32),
        "job": chance.integers(0, 2, n).astype(np.int32),
        "own": chance.random(n),
    }
    labels = (chance.random(n) < columns["own"]).astype(np.int64)
    return Samples(domain, columns, np.arange(n), Origin("people"), labels)


def own(shift=0.0):
    return lambda s: np.clip(s.columns["own"] - shift * (s.columns["sex"] == 0), 0, 1)


def test_a_group_without_positives_is_undefined_where_fairlearn_says_zero(formula, cast_of, asking):
    fair = pytest.importorskip("fairlearn.metrics")
    samples = people_with_outcomes(600)
    labels = np.where(samples.columns["sex"] == 0, 0, samples.labels)
    samples = Samples(samples.domain, samples.columns, samples.ids, samples.origin, labels)
    subject = formula(own())
    sex, yes = samples.level("sex"), samples.columns["own"] > 0.5
    frame = fair.MetricFrame(metrics=fair.true_positive_rate, y_true=samples.labels, y_pred=yes, sensitive_features=sex)
    assert frame.by_group["female"] == 0.0
    recipe = Parity("sex", measure="true_positive_rate", reference="male", groups=("female",))
    evidence = examine(recipe, cast_of(subject, subject), samples, asking)
    row = evidence.row("true_positive_rate_difference", "sex: female - male", "teacher")
    assert not row.value.known
    assert row.value.n == 0
    assert "0 rows in the pool; at least 30 are needed" in row.value.method
    assert judge(row.value, "within", 0.05).verdict is Verdict.UNDECIDED
    odds = examine(
        EqualizedOdds("sex", reference="male", groups=("female",)), cast_of(subject, subject), samples, asking
    )
    assert not odds.row(WORST, "sex: female - male", "teacher").value.known


def test_a_ratio_to_nobody_is_undefined(formula, cast_of, asking):
    samples = people_with_outcomes(600)
    nobody = formula(lambda s: 0.1 + 0 * s.columns["own"])
    recipe = Parity("sex", measure="impact_ratio", reference="male")
    evidence = examine(recipe, cast_of(nobody, nobody), samples, asking)
    assert "undefined" in evidence.row("impact_ratio", "sex: female - male", "proxy").value.method
    assert not evidence.row("impact_ratio", "sex: female - male", "teacher").value.known


@pytest.mark.parametrize("measure", [m for m in QUANTITIES if m not in ("impact_ratio", "ranking_exposure")])
def test_the_teachers_interval_holds_what_the_whole_pool_says(formula, cast_of, asking, measure):
    samples, teacher = people_with_outcomes(4000), formula(own(0.15), "t")
    evidence = examine(
        Parity("sex", measure=measure, reference="male"),
        cast_of(teacher, teacher, known=samples.take(np.arange(400))),
        samples,
        asking,
    )
    name = f"{measure}_difference"
    teachers, counted = (evidence.row(name, "sex: female - male", of).value for of in ("teacher", "proxy"))
    assert counted.low == counted.high
    # about four standard errors: one choice of rows
    assert abs(teachers.value - counted.value) <= 2 * max(teachers.half, 1e-9)
    assert evidence.claims[0].text
    json.dumps(evidence.context, allow_nan=False)


def test_impact_ratio_leaves_out_the_unknown_and_the_small_and_says_so(formula, cast_of, asking):
    samples = people_with_outcomes(3000)
    race = samples.columns["race"].copy()
    race[(race == 2) & (np.arange(3000) > 60)] = 0
    samples = Samples(samples.domain, {**samples.columns, "race": race}, samples.ids, samples.origin, samples.labels)
    teacher = formula(lambda s: np.clip(s.columns["own"] - 0.3 * (s.columns["race"] == 1), 0, 1), "t")
    recipe = Parity("race", measure="impact_ratio", smallest=0.02)
    evidence = examine(recipe, cast_of(teacher, teacher), samples, asking)
    assert [c.group for c in evidence.claims] == ["race: Black - white"]
    assert evidence.claims[0].form == "at least"
    assert evidence.claims[0].margin == 0.8
    row = evidence.row("impact_ratio", "race: Black - white", "teacher")
    assert judge(row.value, "at least", 0.8).verdict is Verdict.FAILS
    told = " ".join(evidence.context["sentences"])
    assert "below 2% of all" in told
    assert "not known" in told


def test_intersections_are_groups(formula, cast_of, asking):
    samples, teacher = people_with_outcomes(3000), formula(own(0.2), "t")
    recipe = Parity(("sex", "race"), reference="male x white", groups=("female x Black",))
    evidence = examine(recipe, cast_of(teacher, teacher), samples, asking)
    assert evidence.claims[0].group == "sex x race: female x Black - male x white"
    label = teacher.answer(samples, set()).label
    sex, race = samples.columns["sex"], samples.columns["race"]
    gap = label[(sex == 0) & (race == 1)].mean() - label[(sex == 1) & (race == 0)].mean()
    row = evidence.row("selection_rate_difference", evidence.claims[0].group, "proxy")
    assert row.value.value == pytest.approx(gap)


def test_a_legitimate_factor_can_explain_a_gap(formula, cast_of, asking):
    samples = people_with_outcomes(6000)
    chance = np.random.default_rng(1)
    job = (chance.random(6000) < np.where(samples.columns["sex"] == 0, 0.2, 0.8)).astype(np.int32)
    samples = Samples(samples.domain, {**samples.columns, "job": job}, samples.ids, samples.origin, samples.labels)
    teacher = formula(lambda s: np.clip(s.columns["own"] * 0.7 + 0.3 * (s.columns["job"] == 1), 0, 1), "t")
    recipe = Parity("sex", reference="male", given="job")
    cast = cast_of(teacher, teacher, known=samples.take(np.arange(500)))
    alike = examine(recipe, cast, samples, asking)
    plain = examine(Parity("sex", reference="male"), cast, samples, asking)
    gaps = [e.row("selection_rate_difference", "sex: female - male", "proxy").value.value for e in (alike, plain)]
    label, sex = teacher.answer(samples, set()).label, samples.columns["sex"]
    by_hand = sum(
        (job == k).mean() * (label[(job == k) & (sex == 0)].mean() - label[(job == k) & (sex == 1)].mean())
        for k in (0, 1)
    )
    assert gaps[0] == pytest.approx(by_hand)
    assert abs(gaps[0]) < 0.05 < 0.15 < abs(gaps[1])
    row = alike.row("selection_rate_difference", "sex: female - male", "teacher")
    assert abs(row.value.value - by_hand) < 2 * row.value.half + 1e-9
    assert "job being alike" in alike.claims[0].text


def test_strata_that_lack_a_group_are_left_out_and_too_many_leave_it_undecided(formula, cast_of, asking):
    factor, left_out = conditional(np.array([0, 0, 1, 1, 0]), np.array([0, 1, 0, 0, 1]))
    assert left_out == pytest.approx(0.4)
    assert factor.tolist() == pytest.approx([3.0, 0.0, 1.0, 1.0, 0.0])
    samples = people_with_outcomes(1000)
    columns = {**samples.columns, "job": samples.columns["sex"].copy()}
    samples = Samples(samples.domain, columns, samples.ids, samples.origin, samples.labels)
    subject = formula(own())
    evidence = examine(Parity("sex", reference="male", given="job"), cast_of(subject, subject), samples, asking)
    row = evidence.row("selection_rate_difference", "sex: female - male", "teacher")
    assert "lack a group" in row.value.method
    assert row.asked == 0


def test_outcomes_that_are_missing_are_asked_for(formula, cast_of, asking):
    samples = people_with_outcomes(200)
    bare = Samples(samples.domain, samples.columns, samples.ids, samples.origin)
    with pytest.raises(InvalidInput, match="needs recorded outcomes"):
        examine(Parity("sex", measure="error_rate"), cast_of(formula(own()), formula(own())), bare, asking)


def test_rows_hang_on_what_was_known_and_not_on_the_proxy_under_judgement(formula, cast_of, asking):
    samples, teacher, lead = people_with_outcomes(3000), formula(own(0.2), "t"), formula(own(), "lead")
    known = samples.take(np.arange(2000, 3000))
    for other in (lead, formula(lambda s: 0.5 + 0 * s.columns["own"], "other")):
        examine(Parity("sex", questions=300), cast_of(teacher, other, covariate=lead, known=known), samples, asking)
    assert asking.rows(teacher) <= 300 + 1000


def test_exposure_is_shared_by_ties_and_asked_of_all_rows_or_of_none(formula, cast_of, asking):
    first, second, third = (1 / np.log2(1 + rank) for rank in (1, 2, 3))
    shown = exposure(np.array([0.2, 0.9, 0.2]), np.zeros(3))
    assert shown.tolist() == pytest.approx([(second + third) / 2, first, (second + third) / 2])
    samples, subject = people_with_outcomes(400), formula(own(0.2))
    for questions, known in ((400, True), (399, False)):
        recipe = Parity("sex", measure="ranking_exposure", reference="male", questions=questions)
        row = examine(recipe, cast_of(subject, subject), samples, asking).row(
            "ranking_exposure_difference", "sex: female - male", "teacher"
        )
        assert row.value.known is known
    assert "400 questions" in row.value.method


@pytest.mark.parametrize("gap", [0.0, 0.2])
def test_a_ratio_to_the_most_selected_group_needs_no_name(formula, cast_of, asking, gap):
    held, rows = [], 0
    for seed in range(30):
        samples = people_with_outcomes(1200, seed)
        teacher = formula(lambda s: np.clip(s.columns["own"] - gap * (s.columns["race"] == 1), 0, 1), "t")
        # a proxy that selects quite another group most
        proxy = formula(lambda s: np.where(s.columns["race"] == 1, 0.9, 0.4), "p")
        recipe = Parity("race", measure="impact_ratio", questions=600)
        evidence = recipe.examine(cast_of(teacher, proxy), samples, asking, rng(seed, "questions/pool"))
        yes, race = samples.columns["own"] - gap * (samples.columns["race"] == 1) > 0.5, samples.level("race")
        rates = {level: yes[race == level].mean() for level in ("white", "Black", "other")}
        for claim in evidence.claims:
            row = evidence.row("impact_ratio", claim.group, "teacher")
            other = claim.group.removeprefix("race: ").split(" - ")[0]
            held.append(row.value.low <= rates[other] / max(rates.values()) <= row.value.high)
            rows += row.value.high > 1
        shown = evidence.row("impact_ratio", evidence.claims[0].group, "proxy")
        assert shown.value.value <= 1
    # intervals of all pairs hold together, and so each of them more often than it says
    assert np.mean(held) > 0.95
    assert rows == 0
    assert any("are selected most" in told for told in evidence.context["sentences"])


def test_explained_variance_is_scikit_learns_and_undefined_where_nothing_varies(formula, cast_of, asking):
    from sklearn.metrics import r2_score

    samples = people_with_outcomes(900)
    subject = formula(own())
    evidence = examine(Parity("sex", measure="r_squared", questions=300), cast_of(subject, subject), samples, asking)
    for level in ("female", "male"):
        rows = samples.level("sex") == level
        true = r2_score(samples.labels[rows], samples.columns["own"][rows])
        assert evidence.row("r_squared", f"sex = {level}", "proxy").value.value == pytest.approx(true, abs=1e-12)
        teacher = evidence.row("r_squared", f"sex = {level}", "teacher").value
        assert teacher.low <= true <= teacher.high
    same = Samples(samples.domain, samples.columns, samples.ids, samples.origin, np.where(rows, 1, samples.labels))
    recipe = Parity("sex", measure="r_squared", reference="female")
    with pytest.raises(InvalidInput, match="needs a group to compare"):
        examine(recipe, cast_of(subject, subject), same, asking)
