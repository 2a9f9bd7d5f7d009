import math
from dataclasses import replace

import numpy as np
import pytest

from kdaudit.cast import Cast, Empty
from kdaudit.evidence import Evidence
from kdaudit.measure import Measure
from kdaudit.signal import LABEL
from kdaudit.statistics.beside import ALONE, beside, beside_groups, evidence_rows, hear, scored, summary
from kdaudit.statistics.rates import mean, wilson
from kdaudit.statistics.strangers import control_over, excess_over


def same(a, b):
    return np.where(a.answered & b.answered, a.label == b.label, np.nan).astype(float)


def distance(a, b):
    return np.abs(a.score - b.score)[:, 0]


AGREEMENT = Measure("agreement", same, "percent", (0.0, 1.0), "high", "same decision", "-", "Same decision")
DISTANCE = Measure("distance", distance, "", (0.0, math.inf), "low", "distance of scores", "-")
N = 400


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    teacher = rng.random(N)
    return {
        name: np.where(rng.random(N) < share, 1 - teacher, teacher)
        for name, share in {"teacher": 0, "proxy": 0.06, "stranger": 0.15, "twin": 0.03}.items()
    }


@pytest.fixture
def cast(scores, table):
    seats = {name: table(name, values) for name, values in scores.items()}
    return Cast(**seats, control_kind="strangers_proxy")


def test_all_seats_are_scored_on_the_same_rows(cast, samples, ask, scores):
    got = beside(AGREEMENT, cast, samples, ask)
    agree = {name: (scores[name] > 0.5) == (scores["teacher"] > 0.5) for name in scores}
    for part, name in ((got.value, "proxy"), (got.control, "stranger"), (got.ceiling, "twin")):
        assert part == wilson(int(agree[name].sum()), N)
    assert got.excess.value == pytest.approx((agree["proxy"] * 1.0 - agree["stranger"]).mean())
    assert got.excess.half < math.hypot(got.value.half, got.control.half) * 1.2
    assert (got.control_kind, got.rows, got.failed, got.asked) == ("strangers_proxy", N, 0, N)
    assert sorted(ask.asked) == sorted((name, N) for name in scores)


def test_chosen_rows_alone_are_asked(cast, samples, ask):
    got = beside(AGREEMENT, cast, samples, ask, rows=np.arange(N) < 50)
    assert got.value.n == got.asked == 50
    assert {n for _, n in ask.asked} == {50}
    assert got == beside(AGREEMENT, cast, samples, ask, rows=np.arange(50))


def test_empty_seats_give_their_reasons(cast, samples, ask):
    lonely = replace(cast, stranger=Empty("no other teacher"), twin=Empty("it cannot be trained again"))
    got = beside(AGREEMENT, lonely, samples, ask)
    assert (got.control, got.excess, got.ceiling, got.control_kind) == (None, None, None, "none")
    assert (got.no_control, got.no_ceiling) == ("no other teacher", "it cannot be trained again")
    row = evidence_rows([got])[0]
    assert row.no_control == "no other teacher"


def test_an_empty_strangers_seat_can_be_taken_by_chance(cast, samples, ask):
    lonely = replace(cast, stranger=Empty("no other teacher"))
    got = summary(AGREEMENT, scored(AGREEMENT, hear(lonely, samples, ask, rng=np.random.default_rng(0))))
    assert got.control_kind == "permuted"
    assert got.control.value == pytest.approx(0.5, abs=0.08)


def test_a_swapped_teacher_is_scored_against_the_proxy(cast, samples, ask, scores):
    got = beside(AGREEMENT, replace(cast, control_kind="swapped_teacher"), samples, ask)
    assert got.control.value == ((scores["stranger"] > 0.5) == (scores["proxy"] > 0.5)).mean()


def test_failed_rows_are_left_out_and_counted(cast, samples, ask, scores, table):
    some = replace(cast, proxy=table("proxy", scores["proxy"], failing=frozenset(range(40))))
    got = beside(AGREEMENT, some, samples, ask)
    assert (got.value.n, got.excess.n, got.control.n, got.failed) == (360, 360, 400, 40)


def test_nothing_is_concluded_where_a_fifth_failed(cast, samples, ask, scores, table):
    broken = frozenset(range(81))
    got = beside(AGREEMENT, replace(cast, proxy=table("proxy", scores["proxy"], failing=broken)), samples, ask)
    assert not got.value.known
    assert got.value.method == "81 of 400 rows have no value, more than 20 %"
    assert got.excess is None
    assert got.control.known
    got = beside(AGREEMENT, replace(cast, stranger=table("stranger", scores["stranger"], failing=broken)), samples, ask)
    assert got.value.known
    assert got.control is got.excess is None
    assert "81 of 400" in got.no_control
    halves = frozenset(range(60)), frozenset(range(60, 120))
    seats = {name: table(name, scores[name], failing=f) for name, f in zip(("proxy", "stranger"), halves, strict=True)}
    got = beside(AGREEMENT, replace(cast, **seats), samples, ask)
    assert got.value.known
    assert "120 of 400 rows lack value or control" in got.excess.method


