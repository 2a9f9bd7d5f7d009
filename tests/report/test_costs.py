"""The table of costs: a line for each proxy and the teacher, reasons for what is not known."""

from types import SimpleNamespace

from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval, counted, unknown
from kdaudit.report.costs import costs
from kdaudit.report.html import fragment


def row(measure, of, value, unit=""):
    return Row(measure, "all", of, value, unit, no_control="counted", no_ceiling="none", title=measure.title())


def run(*rows, name="student"):
    one = Evidence(
        "compare/cost", "What does it cost?", rows, context={"method": "counted"}, shows="cost", proxy_name=name
    )
    return SimpleNamespace(evidence={"a": one})


def test_teacher_and_proxies_have_a_line_each():
    blocks = costs(
        run(
            row("parameters", "proxy", counted(2689, 30), "parameters"),
            row("operations", "proxy", Interval(4.25, 4.0, 4.5, 30), "operations"),
            row("parameters", "teacher", counted(20_000, 30), "parameters"),
        )
    )
    table = blocks[2]
    assert table.head == ("who", "Parameters", "Operations")
    assert table.rows == (("the teacher", "20,000", ""), ("student", "2,689", "4.2 (4 to 4.5)"))
    assert "What the proxies cost" in fragment(blocks)


def test_what_is_not_known_says_why():
    blocks = costs(run(row("parameters", "proxy", unknown("it shows no body"))))
    assert blocks[2].rows == (("student", "not known"),)
    assert "Not known: it shows no body." in fragment(blocks)
    assert costs(SimpleNamespace(evidence={})) == ()
