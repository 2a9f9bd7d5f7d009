"""Evidence refuses a number that stands alone, and comes back as it was written."""

import json
import math
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.cast import CONTROL_WORDS, ControlKind
from kdaudit.errors import KdauditError
from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval, unknown

WHOLE = Interval(0.9, 0.88, 0.92, 1000, 0.95, "Wilson")
ROW = Row("agreement", "all", "proxy", WHOLE, "percent", 1000, no_control="one teacher", no_ceiling="no twin")

floats = st.floats(-1, 1)
intervals = st.builds(
    lambda ends, n: Interval(sorted(ends)[1], min(ends), max(ends), n, 0.9), st.tuples(floats, floats, floats),
    st.integers(1, 9999),
)  # fmt: skip
rows = st.builds(
    lambda value, parts, asked, of: Row(
        "parity gap",
        "sex: female - male",
        of,
        value,
        "points",
        asked,
        **dict(zip(("control", "excess", "ceiling", "population"), parts, strict=True)),
        control_kind="strangers_proxy",
        no_control="" if parts[0] else "no stranger",
        no_ceiling="" if parts[2] else "no twin",
        title="Gap",
        low_end=-1.0,
    ),
    intervals,
    st.tuples(*[st.none() | intervals] * 4),
    st.integers(0, 999),
    st.sampled_from(["teacher", "proxy", "teacher-proxy"]),
)


@given(rows)
def test_a_row_comes_back_as_it_was_spread(row):
    assert Row.from_flat(row.flat()) == row
    back = json.loads(json.dumps({k: None if v != v else v for k, v in row.flat().items()}))
    assert Row.from_flat({k: math.nan if v is None else v for k, v in back.items()}) == row


@given(st.lists(rows, min_size=1, max_size=4))
def test_a_table_has_a_line_a_row(several):
    table = Evidence("probes/sex", "Is pay even?", tuple(several)).table
    assert [Row.from_flat(line) for line in table.to_dict("records")] == several
    needed = "measure group of value low high n asked control control_low control_high excess ceiling ceiling_low"
    assert set(needed.split()) <= set(table.columns)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"value": replace(WHOLE, n=0)}, "the value of agreement of all has no n"),
        ({"value": replace(WHOLE, low=math.nan)}, "the value of agreement of all has no interval"),
        ({"value": replace(WHOLE, high=math.inf)}, "the value of agreement of all has no interval"),
        ({"no_control": ""}, "neither a control nor a reason"),
        ({"no_ceiling": ""}, "neither a ceiling nor a reason"),
        ({"control": WHOLE, "control_kind": "guess"}, "control kind 'guess' is unknown"),
        ({"control": replace(WHOLE, low=math.nan)}, "the control of agreement of all has no interval"),
        ({"control": replace(WHOLE, n=0)}, "the control of agreement of all has no n"),
        ({"excess": replace(WHOLE, high=math.nan)}, "the excess of agreement of all has no interval"),
        ({"ceiling": replace(WHOLE, low=math.nan)}, "the ceiling of agreement of all has no interval"),
        ({"population": replace(WHOLE, n=-1)}, "the population of agreement of all has no n"),
    ],
)
def test_no_number_stands_alone(changes, sentence):
    with pytest.raises(KdauditError, match=sentence):
        replace(ROW, **changes)


def test_what_is_not_known_may_be_said():
    silent = replace(ROW, value=unknown("no row of this group was answered"))
    assert Row.from_flat(silent.flat()).value.method == "no row of this group was answered"
    assert replace(ROW, control=unknown("no stranger"), no_control="").control is not None


def test_rows_are_found_and_the_most_asked_is_told():
    other = replace(ROW, group="sex = male", asked=70)
    evidence = Evidence("compare/f", "Does it agree?", (other, ROW))
    assert evidence.row("agreement", "all", "proxy") is ROW
    assert evidence.row("agreement", "all", "teacher") is None
    assert evidence.asked == 1000 and Evidence("compare/f", "Nothing", ()).asked == 0


def test_each_kind_of_control_has_words():
    assert set(CONTROL_WORDS) == set(get_args(ControlKind))
    assert len(set(CONTROL_WORDS.values())) == len(CONTROL_WORDS)