def test_a_subject_of_labels_has_no_distance_of_scores(cast, samples, ask, scores, table):
    mute = replace(cast, stranger=table("stranger", scores["stranger"], offers=frozenset({LABEL})))
    got = beside(DISTANCE, mute, samples, ask)
    assert got.value.known
    assert "labels only" in got.no_control
    assert beside(AGREEMENT, mute, samples, ask).control.known


def test_groups_are_cut_from_what_was_asked_once(cast, samples, ask, scores):
    groups = {"low": np.arange(N) < 100, "high": np.arange(300, N)}
    low, high = beside_groups(AGREEMENT, cast, samples, ask, groups)
    assert len(ask.asked) == 4
    agree = (scores["proxy"] > 0.5) == (scores["teacher"] > 0.5)
    assert low.value.value == agree[:100].mean()
    assert high.value.value == agree[300:].mean()
    assert (low.group, low.rows, high.asked) == ("low", 100, 100)


def test_copies_are_asked_once_unless_answers_go_by_id(cast, samples, ask, scores, table):
    twice = samples.take(np.repeat(np.arange(N), 2))
    assert beside(AGREEMENT, cast, twice, ask).asked == N
    twice = replace(twice, ids=np.arange(2 * N), _keys=[])
    by_id = replace(cast, teacher=table("teacher", scores["teacher"], by="id"))
    assert beside(AGREEMENT, by_id, twice, ask).asked == 2 * N


def test_rows_make_evidence(cast, samples, ask):
    items = [beside(AGREEMENT, cast, samples, ask), beside(DISTANCE, cast, samples, ask)]
    evidence = Evidence("compare/fidelity", "How alike?", evidence_rows(items))
    row = evidence.row("agreement", "all", "proxy")
    assert (row.value, row.control, row.unit, row.title) == (
        items[0].value,
        items[0].control,
        "percent",
        "Same decision",
    )
    assert (row.low_end, row.high_end) == (0.0, 1.0)
    other = evidence.row("distance", "all", "proxy")
    assert other.high_end == max(items[1].value.high, items[1].control.high, items[1].ceiling.high)
    assert evidence.table.shape[0] == 2
    assert evidence.asked == N


def test_a_subject_beside_itself_is_not_certain(cast, samples, ask):
    itself = replace(cast, proxy=cast.teacher, stranger=cast.teacher)
    got = beside(AGREEMENT, itself, samples, ask)
    assert got.value.value == 1 > got.value.low
    assert got.excess.low < 0 < got.excess.high
    endless = beside(DISTANCE, itself, samples, ask)
    assert "all 400 values are equal" in endless.value.method
    assert evidence_rows([endless])[0].value.n == 400


def test_a_mean_of_distances_is_students(cast, samples, ask, scores):
    got = beside(DISTANCE, cast, samples, ask)
    expected = mean(np.abs(scores["teacher"] - scores["proxy"]), span=(0, math.inf))
    assert got.value == expected
    assert got.excess.method == f"Student t, paired; {ALONE}"


def test_several_strangers_give_a_mean_control_and_an_excess_over_their_spread(cast, samples, ask, scores, table):
    rng = np.random.default_rng(5)
    noise = [np.clip(scores["stranger"] + shift + rng.normal(0, 0.05, N), 0, 1) for shift in (-0.1, 0.1)]
    more = tuple(table(f"stranger {at}", values) for at, values in enumerate(noise))
    got = beside(AGREEMENT, replace(cast, further=more), samples, ask)
    same = [((one > 0.5) == (scores["teacher"] > 0.5)) * 1.0 for one in (scores["stranger"], *noise)]
    ours = ((scores["proxy"] > 0.5) == (scores["teacher"] > 0.5)) * 1.0
    assert got.strangers == 3
    assert got.control.value == pytest.approx(np.mean(same))
    assert got.excess.value == pytest.approx(ours.mean() - np.mean(same))
    assert got.control.low < got.control.value < got.control.high <= 1.0
    assert (got.excess, got.control) == (
        excess_over(ours, np.stack(same), span=(0.0, 1.0))[0],
        control_over(np.stack(same), span=(0.0, 1.0)),
    )
    rows = evidence_rows([got])
    assert rows[0].strangers == 3
    alone = beside(AGREEMENT, cast, samples, ask)
    assert alone.strangers == 1
    assert ALONE in alone.excess.method
    assert beside(AGREEMENT, replace(cast, stranger=Empty("none")), samples, ask).strangers == 0
