"""What stands below reasons and attention: every null with its spread and p, faithfulness, errors; nothing made up."""

from __future__ import annotations

from dataclasses import replace

from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval
from kdaudit.report import html, markdown
from kdaudit.report.composition import compose
from kdaudit.report.document import Fold, Table
from kdaudit.report.grounds import FAITHFUL, grounds


def about(value):
    return Interval(value, value - 0.05, value + 0.05, 100).to_data()


def evidence(name, **context):
    row = Row("spearman", "all", "proxy", Interval(0.9, 0.8, 0.95, 300), no_control="none", no_ceiling="none")
    return Evidence("compare/reasons", "Why?", (row,), context=context, proxy_name=name)


NULLS = {
    "rows": {"value": 0.9, "null": 0.1, "low": 0.05, "high": 0.16, "excess": 0.8, "p": 0.01},
    "stranger": {"value": 0.9, "null": 0.7, "low": 0.1, "high": 0.3, "excess": 0.2, "p": 1e-36},
}
OWN = {
    seat: {key: about(0.3 + at / 10) for at, key in enumerate(FAITHFUL)} for seat in ("teacher", "proxy", "stranger")
}
REASONS = {
    "nulls": NULLS,
    "crossed": {"own": OWN},
    "errors": {"teacher": {"relative_error": 0.01, "mean_gap": 0.004}, "proxy": {"relative_error": 0.02}, "twin": {}},
}


def tables(found):
    return [block for fold in found for block in fold.blocks if isinstance(block, Table)]


def test_nulls_faithfulness_and_errors_of_all_proxies_stand_in_one_fold():
    (fold,) = grounds([evidence("tree", **REASONS), evidence("list", **REASONS)])
    nulls, faithful, errors = tables([fold])
    assert nulls.rows[0] == ("tree", "its reasons for other rows of one decision", "0.900", "0.100 (0.050 to 0.160)",
                             "+0.800", "0.01")  # fmt: skip
    assert nulls.rows[1][3:] == ("0.700", "+0.200 (0.100 to 0.300)", "below 0.001")
    # the teacher's own stand once
    assert [row[0] for row in faithful.rows] == ["teacher", "tree", "stranger's tree", "list", "stranger's list"]
    assert faithful.rows[0][1] == "30.0 (25.0 to 35.0; n 100)"
    assert errors.rows == (
        ("teacher", "1.0 % of their size", "0.004"),
        ("tree", "2.0 % of their size", "none is promised"),
        ("list", "2.0 % of their size", "none is promised"),
    )


def test_attention_has_its_nulls_and_entropy():
    null = {"heads paired by chance": about(0.4), "texts exchanged": about(0.6)}
    (fold,) = grounds([evidence("small", null=null, entropy={"teacher": about(2.0)})])
    (table,) = tables([fold])
    assert [row[1] for row in table.rows] == [
        "likeness of heads, heads paired by chance", "likeness of heads, texts exchanged", "entropy of teacher, bits"
    ]  # fmt: skip
    assert "nulls and entropy" in fold.summary


def test_other_questions_have_none_and_what_is_missing_is_left_out():
    assert grounds([evidence("tree")]) == () and grounds([]) == ()
    assert grounds([evidence("tree", crossed={"reason": "closed"}, nulls={}, errors={"teacher": {}})]) == ()
    # the exchanged rows of reasons are no attention
    assert grounds([evidence("tree", null={"spearman": about(0.1)})]) == ()


def test_pages_show_it_and_escape_its_texts(run):
    shown = compose(replace(run, evidence={**run.evidence, "reasons": evidence("<script>", **REASONS)}))
    page, text = html.render(shown).decode(), markdown.render(shown).decode()
    assert "Behind these numbers" in page and "<script>" not in page and "Behind these numbers" in text
    assert any(isinstance(block, Fold) and "faithful" in block.summary for block in shown.blocks)
