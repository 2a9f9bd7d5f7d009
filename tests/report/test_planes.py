import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.finding import Transfer, Verdict
from kdaudit.interval import Interval, counted, unknown
from kdaudit.report.document import Contrast, Shown, TransferPlot
from kdaudit.report.figures import axis, nice_step, place, strip
from kdaudit.report.planes import Box, Page, limit, transfer

GAP = st.floats(-0.9, 0.9)


def contrast(label, teacher, half, proxies):
    shown = tuple(
        Shown(name, counted(p, 100), counted(teacher - p, 100), Transfer.CARRIED)
        for name, p in zip("abc", proxies, strict=False)
    )
    return Contrast(
        label, "probes/x", "?", "claim", "sentence", "", "rate difference", "points", "within", 0.05,
        Interval(teacher, teacher - half, teacher + half, 100), Verdict.FAILS, "low", 100, None, shown,
    )  # fmt: skip


@given(st.lists(st.tuples(GAP, GAP, GAP), min_size=1, max_size=12))
def test_labels_and_marks_never_lie_over_one_another(gaps):
    page = Page()
    texts = []
    for at, (x, y, _) in enumerate(gaps):
        found = page.place(200 + 150 * x, 200 + 150 * y, f"label {at}")
        if found is not None:
            texts.append(found)
    boxes = page.taken
    assert len(boxes) == len(texts)
    assert not any(a.meets(b) for i, a in enumerate(boxes) for b in boxes[:i])


@given(st.lists(st.tuples(GAP, GAP, GAP), min_size=1, max_size=8))
def test_all_that_is_drawn_lies_inside_the_picture(gaps):
    plot = TransferPlot(tuple(contrast(f"g{i}", x, 0.1, (y, z)) for i, (x, y, z) in enumerate(gaps)), "points", 0.05)
    text = str(transfer(plot))
    xs = [float(x) for x in re.findall(r' c?x="([-\d.]+)"', text)]
    ys = [float(y) for y in re.findall(r' c?y="([-\d.]+)"', text)]
    assert all(0 <= x <= 420 for x in xs) and all(0 <= y <= 400 for y in ys)
    assert text.count("<circle") == len(gaps)


def test_a_box_meets_itself_and_not_its_neighbour():
    box = Box(0, 0, 10, 10)
    assert box.meets(box) and not box.meets(Box(10, 0, 20, 10)) and box.meets(Box(9, 9, 20, 20))


def test_one_wide_interval_does_not_dwarf_the_others():
    near = contrast("near", 0.02, 0.01, (0.03,))
    wide = contrast("wide", 0.05, 0.9, (0.04,))
    assert limit(TransferPlot((near, wide), "points", 0.05)) < 0.3


def test_what_is_not_known_has_no_place_on_the_plane():
    absent = replace(contrast("absent", 0.1, 0.1, (0.1,)), teacher=unknown("not asked"))
    assert "<circle" not in str(transfer(TransferPlot((absent,), "points", 0.05)))


def test_marks_and_colours_tell_teacher_from_proxy(run):
    rows = run.evidence["probes.parity.student"].rows
    teacher, proxy = (str(strip(row, (-0.2, 0.2))) for row in rows[:2])
    assert 'fill="var(--teacher)"' in teacher and "<circle" in teacher
    assert 'fill="var(--proxy)"' in proxy and "<circle" not in proxy


@given(st.floats(-5, 5))
def test_places_rise_with_values_and_stay_on_the_strip(x):
    assert 0 <= place(x, (0.0, 1.0)) <= 280
    assert place(x, (0.0, 1.0)) <= place(x + 0.1, (0.0, 1.0))


@given(st.floats(1e-4, 100))
def test_axes_have_two_to_five_steps(room):
    assert 1.5 <= room / nice_step(room) <= 4.0001


@pytest.mark.parametrize(
    ("scale", "unit", "shown"),
    [((-0.05, 0.25), "points", False), ((-0.5, 0.35), "", True), ((-0.01, 1.0), "", False), ((0.1, 0.9), "", False)],
)
def test_nothing_is_written_over_the_ends_of_a_scale(scale, unit, shown):
    assert (">0</text>" in str(axis(scale, unit))) == shown
