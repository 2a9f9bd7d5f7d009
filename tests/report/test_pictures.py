"""Pictures of boundaries and of layers: whole, accessible and safe with any text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kdaudit.evidence import Evidence
from kdaudit.report import html, markdown
from kdaudit.report.document import Document
from kdaudit.report.pictures import layer_map, maps, plane, planes

HOSTILE = '"><script>alert(1)</script>'


def evidence(teacher, proxy, name="tree"):
    axis = {"field": "age", "labels": ["18", HOSTILE, "70"], "ordered": True}
    words = {"across": axis, "up": {**axis, "field": "hours"}, "anchor": f"sex {HOSTILE}", "outputs": ["above"]}
    arrays = {"teacher": np.array(teacher), "proxy": np.array(proxy)}
    return Evidence("compare/b", "t", (), context={"plane": words}, arrays=arrays, shows="plane", proxy_name=name)


CELLS = [[0, 0, 0], [0, 1, 1], [1, 1, 1]]
OTHER = [[0, 0, 0], [0, 0, 1], [1, 1, -1]]


def test_both_boundaries_run_between_the_cells_that_differ():
    (block,) = planes(evidence(CELLS, OTHER))
    drawn = plane(block)
    teacher, proxy = (drawn.split('<path d="')[i].split('"')[0] for i in (1, 2))
    # sides between unlike neighbours, counted by hand; a cell without an answer has no boundary
    assert teacher.count("M") == 4
    assert proxy.count("M") == 4
    assert drawn.count("<circle") == 1
    assert 'aria-label="tree: age across, hours up: teacher and tree decide alike in 7 of 9 points"' in drawn


def test_hostile_words_stay_words_in_every_format():
    (block,) = planes(evidence(CELLS, OTHER, name=HOSTILE))
    values = np.array([[0.5, np.nan]])
    found = {"title": HOSTILE, "array": "cka", "rows": [HOSTILE], "columns": ["a", HOSTILE]}
    one = Evidence(
        "q",
        "t",
        (),
        context={"maps": [found]},
        arrays={"cka": values, "cka_low": values - 0.1, "cka_high": values + 0.1},
        shows="map",
    )
    document = Document("x", "y", "z", (block, *maps(one)))
    page = html.render(document).decode()
    assert "<script" not in page and "NaN" not in page and "nan" not in page
    text = markdown.render(document).decode()
    assert "<script" not in text.replace("\\<", "") and "not known" in text


def test_a_map_shows_each_number_and_its_gaps():
    found = {"title": "layers", "array": "cka", "rows": ["a", "b"], "columns": ["c"], "words": "CKA"}
    values = np.array([[0.25], [np.nan]])
    arrays = {"cka": values, "cka_low": values - 0.3, "cka_high": values + 0.1}
    one = Evidence("q", "t", (), context={"maps": [found]}, arrays=arrays, shows="map")
    (block,) = maps(one)
    drawn = layer_map(block)
    assert drawn.count("<rect") == 2
    assert ">0.250<" in drawn and ">–<" in drawn
    assert ">−0.050 to 0.350<" in drawn
    assert "0.250 \\(−0.050 to 0.350\\)" in markdown.render(Document("x", "y", "z", (block,))).decode()
    # a number without an interval is not drawn at all
    assert maps(replace(one, arrays={"cka": values})) == ()
    assert "2 layers of the teacher by 1 of the proxy" in drawn


def test_evidence_without_a_picture_draws_none():
    assert planes(Evidence("q", "t", (), shows="plane")) == ()
    assert maps(Evidence("q", "t", (), shows="map")) == ()
