"""Corruption: turns of the teacher's decisions, counted by hand, with verdict and transfer."""

import json

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput
from kdaudit.finding import Transfer, Verdict
from kdaudit.probe.corruptions import MEASURE, Corrupted
from kdaudit.statistics.verdicts import judge, transfer


def by(field, line):
    return lambda samples: np.where(np.nan_to_num(samples.columns[field], nan=-1.0) > line, 0.9, 0.1)


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/pool"))


def told(evidence, group):
    (claim,) = [c for c in evidence.claims if c.group == group]
    three = [evidence.row(MEASURE, group, of).value for of in ("teacher", "proxy", "teacher-proxy")]
    verdict = judge(three[0], claim.form, claim.margin).verdict
    return verdict, transfer(*three, claim.form, claim.margin, verdict).transfer, three[0]


def test_a_field_that_matters_turns_decisions_when_it_is_missing(formula, people, cast_of, asking):
    samples = people(2000)
    teacher, proxy = formula(by("hours", 30), "t"), formula(by("hours", 32), "p")
    recipe = Corrupted(kinds=("missing",), questions=2000)
    found = examine(recipe, cast_of(teacher, proxy, formula(by("age", 60), "s")), samples, asking)
    assert len(found.claims) == 4
    verdict, carried, interval = told(found, "hours missing")
    assert (verdict, carried) == (Verdict.FAILS, Transfer.CARRIED)
    # by hand: missing hours become the median, which lies above the line
    assert interval.low <= (samples.columns["hours"] <= 30).mean() <= interval.high
    assert told(found, "age missing")[:2] == (Verdict.HOLDS, Transfer.ABSENT)
    assert asking.rows(teacher) <= recipe.price(samples) <= 2000
    row = found.row(MEASURE, "hours missing", "proxy")
    assert row.control.value == 0
    assert row.excess.value == row.value.value
    json.dumps(found.context, allow_nan=False)


def test_what_the_proxy_does_not_show_is_masked_and_the_reverse_invented(formula, people, cast_of, asking):
    samples = people(2000)
    t, p = formula(by("hours", 30), "t"), formula(by("age", 40), "p")
    found = examine(Corrupted(kinds=("missing",), questions=2500), cast_of(t, p), samples, asking)
    assert told(found, "hours missing")[:2] == (Verdict.FAILS, Transfer.MASKED)
    assert told(found, "age missing")[:2] == (Verdict.HOLDS, Transfer.INVENTED)


def test_a_good_proxy_narrows_the_teachers_interval(formula, people, cast_of, asking):
    samples = people(4000)
    teacher = formula(by("hours", 30), "t")
    recipe = Corrupted(kinds=("noise",), strength=0.5, questions=800)
    good, bad = (
        told(examine(recipe, cast_of(teacher, formula(one, "p")), samples, asking), "noise 0.5")[2]
        for one in (by("hours", 30.5), by("age", 90))
    )
    assert good.half < 0.7 * bad.half


def test_records_are_not_asked(formula, people, cast_of, asking):
    record = formula(by("hours", 30), "r", by="id")
    found = examine(Corrupted(), cast_of(record, formula(by("hours", 30), "p")), people(100), asking)
    assert asking.rows(record) == 0
    assert all(not found.row(MEASURE, c.group, "teacher").value.known for c in found.claims)


@pytest.mark.parametrize("bad", [{"margin": 0}, {"strength": 0}, {"kinds": ("fog",)}])
def test_what_cannot_be_asked_is_refused(bad):
    with pytest.raises(InvalidInput):
        Corrupted(**bad)
