"""Slices: a planted subgroup is found by the proxy and confirmed on other rows of the teacher."""

import json

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.probe.slices import Slices
from kdaudit.samples import Samples
from kdaudit.statistics.verdicts import judge


def with_outcomes(samples, seed=0):
    labels = (samples.columns["hours"] > 50).astype(np.int64)
    return Samples(samples.domain, samples.columns, samples.ids, samples.origin, labels)


def wrong_in(share, seed):
    """A scorer that is right but for women of high school, of whom it gets `share` wrong."""

    def score(samples):
        chance = np.abs(np.sin(samples.columns["hours"] * 977.0 + seed))
        inside = (samples.columns["sex"] == 0) & (samples.columns["school"] == 2)
        turned = chance < np.where(inside, share, 0.05)
        return np.where((samples.columns["hours"] > 50) ^ turned, 0.9, 0.1)

    return score


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/pool"))


def test_a_planted_subgroup_is_found_and_confirmed(formula, people, cast_of, asking):
    samples = with_outcomes(people(6000))
    teacher, proxy = formula(wrong_in(0.5, 1), "t"), formula(wrong_in(0.4, 2), "p")
    evidence = examine(Slices(most=1, questions=900), cast_of(teacher, proxy), samples, asking)
    (claim,) = evidence.claims
    assert "sex = female" in claim.group
    assert "school = high" in claim.group
    row = evidence.row(claim.measure, claim.group, "teacher")
    assert judge(row.value, claim.form, claim.margin).verdict is Verdict.FAILS
    label, inside = (
        teacher.answer(samples, set()).label,
        (samples.columns["sex"] == 0) & (samples.columns["school"] == 2),
    )
    wrong = label != samples.labels
    assert row.value.value == pytest.approx(wrong[inside].mean() - wrong[~inside].mean(), abs=0.05)
    assert asking.rows(teacher) <= 900
    told = " ".join(evidence.context["sentences"])
    assert "subgroups were looked at" in told
    json.dumps(evidence.context, allow_nan=False)


def test_what_the_proxy_invents_is_not_confirmed(formula, people, cast_of, asking):
    samples = with_outcomes(people(6000))
    teacher, proxy = formula(wrong_in(0.05, 1), "t"), formula(wrong_in(0.4, 2), "p")
    evidence = examine(Slices(most=1, questions=1500), cast_of(teacher, proxy), samples, asking)
    (claim,) = evidence.claims
    row = evidence.row(claim.measure, claim.group, "teacher")
    assert judge(row.value, claim.form, claim.margin).verdict is not Verdict.FAILS
    assert judge(evidence.row(claim.measure, claim.group, "proxy").value, claim.form, 0.05).verdict is Verdict.FAILS


def test_the_search_is_the_same_for_every_proxy(formula, people, cast_of, asking):
    samples, teacher, lead = with_outcomes(people(2000)), formula(wrong_in(0.5, 1), "t"), formula(wrong_in(0.4, 2), "l")
    other = formula(wrong_in(0.0, 3), "o")
    a, b = (examine(Slices(), cast_of(teacher, p, covariate=lead), samples, asking) for p in (lead, other))
    assert [c.group for c in a.claims] == [c.group for c in b.claims]
    for first, second in zip(a.rows, b.rows, strict=True):
        if first.of == "teacher":
            assert first.value == second.value


def test_outcomes_are_needed_for_errors_and_fields_must_be_there(formula, people, cast_of, asking):
    cast = cast_of(formula(wrong_in(0, 1)), formula(wrong_in(0, 2), "p"))
    with pytest.raises(InvalidInput, match="needs recorded outcomes"):
        examine(Slices(), cast, people(200), asking)
    with pytest.raises(InvalidInput, match="no field 'town'"):
        examine(Slices(fields=("town",)), cast, with_outcomes(people(200)), asking)
    with pytest.raises(InvalidInput, match="margin"):
        Slices(margin=0)
