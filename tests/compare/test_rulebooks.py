"""The rulebook: each rule's rows, the teacher's rate in them, in the order of the rules."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.compare.rulebooks import Rulebook
from kdaudit.rules import Rule, Rules, Test
from kdaudit.statistics.rates import wilson

OLD, YOUNG = Test("age", above=50), Test("age", below=50)
TREE = Rules(
    "tree",
    (
        Rule((OLD, Test("sex", levels=("female",))), (0.8,), 5),
        Rule((OLD, Test("sex", levels=("male",))), (0.3,), 6),
        Rule((YOUNG,), (0.1,), 7),
    ),
    ("above",),
)


def ruled(formula, rules=TREE):
    proxy = formula(lambda s: rules.evaluate(s), "tree")
    proxy.form = rules
    return proxy


def teacher_of(formula):
    return formula(lambda s: 0.9 * (s.columns["age"] > 40) * (s.columns["hours"] > 30), "t")


def examine(cast, samples, asking):
    return Rulebook().examine(cast, samples, asking, rng(0, "x"))


def test_each_rule_has_the_teachers_rate_among_its_rows(formula, people, cast_of, asking):
    samples = people(900)
    teacher = teacher_of(formula)
    evidence = examine(cast_of(teacher, ruled(formula)), samples, asking)
    yes = (samples.columns["age"] > 40) & (samples.columns["hours"] > 30)
    old, female = samples.columns["age"] > 50, samples.columns["sex"] == 0
    rates = [row for row in evidence.rows if row.measure == "rate_of_yes"]
    for row, inside in zip(rates, (old & female, old & ~female, ~old), strict=True):
        expected = wilson(int(yes[inside].sum()), int(inside.sum()))
        assert (row.value.value, row.value.low, row.value.high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )
        assert row.value.n == inside.sum()
        assert row.control.value == pytest.approx(yes.mean())
        assert row.excess.value == pytest.approx(yes[inside].mean() - yes.mean())
    assert evidence.rows[0].group == "rule 1: age at least 51 and sex is female"
    precision = [row for row in evidence.rows if row.measure == "precision"]
    assert precision[0].value.value == pytest.approx(yes[old & female].mean())
    coverage = [row.value for row in evidence.rows if row.measure == "coverage"]
    expected = wilson(int((old & female).sum()), 900)
    assert (coverage[0].low, coverage[0].high) == pytest.approx((expected.low, expected.high))
    assert sum(value.value for value in coverage) == pytest.approx(1.0)
    assert [e["decision"] for e in evidence.context["rules"]] == [1, 0, 0]
    assert evidence.context["rules"][0]["agreement"]["value"] == pytest.approx(yes[old & female].mean())
    assert np.array_equal(evidence.arrays["rule"], TREE.which(samples))
    assert evidence.shows == "rules"
    assert not evidence.claims
    json.dumps(evidence.context, allow_nan=False)


def test_a_rule_without_rows_is_unknown_and_still_listed(formula, people, cast_of, asking):
    rules = Rules("list", (Rule((Test("age", above=95),), (0.9,), 1), Rule((), (0.2,), 9)), ("above",))
    evidence = examine(cast_of(teacher_of(formula), ruled(formula, rules)), people(200), asking)
    assert len([row for row in evidence.rows if row.group.startswith("rule")]) == 6
    assert not evidence.rows[0].value.known
    assert evidence.rows[0].value.n == 0
    assert evidence.context["rules"][0]["decision"] is None
    assert evidence.rows[3].group == "rule 2: every other row"
    json.dumps(evidence.context, allow_nan=False)


def test_a_proxy_of_another_form_has_a_reason_instead(formula, people, cast_of, asking):
    evidence = examine(cast_of(teacher_of(formula), formula(lambda s: 0.5 + 0 * s.ids, "p")), people(50), asking)
    assert evidence.rows == ()
    assert "no tree" in evidence.context["reason"]
    assert not asking.seen
