"""Fidelity: every seat on the same rows, excess over a stranger, groups, contradictions, the worst slice."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from kdaudit.cast import Cast, Empty
from kdaudit.chance import rng
from kdaudit.compare.fidelities import CONTRADICTED, Fidelity
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.signal import LABEL, SCORE
from kdaudit.statistics.verdicts import judge


def scored(sex=0.0, school=0.0):
    def score(samples):
        z = (samples.columns["hours"] - 50) / 12 + sex * (samples.columns["sex"] == 0)
        return 1 / (1 + np.exp(-z - school * (samples.columns["school"] == 2)))

    return score


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/fidelity"))


def labels(subject, samples):
    return subject.answer(samples, {SCORE}).label


def test_agreement_stands_beside_stranger_and_twin(formula, people, cast_of, asking):
    samples = people(2000)
    teacher, proxy = formula(scored(-2), "t"), formula(scored(-1.5), "p")
    stranger, twin = formula(scored(1), "s"), formula(scored(-1.9), "twin")
    evidence = examine(Fidelity(), cast_of(teacher, proxy, stranger, twin), samples, asking)
    row = evidence.row("agreement", "all", "proxy")
    truth = labels(teacher, samples)
    for part, subject in ((row.value, proxy), (row.control, stranger), (row.ceiling, twin)):
        assert part.value == pytest.approx((labels(subject, samples) == truth).mean())
        assert part.low < part.value < part.high
        assert part.n == 2000
    assert row.excess.value == pytest.approx(row.value.value - row.control.value)
    # the same rows: far narrower than the difference of independent means
    assert row.excess.half < row.value.half + row.control.half
    claim = evidence.claims[0]
    assert (claim.form, claim.about) == ("above control", "proxy")
    assert judge(row.excess, claim.form, claim.margin).verdict is Verdict.HOLDS
    assert "more often than the proxy of one independent teacher" in claim.text
    assert asking.rows(teacher) == evidence.asked == 2000
    assert {r.measure for r in evidence.rows} == {"agreement", "kl", "brier"}


def test_a_proxy_of_outcomes_has_a_row_of_its_own_or_the_reason_why_not(formula, people, cast_of, asking):
    samples = people(800)
    seats = [formula(scored(shift), name) for shift, name in ((-2, "t"), (-1.5, "p"), (1, "s"), (3, "o"))]
    cast = replace(cast_of(*seats[:3]), untaught=seats[3])
    evidence = examine(Fidelity(), cast, samples, asking)
    plain = examine(Fidelity(), cast_of(*seats[:3]), samples, asking)
    assert [row for row in evidence.rows if row.measure != "agreement_beside_outcomes"] == list(plain.rows)
    row = evidence.row("agreement_beside_outcomes", "all", "proxy")
    truth = labels(seats[0], samples)
    assert row.control.value == pytest.approx((labels(seats[3], samples) == truth).mean())
    assert row.control_kind == "label_only"
    missing = examine(Fidelity(), replace(cast, untaught=Empty("there are no outcomes")), samples, asking)
    assert missing.row("agreement_beside_outcomes", "all", "proxy") is None
    told = "No proxy of recorded outcomes stands beside the proxy: there are no outcomes"
    assert told in missing.context["sentences"]


def test_a_stranger_as_near_as_the_proxy_leaves_nothing_to_claim(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1), "t"), formula(scored(0), "p"), formula(scored(0), "s"))
    evidence = examine(Fidelity(least=0.8), cast, people(1000), asking)
    row = evidence.row("agreement", "all", "proxy")
    assert judge(row.excess, "above control", 0.0).verdict is not Verdict.HOLDS
    assert evidence.claims[1].form == "at least"
    assert judge(row.value, "at least", 0.8).verdict is Verdict.HOLDS


def test_without_a_stranger_the_control_is_a_permutation(formula, people, cast_of, asking):
    evidence = examine(Fidelity(), cast_of(formula(scored(-1), "t"), formula(scored(0), "p")), people(1000), asking)
    row = evidence.row("agreement", "all", "proxy")
    assert row.control_kind == "permuted"
    assert 0.4 < row.control.value < 0.6
    assert row.no_ceiling == "there is no twin"
    assert "wrong rows" in evidence.claims[0].text


def test_groups_and_those_too_small(formula, people, cast_of, asking):
    samples = people(500)
    few = samples.take(
        np.r_[np.flatnonzero(samples.columns["sex"] == 1), np.flatnonzero(samples.columns["sex"] == 0)[:20]]
    )
    teacher, proxy = formula(scored(-2), "t"), formula(scored(), "p")
    evidence = examine(Fidelity(by=("sex", "age")), cast_of(teacher, proxy), few, asking)
    men = few.columns["sex"] == 1
    row = evidence.row("agreement", "sex = male", "proxy")
    assert row.value.value == pytest.approx((labels(teacher, few) == labels(proxy, few))[men].mean())
    women = evidence.row("agreement", "sex = female", "proxy")
    assert not women.value.known
    assert women.value.method == "20 rows; at least 50 are needed"
    assert sum(r.group.startswith("age ") for r in evidence.rows) == 4


def test_agreement_where_the_teacher_contradicts_outcomes(formula, people, cast_of, asking):
    samples = people(1500)
    teacher, proxy = formula(scored(-2), "t"), formula(scored(), "p")
    outcome = labels(formula(scored()), samples)
    with_labels = replace(samples, labels=outcome)
    evidence = examine(Fidelity(), cast_of(teacher, proxy, formula(scored(-2), "s")), with_labels, asking)
    row = evidence.row("agreement", CONTRADICTED, "proxy")
    assert row.value.value == 0
    assert row.control.value == 1
    assert row.value.n == (labels(teacher, samples) != outcome).sum()


def test_the_worst_slice_is_reported_on_rows_that_did_not_find_it(formula, people, cast_of, asking):
    samples = people(4000)
    teacher, proxy = formula(scored(school=3), "t"), formula(scored(), "p")
    evidence = examine(Fidelity(), cast_of(teacher, proxy, formula(scored(), "s")), samples, asking)
    found = evidence.context["worst_slice"]
    row = evidence.row("agreement", f"worst slice: {found['group']}", "proxy")
    assert "school = high" in found["group"]
    assert row.value.n + found["found_n"] <= (samples.columns["school"] == 2).sum()
    assert row.control.known
    assert row.value.value < evidence.row("agreement", "all", "proxy").value.value


def test_subjects_of_labels_leave_scores_unknown_not_crashed(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1), "t", offers=(LABEL,)), formula(scored(), "p"))
    evidence = examine(Fidelity(), cast, people(500), asking)
    assert evidence.row("agreement", "all", "proxy").value.known
    row = evidence.row("kl", "all", "proxy")
    assert not row.value.known
    assert "labels only" in row.value.method


def test_failed_rows_are_left_out_and_counted(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1), "t", failed=set(range(30))), formula(scored(), "p"))
    evidence = examine(Fidelity(), cast, people(500), asking)
    assert evidence.row("agreement", "all", "proxy").value.n == 470
    assert evidence.context["failed"] == 30


def test_rows_count_by_their_sampling_weights(formula, people, cast_of, asking):
    samples = people(1200)
    # the proxy errs on women most, and women are rare among the rows, but not where these come from
    heavy = np.where(samples.columns["sex"] == 0, 6.0, 1.0)
    weighed = replace(samples, weights=heavy)
    teacher, proxy = formula(scored(-2), "t"), formula(scored(-1.5), "p")
    several = replace(
        cast_of(teacher, proxy, formula(scored(1), "s")), further=(formula(scored(0.5), "s2"), formula(scored(0), "s3"))
    )
    for cast in (cast_of(teacher, proxy, formula(scored(1), "s")), several):
        evidence = examine(Fidelity(by=("school",)), cast, weighed, asking)
        row = evidence.row("agreement", "all", "proxy")
        truth = labels(teacher, samples)
        strangers = [cast.stranger, *cast.further]
        shares = [np.average(labels(one, samples) == truth, weights=heavy) for one in (proxy, *strangers)]
        assert row.value.value == pytest.approx(shares[0])
        assert row.control.value == pytest.approx(np.mean(shares[1:]))
        assert row.excess.value == pytest.approx(shares[0] - np.mean(shares[1:]))
        assert row.excess.low < row.excess.value < row.excess.high
        plain = examine(Fidelity(by=("school",)), cast, samples, asking).row("agreement", "all", "proxy")
        assert row.value.half > plain.value.half
        middle = samples.columns["school"] == 1
        group = next(r for r in evidence.rows if r.group == "school = middle")
        agrees = (labels(proxy, samples) == truth)[middle]
        assert group.value.value == pytest.approx(np.average(agrees, weights=heavy[middle]))
        assert any("by their sampling weights" in sentence for sentence in evidence.context["sentences"])


def test_weights_that_are_all_alike_change_nothing(formula, people, cast_of, asking):
    samples = people(300)
    cast = cast_of(formula(scored(-2), "t"), formula(scored(-1.5), "p"), formula(scored(1), "s"))
    plain = examine(Fidelity(), cast, samples, asking)
    alike = examine(Fidelity(), cast, replace(samples, weights=np.full(300, 2.5)), asking)
    assert alike.table.equals(plain.table) and alike.context == plain.context
    for wrong in (np.full(300, -1.0), np.zeros(300), np.full(300, np.nan)):
        with pytest.raises(InvalidInput, match="sampling weights"):
            examine(Fidelity(), cast, replace(samples, weights=wrong), asking)


def test_several_classes(formula, people, cast_of, asking):
    def three(shift):
        def score(samples):
            z = np.stack(
                [samples.columns["hours"] / 30, samples.columns["sex"] + shift, samples.columns["age"] / 40], 1
            )
            share = np.exp(z)
            return share / share.sum(axis=1, keepdims=True)

        return score

    subjects = [formula(three(x), str(x)) for x in (0.0, 0.2, 0.9)]
    for subject in subjects:
        subject.outputs = ("a", "b", "c")
    evidence = examine(Fidelity(), cast_of(*subjects), people(800), asking)
    assert evidence.row("kl", "all", "proxy").excess.high < 0
    assert evidence.row("agreement", "all", "proxy").value.known


def test_two_runs_give_the_same_evidence(formula, people, cast_of, asking):
    cast = cast_of(formula(scored(-1), "t"), formula(scored(), "p"))
    assert isinstance(cast, Cast)
    a, b = (examine(Fidelity(by=("school",)), cast, people(600), asking) for _ in range(2))
    assert a.table.equals(b.table)
    assert json.dumps(a.context, sort_keys=True, allow_nan=False) == json.dumps(b.context, sort_keys=True)


def test_unknown_measures_and_margins_are_refused():
    with pytest.raises(InvalidInput, match="measures are"):
        Fidelity(measures=("accuracy",))
    with pytest.raises(InvalidInput, match="least"):
        Fidelity(least=0.0)
