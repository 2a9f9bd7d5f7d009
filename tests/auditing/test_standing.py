from __future__ import annotations

import pytest

from kdaudit.auditing.standing import standing
from kdaudit.distillation.dataless import DataFree
from kdaudit.distillation.students import Student
from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval, unknown

AGREED = Interval(0.8, 0.75, 0.85, 100)


def told(row: Row | None) -> dict[str, str]:
    evidence = [] if row is None else [Evidence("compare/fidelity", "?", (row,), proxy_name="unseen")]
    return standing({"unseen": DataFree(), "student": Student()}, evidence)


def row(excess: Interval | None, *, no_control: str = "") -> Row:
    control = None if excess is None else Interval(0.7, 0.6, 0.8, 100)
    return Row(
        "agreement", "all", "proxy", AGREED, "percent", control=control, excess=excess, no_control=no_control,
        no_ceiling="none", control_kind="none" if control is None else "strangers_proxy",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "start", "within"),
    [
        (
            row(Interval(0.1, 0.02, 0.18, 100)),
            "Evidence about this teacher",
            "80.0 % of rows, +10.0 (2.0 to 18.0) points",
        ),
        (row(Interval(0.1, -0.02, 0.22, 100)), "Not auditable", "+10.0 (−2.0 to 22.0) points beside its control"),
        (row(Interval(-0.1, -0.2, 0.0, 100)), "Not auditable", "−10.0 (−20.0 to 0.0)"),
        (row(unknown("too few strangers", 0, 0.95)), "Not auditable", "(too few strangers)"),
        (row(None, no_control="nobody to compare with"), "Not auditable", "(nobody to compare with)"),
        (None, "Not auditable", "compare its fidelity"),
    ],
)
def test_only_an_excess_above_nothing_makes_it_evidence(found, start, within):
    sentences = told(found)
    assert set(sentences) == {"unseen"}
    assert sentences["unseen"].startswith(start)
    assert within in sentences["unseen"]
