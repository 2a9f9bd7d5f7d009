"""The picture of which fields count: every subject, no markup out of data."""

from __future__ import annotations

from dataclasses import replace

from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval
from kdaudit.report import html, markdown
from kdaudit.report.composition import compose
from kdaudit.report.reasons import MOST, chart, charts


def weights(shift, count=3):
    return {
        f"field_{i}": Interval(v, v - 0.01, v + 0.01, 300).to_data() for i in range(count) for v in [shift + i / 50]
    }


def evidence(name, count=3, **more):
    row = Row("spearman", "all", "proxy", Interval(0.9, 0.8, 0.95, 300), no_control="none", no_ceiling="none")
    found = {"teacher": weights(0.1, count), "proxy": weights(0.2, count), "stranger": weights(0.15, count), **more}
    return Evidence(
        "compare/reasons", "Why?", (row,), context={"mean_absolute": found, "scale": "score"}, proxy_name=name
    )


def test_proxies_in_one_scale_share_one_picture():
    (block,) = charts([evidence("tree"), evidence("list")])
    assert block.subjects == ("the teacher", "tree", "list")
    assert block.units == ("field_2", "field_1", "field_0")
    assert block.unit == "points"
    drawn = chart(block)
    assert drawn.count("<rect") == 3 + 3 * 3
    assert "field 2" in drawn
    assert "14.0 points" in drawn
    two = charts([evidence("tree"), replace(evidence("student"), context={**evidence("s").context, "scale": "logit"})])
    assert len(two) == 2


def test_what_has_no_reasons_has_no_picture():
    assert charts([evidence("tree", proxy={})]) == ()
    assert charts([replace(evidence("tree"), context={})]) == ()


def test_only_the_weightiest_fields_are_drawn():
    (block,) = charts([evidence("tree", count=20)])
    assert len(block.units) == MOST
    assert "8 further fields" in block.words


def test_pages_show_it_and_escape_its_texts(run):
    bad = {"<b>x": Interval(0.1, 0.0, 0.2, 9).to_data()}
    one = evidence("<script>", teacher=bad, proxy=bad, stranger={})
    shown = compose(replace(run, evidence={**run.evidence, "reasons": one}))
    page, text = html.render(shown).decode(), markdown.render(shown).decode()
    assert "Which fields count" in page
    assert "<script>" not in page
    assert "<b>x" not in page
    assert "Which fields count" in text
    assert "<b>" not in text
