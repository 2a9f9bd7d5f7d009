"""Curves: every size has its mark, the law its band, and hostile names stay text."""

import re

import numpy as np
import pytest

from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval, counted, unknown
from kdaudit.report.curves import curve, curve_of
from kdaudit.report.document import Curve, Knot
from kdaudit.report.html import fragment
from kdaudit.report.markdown import _block

SIZES = (10, 100, 1000, 10_000)


def knots(control=True):
    return tuple(
        Knot(
            n,
            Interval(0.5 + k / 10, 0.45 + k / 10, 0.55 + k / 10, 5),
            Interval(0.4, 0.35, 0.45, 5) if control else None,
        )
        for k, n in enumerate(SIZES)
    )


def drawn(**keys):
    return str(
        curve(Curve(**{"across": "parameters", "measure": "Agreement", "unit": "percent", "knots": knots()} | keys))
    )


def test_every_size_is_drawn_from_left_to_right_and_upwards():
    picture = drawn()
    found = re.findall(r'<path d="M([\d.]+) ([\d.]+)l5 5', picture)
    xs, ys = ([float(pair[k]) for pair in found] for k in range(2))
    assert len(found) == 4 and xs == sorted(xs) and ys == sorted(ys, reverse=True)
    assert np.diff(xs) == pytest.approx(np.diff(xs)[0], abs=0.2)  # a scale of powers
    assert picture.count("<rect") == 5 and "its control" in picture  # the key shows one of each
    assert ">10,000</text>" in picture and "4 sizes" in picture


def test_the_law_is_drawn_with_its_band():
    assert "stroke-dasharray" not in drawn()
    law = tuple((n, 0.5 + k / 10, 0.4 + k / 10, 0.6 + k / 10) for k, n in enumerate(SIZES))
    assert "stroke-dasharray" in drawn(law=law)


def test_one_long_interval_does_not_flatten_the_others():
    wide = (*knots(control=False), Knot(20_000, Interval(0.85, -9.0, 9.0, 5)))
    ys = [float(y) for _, y in re.findall(r'<path d="M([\d.]+) ([\d.]+)l5 5', drawn(knots=wide))]
    assert max(ys) - min(ys) > 60


def test_what_is_not_known_is_not_drawn():
    assert drawn(knots=(Knot(5, unknown("too few")),)) == ""
    assert drawn(knots=(Knot(5, Interval(0.5, 0.5, 0.5, 3)),)).count("l5 5") == 1
    assert "<script>" not in drawn(measure="<script>")


def test_evidence_becomes_a_curve_in_every_format():
    row = Row(
        "agreement", "10 parameters", "proxy", Interval(0.5, 0.4, 0.6, 5), "percent", no_control="n", no_ceiling="n"
    )
    arrays = {"parameters": np.array([10.0])} | {
        name: np.array([10.0, 20.0]) for name in ("law_parameters", "law", "law_low", "law_high")
    }
    block = curve_of(Evidence("proxies/s", "How large?", (row,), arrays=arrays, shows="curve"))
    assert block.knots == (Knot(10.0, row.value),) and len(block.law) == 2
    assert "<svg" in fragment((block,))
    assert _block(block, folds=True) == ""


def test_a_curve_of_size_tells_what_each_doubling_adds():
    from types import SimpleNamespace

    from kdaudit.report.curves import curves

    row = Row("agreement", "10", "proxy", Interval(0.5, 0.4, 0.6, 5), "percent", no_control="n", no_ceiling="n")
    context = {"gain": [Interval(0.012, 0.01, 0.02, 5).to_data()], "sentences": ["Small is enough"]}
    evidence = Evidence("proxies/s", "How large?", (row,), (), context, {"parameters": np.array([10.0])}, "curve", "s")
    page = fragment(curves(SimpleNamespace(evidence={"s": evidence})))
    assert "what doubling them adds" in page and "+1.2 points (+1.0 to +2.0" in page and "s: How large?" in page


def points(n=2):
    interval, rows, out = Interval(0.9, 0.85, 0.95, 500), [], []
    for k in range(n):
        for measure, unit in (("agreement", "percent"), ("kl", "nats")):
            group, keys = f"{10 * (k + 1)} parameters", {"control": interval, "control_kind": "label_only"}
            rows.append(Row(measure, group, "proxy", interval, unit, excess=interval, no_ceiling="n", **keys))
        costs = {"parameters": counted(1000.0 * (k + 1), 1).to_data(), "ms a row": interval.to_data()}
        out.append({"plan": f"- {{name: student, kind: student, hidden: [{k}]}}", "costs": costs})
    context = {
        "population": "500 rows that chose nothing",
        "sentences": ["2 students were tried"],
        "points": out,
        "costs": ["parameters", "ms a row"],
        "left_out": {"[64]": "5,000 parameters, at most 2,000"},
        "failed": {"<b>": "the loss is nan"},
    }
    arrays = {"parameters": np.array([1000.0 * (k + 1) for k in range(n)])}
    return Evidence("proxies/found", "Which?", tuple(rows), (), context, arrays, "policies", "found")


def test_a_search_shows_its_table_and_what_was_left_out():
    from types import SimpleNamespace

    from kdaudit.report.curves import curves

    blocks = curves(SimpleNamespace(evidence={"proxies.found": points()}))
    table = next(block for block in blocks if hasattr(block, "head"))
    assert table.head[:4] == ("student", "parameters", "ms a row", "agreement, %")
    assert table.rows[1][1:4] == ("2,000", "0.9 (0.85 to 0.95)", "90.0 (85.0 to 95.0)")
    assert len(table.rows[0]) == 6 and len(table.rows) == 2
    page = fragment(blocks)
    assert "0.900 (0.850 to 0.950)" in page
    assert "500 rows that chose nothing" in page and "Left out by the limits: [64]: 5,000" in page
    assert "hidden: [1]" in page and "&lt;b&gt;: the loss is nan" in page and "<svg" in page
    assert curves(SimpleNamespace(evidence={})) == ()
    alone = fragment(curves(SimpleNamespace(evidence={"proxies.found": points(1)})))
    assert "<svg" not in alone and "one item of a plan" in alone
