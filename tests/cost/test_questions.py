"""The question of cost: what it says, claims and leaves open."""

import numpy as np
import pytest

from kdaudit.auditing.conclude import conclude
from kdaudit.cost.questions import FEWER, Cost
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.rules import Rule, Rules, Test

TREE = Rules("tree", (Rule((Test("age", above=50),), (0.8,)), Rule((Test("age", below=50),), (0.1,))), ("above",))


def examine(recipe, cast, samples):
    def never(*_):
        raise AssertionError("cost asks nothing")

    return recipe.examine(cast, samples, never, np.random.default_rng(0))


def verdicts(recipe, cast, samples):
    return [f.verdict for f in conclude(examine(recipe, cast, samples), stem="s", repeat="r")]


def test_limits_are_decided_by_counting(rows, network, cast_of):
    cast, samples = cast_of(network((64, 32)), network((8,))), rows(40)
    teacher, proxy = 4 * 64 + 64 * 32 + 32, 4 * 8 + 8
    evidence = examine(Cost(), cast, samples)
    assert evidence.row("operations", "all", "teacher").value.value == 2 * teacher
    assert evidence.row("operations", "all", "proxy").value.value == 2 * proxy
    assert evidence.row(FEWER, "all", "proxy").value.value == pytest.approx(teacher / proxy)
    assert not evidence.claims and evidence.asked == 0
    tight = Cost(parameters=48, operations=80, stored_bytes=195, fewer=58)
    assert verdicts(tight, cast, samples) == [Verdict.FAILS, Verdict.HOLDS, Verdict.FAILS, Verdict.HOLDS]
    loose = Cost(parameters=49, operations=79, stored_bytes=196, fewer=59)
    assert verdicts(loose, cast, samples) == [Verdict.HOLDS, Verdict.FAILS, Verdict.HOLDS, Verdict.FAILS]


def test_a_closed_teacher_leaves_the_comparison_open(rows, network, ruled, cast_of):
    cast = cast_of(ruled(None, "closed"), network())
    evidence = examine(Cost(fewer=4, parameters=100), cast, rows(40))
    assert evidence.row("operations", "all", "teacher") is None
    found = conclude(evidence, stem="s", repeat="r")
    assert [f.verdict for f in found] == [Verdict.HOLDS, Verdict.UNDECIDED]
    assert "closed shows no body" in found[1].reason + found[1].sentence


def test_rules_are_compared_by_comparisons(rows, network, ruled, cast_of):
    evidence = examine(Cost(fewer=10), cast_of(network((64,)), ruled(TREE)), rows(40))
    assert evidence.row("operations", "all", "proxy").value.value == 1
    assert evidence.context["operation"] == "comparisons"
    assert evidence.row("multiply-adds", "all", "proxy") is None


def test_the_same_bodies_give_the_same_evidence(rows, network, cast_of):
    made = [examine(Cost(parameters=5), cast_of(network((9,)), network((8,))), rows(40)) for _ in range(2)]
    assert made[0].rows == made[1].rows and made[0].context == made[1].context


@pytest.mark.parametrize("keys", [{"parameters": 0}, {"fewer": -1.0}, {"operations": 0}, {"stored_bytes": -5}])
def test_limits_are_above_nothing(keys):
    with pytest.raises(InvalidInput, match="above 0"):
        Cost(**keys)


def test_what_is_measured_enters_where_a_plan_names_it(rows, network, ruled, cast_of, monkeypatch):
    cast, samples = cast_of(network((64,)), network((8,))), rows(40)
    assert not any("latency" in row.measure for row in examine(Cost(), cast, samples).rows)
    evidence = examine(Cost(latency=1e4, measure=("energy",)), cast, samples)
    assert "machine that made this run" in evidence.context["sentences"][0]
    (claim,) = evidence.claims
    assert claim.measure == "latency p50" and claim.text.endswith("at most 10,000 ms a row")
    for of in ("proxy", "teacher"):
        p50, energy = (evidence.row(name, "all", of) for name in ("latency p50", "energy"))
        assert p50.unit == "ms" and (not p50.value.known or 0 < p50.value.low <= p50.value.high)
        assert energy.value.known and ("an estimate" in energy.title) == energy.value.method.startswith("an estimate")
    closed = examine(Cost(measure=("energy",)), cast_of(ruled(None, "closed"), network()), samples)
    assert "shows no body" in closed.row("energy", "all", "teacher").value.method


def test_a_busy_machine_leaves_the_claim_undecided(rows, network, cast_of, monkeypatch):
    from kdaudit.cost import measured
    from kdaudit.cost.latency import Latency
    from kdaudit.interval import unknown

    nothing = unknown("the machine is too busy to tell")
    monkeypatch.setattr(measured, "settled", lambda call: Latency(nothing, nothing, nothing, 1.0, 2000))
    (found,) = conclude(examine(Cost(latency=1.0), cast_of(network(), network((8,))), rows(9)), stem="s", repeat="r")
    assert found.verdict is Verdict.UNDECIDED and "too busy" in found.reason + found.sentence
