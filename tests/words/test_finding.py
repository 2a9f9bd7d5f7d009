"""Findings and intervals come back as they were written and read as people read."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.finding import Finding, Severity, Transfer, Verdict
from kdaudit.interval import Interval, counted, unknown

floats = st.floats(-10, 10)
intervals = st.builds(
    lambda ends, n, method: Interval(sorted(ends)[1], min(ends), max(ends), n, 0.95, method),
    st.tuples(floats, floats, floats),
    st.integers(1, 999),
    st.text(max_size=5),
)
findings = st.builds(
    Finding,
    question=st.just("probes/sex"),
    claim=st.text(max_size=9),
    measure=st.just("selection rate"),
    group=st.just("sex: female - male"),
    form=st.sampled_from(["within", "at least", "at most", "above control"]),
    margin=st.floats(0, 1),
    unit=st.just("points"),
    teacher=intervals,
    proxy=intervals,
    difference=intervals,
    verdict=st.sampled_from(Verdict),
    transfer=st.sampled_from(Transfer),
    severity=st.sampled_from(Severity),
    asked=st.integers(0, 99),
    needed=st.none() | st.integers(1, 99),
    evidence=st.just("evidence/probes.sex.tree.parquet"),
    repeat=st.just("kdaudit probe plan.yaml --only sex"),
    reason=st.text(max_size=9),
)


def dumped(data):
    return json.loads(json.dumps(data, allow_nan=False, sort_keys=True))


@given(findings)
def test_a_finding_comes_back_as_it_was_written(finding):
    back = Finding.from_data(dumped(finding.to_data()))
    assert back == finding
    assert [type(x) for x in (back.verdict, back.transfer, back.severity)] == [Verdict, Transfer, Severity]


@given(intervals)
def test_an_interval_comes_back_as_it_was_written(interval):
    assert Interval.from_data(dumped(interval.to_data())) == interval


def test_an_unknown_interval_has_no_nan_in_json_and_its_reason_stays():
    data = dumped(unknown("nobody was asked").to_data())
    assert (data["value"], data["low"], data["high"]) == (None, None, None)
    back = Interval.from_data(data)
    assert math.isnan(back.value) and not back.known and back.method == "nobody was asked" and back.n == 0


@pytest.mark.parametrize(
    ("interval", "unit", "signed", "text"),
    [
        (Interval(0.94, 0.93, 0.95, 9), "percent", False, "94.0 % (93.0 to 95.0)"),
        (Interval(-0.061, -0.104, 0.012, 9), "points", True, "−6.1 points (−10.4 to +1.2)"),
        (Interval(0.061, 0.012, 0.104, 9), "points", True, "+6.1 points (+1.2 to +10.4)"),
        (Interval(0.1234, 0.1, 0.2, 9), "", False, "0.123 (0.100 to 0.200)"),
        (Interval(0.1234, 0.1, 0.2, 9), "nats", False, "0.123 (0.100 to 0.200)"),
        (counted(0.5, 9), "percent", False, "50.0 % (exact for these 9 rows)"),
        (unknown("nobody"), "percent", False, "not known"),
    ],
)
def test_an_interval_reads_as_people_read(interval, unit, signed, text):
    assert interval.text(unit, signed=signed) == text


def test_width_and_knowledge():
    assert Interval(0.5, 0.4, 0.8, 9).half == pytest.approx(0.2)
    assert counted(0.5, 9).half == 0 and counted(0.5, 9).known
    assert not Interval(0.5, math.nan, 0.8, 9).known and not Interval(0.5, 0.4, math.inf, 9).known
