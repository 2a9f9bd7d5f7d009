from __future__ import annotations

from dataclasses import replace

import pytest

from kdaudit.auditing.conclude import conclude, undecided
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim, Severity, Transfer, Verdict
from kdaudit.interval import Interval, counted, unknown


def row(of, value, low, high, n=500, **more):
    interval = counted(value, 7000) if low is None else Interval(value, low, high, n)
    given = {"no_control": "none", "no_ceiling": "none", "unit": "points", "asked": n}
    return Row("gap", "a - b", of, interval, **{**given, **more})


def evidence(teacher, proxy, form="within", margin=0.05):
    value, low, high = teacher
    gap = value - proxy
    rows = (
        row("teacher", value, low, high),
        row("proxy", proxy, None, None),
        row("teacher-proxy", gap, low - proxy, high - proxy),
    )
    claim = Claim("a and b are alike", "gap", "a - b", form, margin, "teacher", found="they differ by {value}.")
    return Evidence("probes/x", "Are they alike?", rows, (claim,), proxy_name="tree")


def one(found):
    (finding,) = conclude(found, stem="probes.x.tree", repeat="kdaudit audit audit.yaml")
    return finding


@pytest.mark.parametrize(
    ("teacher", "proxy", "verdict", "transfer", "severity"),
    [
        ((0.20, 0.15, 0.25), 0.18, Verdict.FAILS, Transfer.CARRIED, Severity.HIGH),
        ((-0.09, -0.11, -0.07), -0.06, Verdict.FAILS, Transfer.CARRIED, Severity.MEDIUM),
        ((0.08, 0.055, 0.105), 0.18, Verdict.FAILS, Transfer.CARRIED, Severity.LOW),
        ((0.20, 0.15, 0.25), 0.01, Verdict.FAILS, Transfer.MASKED, Severity.HIGH),
        ((0.20, 0.15, 0.25), -0.20, Verdict.FAILS, Transfer.MASKED, Severity.HIGH),
        ((0.00, -0.03, 0.03), 0.18, Verdict.HOLDS, Transfer.INVENTED, Severity.NONE),
        ((0.00, -0.03, 0.03), 0.01, Verdict.HOLDS, Transfer.ABSENT, Severity.NONE),
        ((0.04, 0.01, 0.07), 0.18, Verdict.UNDECIDED, Transfer.UNDECIDED, Severity.OPEN),
        # astride the margin by a hair, and perhaps equal: no false reassurance, no false alarm
        ((0.07, 0.051, 0.089), 0.0499, Verdict.FAILS, Transfer.MASKED, Severity.LOW),
        ((0.052, 0.0505, 0.054), 0.0499, Verdict.FAILS, Transfer.MASKED, Severity.LOW),
    ],
)
def test_the_verdict_is_the_teachers_and_the_transfer_is_both(teacher, proxy, verdict, transfer, severity):
    found = one(evidence(teacher, proxy))
    assert (found.verdict, found.transfer, found.severity) == (verdict, transfer, severity)
    assert (found.needed is None) == (verdict is not Verdict.UNDECIDED)
    assert found.evidence == "evidence/probes.x.tree.parquet"
    assert found.asked == 500
    assert found.sentence.startswith("they differ by")


def test_what_is_needed_never_exceeds_the_pool():
    found = one(evidence((0.0499, 0.01, 0.0898), 0.18))
    assert found.verdict is Verdict.UNDECIDED
    assert 500 < found.needed <= 7000


def uncounted(value, low, high, context, n=500):
    rows = (
        row("teacher", value, low, high, n),
        row("proxy", value, low, high, n),
        row("teacher-proxy", 0.0, -0.1, 0.1, n),
    )
    claim = Claim("few turn", "gap", "a - b", "at most", 0.05, "teacher")
    return one(Evidence("probes/x", "How many?", rows, (claim,), context, proxy_name="tree"))


