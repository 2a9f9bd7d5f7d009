"""The transfer report: counts by hand, bounded both ways; what was saved and what it cost."""

import pytest

from kdaudit.finding import Finding, Severity, Transfer, Verdict
from kdaudit.interval import Interval, counted
from kdaudit.report.contrasts import worth
from kdaudit.report.transfer import tally


def finding(teacher, proxy, verdict, transfer=Transfer.UNDECIDED):
    t = Interval(teacher, teacher - 0.01, teacher + 0.01, 300)
    return Finding(
        "probes/x", "c", "m", "g", "within", 0.05, "points", t, counted(proxy, 7000), t, verdict, transfer,
        Severity.NONE, 300, None, "", "",
    )  # fmt: skip


FAILS, HOLDS, OPEN = Verdict.FAILS, Verdict.HOLDS, Verdict.UNDECIDED


def test_faults_are_counted_and_bounded_by_what_is_undecided():
    found = tally(
        [
            finding(0.2, 0.2, FAILS, Transfer.CARRIED),
            finding(0.2, 0.1, FAILS, Transfer.CARRIED),
            finding(0.2, 0.0, FAILS, Transfer.MASKED),
            finding(0.2, 0.04, FAILS),
            finding(0.2, -0.2, FAILS, Transfer.MASKED),
            finding(0.0, 0.2, HOLDS, Transfer.INVENTED),
            finding(0.0, 0.0, HOLDS, Transfer.ABSENT),
            finding(0.05, 0.2, OPEN),
            finding(0.05, 0.0, OPEN),
        ]
    )
    assert (found.right, found.invented, found.missed, found.clear) == (2, 1, 3, 1)
    assert (found.open_shown, found.open_not, found.masked) == (1, 1, 2)
    assert found.precision == "2 of 3 (50% to 75%)"
    assert found.recall == "2 of 5 (33% to 50%)"
    assert found.reassurance == "2 of 4"


def test_nothing_decided_gives_no_share():
    found = tally([finding(0.05, 0.2, OPEN)])
    assert found.precision == "none decided"
    assert found.recall == "no fault decided"


def test_what_help_was_worth_in_a_finite_pool():
    one = finding(0.2, 0.2, FAILS)
    context = {"contrasts": {"g": {"width_ratio": 0.5, "strangers_width_ratio": 1.0}}}
    bought = worth(context, one)
    n, pool = 300, 7000
    needed = bought["factor"] * n
    # with that many rows plain sampling is as narrow
    assert 1 / needed - 1 / pool == pytest.approx(0.25 * (1 / n - 1 / pool))
    assert bought["strangers_factor"] == pytest.approx(1.0)
    assert worth({}, one) is None
