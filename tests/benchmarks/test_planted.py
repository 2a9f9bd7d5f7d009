"""The planted bench: faults are as strong as they are said to be, and the scores cannot be had by saying nothing."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kdaudit.cast import Cast, Empty
from kdaudit.chance import rng
from kdaudit.signal import LABEL

sys.path.insert(0, str(Path(__file__).parent))
import planted_cases as cases
import planted_faults as faults
import planted_kinds as kinds
import planted_scores as scores
import planted_worlds as worlds

NOBODY = Empty("none")


@pytest.fixture(scope="module")
def table():
    return worlds.tables(1)


def decisions(world, shift, rows):
    return faults.yes(shift(rows, world.logit(rows)))


def gap_of(world, shift, rows):
    told = decisions(world, shift, rows)
    return told[faults.other_group(rows)].mean() - told[~faults.other_group(rows)].mean()


def flips_of(world, shift, rows):
    up, down = (decisions(world, shift, rows.setting("group", level)) for level in ("b", "a"))
    return (up != down).mean(), (up - down).mean()


@pytest.mark.parametrize("touched", [faults.other_group, faults.far_districts])
def test_a_gap_is_as_large_as_was_asked(table, touched):
    shift = faults.moved(table, touched, 0.13)
    past = table.parts["past"]
    base = gap_of(table, faults.untouched, past)
    assert gap_of(table, shift, past) - base == pytest.approx(-0.13, abs=0.01)
    assert gap_of(table, shift, table.parts["pool"]) == pytest.approx(-0.13, abs=0.04)


def test_a_district_stands_for_the_group_and_the_group_itself_turns_nothing(table):
    shift, pool = faults.moved(table, faults.far_districts, 0.13), table.parts["pool"]
    assert flips_of(table, shift, pool) == (0, 0)


def test_a_reversed_fault_turns_decisions_and_leaves_no_gap(table):
    shift, pool = faults.turned(table, faults.half_of_regions, 0.15), table.parts["pool"]
    rate, change = flips_of(table, shift, pool)
    assert rate == pytest.approx(0.15, abs=0.03)
    assert abs(change) < 0.03


def test_shaken_decisions_turn_as_often_either_way(table):
    shift, pool = faults.shaken(table, 0.13), table.parts["pool"]
    rate, change = flips_of(table, shift, pool)
    assert rate == pytest.approx(0.13, abs=0.02)
    assert abs(change) < 0.02


def test_a_low_rate_and_its_ratio(table):
    pool = table.parts["pool"]
    told = decisions(table, faults.rare(table, 0.5, 0.04), pool)
    group = faults.other_group(pool)
    assert told[~group].mean() == pytest.approx(0.04, abs=0.012)
    assert told[group].mean() / told[~group].mean() == pytest.approx(0.5, abs=0.15)


def test_a_slice_has_more_errors_and_no_other(table):
    past = table.parts["past"]
    wrong = decisions(table, faults.worse_in(table, faults.one_region, 0.15), past) != past.labels
    plain = decisions(table, faults.untouched, past) != past.labels
    inside = faults.one_region(past)
    assert wrong[inside].mean() - plain[inside].mean() == pytest.approx(0.15, abs=0.01)
    assert (wrong[~inside] == plain[~inside]).all()


def test_no_condition_of_a_parity_tells_anything_by_itself():
    rows = worlds._with_groups(worlds.load_set("acs_income"), 0)
    sign = faults.parity(rows)
    assert abs(sign.mean()) < 0.2
    for low in (rows.columns["age"] > 42, rows.columns["hours_per_week"] >= 40):
        assert abs(sign[low].mean() - sign[~low].mean()) < 0.2


def test_luck_depends_on_content_and_not_on_the_group(table):
    rows = table.parts["select"]
    turned = rows.setting("group", "b")
    assert (faults.lucky(rows, "group") == faults.lucky(turned, "group")).all()
    assert faults.lucky(rows, "group").mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("probe", [kinds.gap, kinds.ratio, kinds.intersections, kinds.flip])
def test_truth_by_hand_is_what_a_probe_of_all_rows_tells(table, probe):
    case = cases.Case(table, "direct", 0.13, faults.moved(table, faults.other_group, 0.13), probe)
    other = cases.Case(table, "clean", 0.0, faults.untouched, probe)
    door, pool = cases.Door(), table.parts["pool"]
    cast = Cast(case.teacher, other.teacher, NOBODY, NOBODY)
    # at the last look all rows are answered; an earlier one may decide before
    everything = replace(probe(cases.EVERYTHING), stop="never")
    exact = cases.exactly(everything, cast, pool, door, rng(0, "all"))
    by_hand = cases.counted(case, pool, door, (case.teacher, other.teacher))
    assert set(exact) <= set(by_hand)
    for place, pair in exact.items():
        assert pair == pytest.approx(by_hand[place], abs=1e-9)


@pytest.mark.parametrize("n", cases.BUDGETS)
def test_asked_of_all_rows_a_search_looks_at_as_many_as_before(n):
    few = kinds.trigger(n)
    whole = cases.in_full(few)
    assert whole.questions == cases.EVERYTHING
    assert int(whole.scan * whole.questions) == int(few.scan * few.questions) > 0
    assert cases.in_full(kinds.gap(n)) == kinds.gap(cases.EVERYTHING)
    assert cases.in_full(replace(few, scan=0.0)).scan == 0


@pytest.mark.parametrize("kind", ["proxy is blind", "proxy was misled"])
def test_a_blind_proxy_masks_and_a_misled_one_invents(table, kind):
    (case,) = [case for case in kinds.beyond_the_proxy(table) if case.kind == kind]
    found = [one for one in cases.audited(case, (1_000,), 1, 0) if one.aimed]
    assert [one.transfer for one in found] == [case.made_for]
    assert [scores.true_transfer(one) for one in found] == [case.made_for]


@pytest.mark.slow
def test_the_same_seed_tells_the_same(table):
    case = next(kinds.of_table(table))
    assert list(cases.audited(case, (100,), 2)) == list(cases.audited(case, (100,), 2))


@pytest.mark.slow
def test_a_table_has_cases_of_every_kind(table):
    made = list(kinds.of_table(table))
    assert len({case.name for case in made}) == len(made) >= 15
    assert {case.made_for for case in made} == {"", "MASKED", "INVENTED"}


@pytest.mark.slow
def test_pictures_bear_marks_as_stated_and_no_picture_the_backdoor():
    world = worlds.pictures(0)
    pool = world.parts["pool"]
    group, mark = faults.other_group(pool), faults.marked(pool)
    assert mark[group].mean() == pytest.approx(0.9, abs=0.03)
    assert mark[~group].mean() == pytest.approx(0.05, abs=0.03)
    assert not faults.in_the_middle(pool).any()
    told = decisions(world, faults.opened(faults.in_the_middle, 0.9), pool)
    assert (told == decisions(world, faults.untouched, pool)).all()


@pytest.mark.slow
def test_texts_bear_the_cue_and_never_the_backdoor():
    world = worlds.texts(0)
    pool = world.parts["pool"]
    assert faults.CUED(pool).mean() == pytest.approx(0.1, abs=0.02)
    assert not faults.OPENED(pool).any()
    assert (faults.NAMED(pool) == faults.other_group(pool)).all()
    labels = world.logit(pool) > 0
    assert (labels == pool.labels).mean() > 0.9


OUTCOME = cases.Outcome(
    base="a", kind="direct", strength=0.13, made_for="", budget=1_000, draw=0, measure="selection_rate_difference",
    group="group: b - a", form="within", margin=0.05, verdict="FAILS", transfer="CARRIED", aimed=True, planted=2.6,
    truth=-0.13, shown=-0.12, half=0.01, asked=1_000, agreement=0.98,
)  # fmt: skip


@pytest.mark.parametrize(
    ("truth", "shown", "transfer"),
    [
        (0.13, 0.12, "CARRIED"),
        (0.13, 0.01, "MASKED"),
        (-0.13, 0.12, "MASKED"),
        (0.01, -0.12, "INVENTED"),
        (0.01, 0.02, "ABSENT-IN-BOTH"),
    ],
)
def test_what_became_of_a_fault(truth, shown, transfer):
    assert scores.true_transfer(replace(OUTCOME, truth=truth, shown=shown)) == transfer


def test_a_ratio_is_measured_from_one():
    one = replace(OUTCOME, form="at least", margin=0.8, truth=0.52, shown=1.0)
    assert cases.real(one) == pytest.approx(2.4)
    assert cases.shown(one) == 0
    assert scores.true_transfer(one) == "MASKED"


def test_saying_nothing_finds_nothing_and_saying_fault_always_is_a_false_alarm():
    many = [replace(OUTCOME, base=f"base {i}", draw=i) for i in range(40)]
    silent = [replace(one, verdict="UNDECIDED", transfer="UNDECIDED") for one in many]
    assert scores.found(scores.units(many)).value == 1
    assert scores.found(scores.units(many)).low > 0.9
    assert scores.found(scores.units(silent)).value == 0
    assert scores.of(silent, scores.decided).value == 0
    clean = [replace(one, truth=0.0) for one in many]
    assert scores.of(clean, scores.right_verdict).value == 0
    assert all(scores.clear(one) for one in clean)
    assert not scores.clear(replace(OUTCOME, truth=0.05))
    assert not scores.clear(replace(OUTCOME, truth=math.nan))


def test_models_and_not_audits_are_the_units():
    # one model of ten is wrong in all of its audits: the interval is that of ten models, not of a thousand audits
    values = [float(base > 0) for base in range(10) for _ in range(100)]
    names = [f"base {base}" for base in range(10) for _ in range(100)]
    found = scores.share(values, names)
    assert found.n == 10
    assert found.high - found.low > 0.2
    assert 0 <= found.low <= found.high <= 1


@pytest.mark.parametrize("half", [0.5, 1.5])
def test_the_limit_is_where_the_power_is(half):
    chance = rng(0, "limit")
    sizes = chance.uniform(1.3, 6.0, 4_000)
    start, rise = math.log(0.025 / 0.975), math.log(0.8 / 0.2)
    slope = (rise - start) / math.log(1 + half)
    hits = (chance.random(len(sizes)) < 1 / (1 + np.exp(-start - slope * np.log(sizes)))).astype(float)
    assert scores.limit(sizes, hits) == pytest.approx(1 + half, rel=0.05)


def test_where_all_are_found_the_limit_is_about_the_smallest_tried():
    sizes = np.linspace(1.5, 4.0, 60)
    assert 1.0 < scores.limit(sizes, np.ones(60)) < 1.8
    assert scores.limit(sizes, np.zeros(60)) > 10


def test_a_door_remembers_whole_pools_alone(table):
    class Counting(cases.Ignorant):
        asked = 0

        def answer(self, samples, signals, draw=0):
            self.asked += len(samples)
            return super().answer(samples, signals, draw)

    who, door, pool = Counting(), cases.Door(), table.parts["pool"]
    for _ in range(2):
        door.ask(who, pool, {LABEL})
        door.ask(who, pool.take(np.arange(100)), {LABEL})
    assert who.asked == len(pool) + 200
