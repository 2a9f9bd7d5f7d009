import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.finding import Transfer, Verdict
from kdaudit.interval import Interval, counted, unknown
from kdaudit.statistics.verdicts import judge, needed, state, transfer

ENDS = st.tuples(st.floats(-1, 1), st.floats(0, 0.5), st.floats(0, 0.5))
FORMS = st.sampled_from(("within", "at least", "at most", "above control"))
M = 0.05


def around(value, half=0.01):
    return Interval(value, value - half, value + half, 100)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, "present+"), (-0.1, "present-"), (0.0, "absent"), (0.045, "undecided"), (-0.055, "undecided")],
)
def test_an_effect_is_beyond_within_or_neither(value, expected):
    assert state(around(value), M) == expected


def test_a_counted_value_is_always_decided_and_the_margin_itself_is_within():
    assert state(counted(M, 10), M) == "absent"
    assert state(counted(0.0, 10), 0.0) == "absent"
    assert state(counted(-0.06, 10), M) == "present-"
    assert state(unknown("no rows"), M) == "undecided"


@pytest.mark.parametrize(
    ("form", "holds", "fails"),
    [("within", 0.0, -0.1), ("at most", -0.3, 0.1), ("at least", 0.1, -0.3), ("above control", 0.1, 0.0)],
)
def test_claims_hold_fail_or_stay_open(form, holds, fails):
    assert judge(around(holds), form, M).verdict is Verdict.HOLDS
    assert judge(around(fails), form, M).verdict is Verdict.FAILS
    open_ = judge(around(M, 0.02), form, M)
    assert open_.verdict is Verdict.UNDECIDED
    assert "margin" in open_.reason
    assert judge(unknown("2 of 3 rows failed"), form, M).reason == "2 of 3 rows failed"


@given(ENDS, FORMS, st.floats(0, 0.5))
def test_a_narrower_interval_never_turns_a_verdict_round(ends, form, margin):
    value, below, above = ends
    wide = Interval(value, value - below, value + above, 100)
    narrow = Interval(value, value - below / 2, value + above / 2, 100)
    first = judge(wide, form, margin).verdict
    assert first in (Verdict.UNDECIDED, judge(narrow, form, margin).verdict)


def test_nothing_exceeds_a_control_by_being_equal_to_it():
    assert judge(counted(0.0, 10), "above control", 0.0).verdict is Verdict.FAILS
    assert judge(around(0.02), "above control", 0.0).verdict is Verdict.HOLDS


CASES = [
    (0.1, 0.12, Transfer.CARRIED, ""),
    (0.1, 0.0, Transfer.MASKED, ""),
    (0.1, -0.1, Transfer.MASKED, "reversed"),
    (-0.1, 0.1, Transfer.MASKED, "reversed"),
    (0.0, 0.1, Transfer.INVENTED, ""),
    (0.0, 0.01, Transfer.ABSENT, ""),
    (0.05, 0.1, Transfer.UNDECIDED, ""),
]


@pytest.mark.parametrize(("teacher", "proxy", "expected", "note"), CASES)
def test_what_the_proxy_shows_is_compared_with_what_the_teacher_does(teacher, proxy, expected, note):
    got = transfer(around(teacher), counted(proxy, 600), around(teacher - proxy), "within", M)
    assert (got.transfer, got.note) == (expected, note)


def test_values_on_either_side_of_the_margin_that_may_be_equal_are_no_false_reassurance():
    got = transfer(around(0.061), counted(0.049, 600), around(0.012, 0.0125), "within", M)
    assert got.transfer is Transfer.UNDECIDED
    assert "not differ" in got.reason
    assert transfer(around(0.1), counted(0.0, 6), unknown("no rows"), "within", M).transfer is Transfer.UNDECIDED


def test_a_proxy_that_was_not_counted_whole_may_be_open_itself():
    assert transfer(around(0.1), around(0.05), around(0.05), "within", M).transfer is Transfer.UNDECIDED
    assert "failed" in transfer(around(0.1), unknown("all rows failed"), unknown("-"), "within", M).reason


def test_an_undecided_claim_carries_nothing():
    got = transfer(around(0.1), counted(0.1, 9), around(0.0), "within", M, Verdict.UNDECIDED)
    assert got.transfer is Transfer.UNDECIDED


@pytest.mark.parametrize(
    ("form", "teacher", "proxy", "expected"),
    [
        ("at least", 0.7, 0.72, Transfer.CARRIED),
        ("at least", 0.7, 0.95, Transfer.MASKED),
        ("at least", 0.95, 0.7, Transfer.INVENTED),
        ("at most", 0.2, 0.1, Transfer.ABSENT),
        ("at most", 0.95, 0.1, Transfer.MASKED),
        ("above control", 0.2, 0.1, Transfer.NONE),
    ],
)
def test_one_sided_claims_have_one_fault(form, teacher, proxy, expected):
    assert transfer(around(teacher), counted(proxy, 9), around(teacher - proxy), form, 0.9).transfer is expected


def test_wrong_decisions_are_rare_on_the_margin_and_beyond():
    rng = np.random.default_rng(0)
    for truth, wrong in ((M, Verdict.FAILS), (M, Verdict.HOLDS), (0.07, Verdict.HOLDS), (0.03, Verdict.FAILS)):
        values = truth + 0.02 * rng.standard_normal(2000)
        verdicts = [judge(around(v, 1.96 * 0.02), "within", M).verdict for v in values]
        assert np.mean([v is wrong for v in verdicts]) <= 0.035


def test_rows_needed_shrink_the_interval_to_the_nearer_margin():
    # half-width .04, .02 away from the margin: four times the rows
    assert needed(around(0.07, 0.04), "within", M, 300) == 1200
    assert needed(around(-0.03, 0.04), "within", M, 300) == 1200
    assert needed(around(0.92, 0.04), "at least", 0.9, 300) == 1200
    assert needed(around(M, 0.04), "within", M, 300) is None
    assert needed(unknown("no rows"), "within", M, 0) is None
    # an interval with arms of unlike length may be undecided and still nearer than half its width
    assert needed(Interval(0.1, 0.04, 0.11, 300), "within", M, 300) == 301


def test_in_a_pool_fewer_rows_are_needed():
    got = needed(around(0.07, 0.04), "within", M, 300, pool=3000)
    assert 300 < got < 1200
    assert math.sqrt((1 / got - 1 / 3000) / (1 / 300 - 1 / 3000)) == pytest.approx(0.5, rel=0.01)