def test_rows_that_do_not_exist_are_never_needed():
    near = (0.0505, 0.03, 0.071)
    endless = uncounted(*near, {})
    assert endless.needed > 100_000
    short = uncounted(*near, {"pool": 900})
    assert short.needed is None
    assert short.reason.endswith("more than the 900 rows that there are would be needed")
    # of the rows that the claim is about at most all are needed
    rows_ = uncounted(*near, {"pool": 900, "about_rows": 700})
    assert 690 <= rows_.needed <= 700
    assert rows_.reason == "the interval reaches over the margin"
    # all were asked already
    assert uncounted(*near, {"about_rows": 500}).needed is None
    assert uncounted(*near, {"pool": 900, "beyond_rows": True}).needed == endless.needed


def test_a_claim_about_the_proxy_carries_nothing():
    base = row("proxy", 0.94, 0.93, 0.95, 3000)
    control, excess = Interval(0.92, 0.91, 0.93, 3000), Interval(0.02, 0.01, 0.03, 3000)
    beside = replace(base, control=control, excess=excess, control_kind="label_only", strangers=3)
    claim = Claim("closer than a stranger", "gap", "a - b", "above control", 0.0, "proxy")
    found = one(Evidence("compare/f", "Close?", (beside,), (claim,)))
    assert (found.verdict, found.transfer) == (Verdict.HOLDS, Transfer.NONE)
    near = replace(beside, excess=Interval(0.02, -0.01, 0.05, 3000))
    assert one(Evidence("compare/f", "Close?", (near,), (claim,))).verdict is Verdict.UNDECIDED
    alone = replace(beside, control=None, excess=None, no_control="there is no stranger")
    lonely = one(Evidence("compare/f", "Close?", (alone,), (claim,)))
    assert lonely.verdict is Verdict.UNDECIDED and "there is no stranger" in lonely.reason
    blind = replace(alone, value=unknown("the teacher gives no gradients"), no_control="the teacher gives no gradients")
    assert one(Evidence("compare/f", "Close?", (blind,), (claim,))).reason == "the teacher gives no gradients"


def test_what_is_not_known_is_undecided_with_its_reason():
    rows = (replace(row("teacher", 0.2, 0.1, 0.3), value=unknown("12 rows in the pool; at least 30 are needed")),)
    claim = Claim("a and b are alike", "gap", "a - b", "within", 0.05, "teacher")
    found = one(Evidence("probes/x", "Alike?", rows, (claim,)))
    assert found.verdict is Verdict.UNDECIDED and found.transfer is Transfer.UNDECIDED
    assert "at least 30" in found.reason and "at least 30" in found.sentence


def test_a_question_that_was_not_asked_names_what_it_needs():
    found = undecided("probes/x", "Alike?", "the budget ends", needed=300, repeat="again", proxy_name="tree")
    assert found.verdict is Verdict.UNDECIDED and found.needed == 300 and "the budget ends" in found.sentence


def test_beside_one_stranger_nothing_is_decided():
    base = row("proxy", 0.94, 0.93, 0.95, 3000)
    control, excess = Interval(0.92, 0.91, 0.93, 3000), Interval(0.02, 0.01, 0.03, 3000)
    claim = Claim("closer than a stranger", "gap", "a - b", "above control", 0.0, "proxy")
    for kind in ("strangers_proxy", "label_only", "swapped_teacher"):
        beside = replace(base, control=control, excess=excess, control_kind=kind, strangers=1)
        found = one(Evidence("compare/f", "Close?", (beside,), (claim,)))
        assert found.verdict is Verdict.UNDECIDED
        assert found.needed is None
        assert found.reason == "one stranger says nothing of the spread among strangers; name at least three"
        several = one(Evidence("compare/f", "Close?", (replace(beside, strangers=2),), (claim,)))
        assert several.verdict is Verdict.HOLDS
    permuted = replace(base, control=control, excess=excess, control_kind="permuted")
    assert one(Evidence("compare/f", "Close?", (permuted,), (claim,))).verdict is Verdict.HOLDS
