"""The recipe of growing students: the curve is made, the smallest good enough is taken, the same every time."""

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.distillation.growing import Growing
from kdaudit.encoders import read_of
from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL
from kdaudit.store.answers import Store

RECIPE = Growing(sizes=[[1], [2], [4], [8]], seeds=3, steps=150, batch=64, rate=1e-2)


def make(recipe, teacher, parts, **keys):
    behaviour = Behaviour("yes", teacher.outputs, parts["fit"].domain, **keys)
    return recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), rng(0, "g"))


@pytest.fixture
def parts(draw_rows):
    return {"fit": draw_rows(300, labels=True), "select": draw_rows(200, 1, labels=True)}


def test_the_smallest_within_one_standard_error_is_taken(teacher_of, parts):
    student = make(RECIPE, teacher_of(), parts)
    curve = student.notes["curve"]
    assert [point["parameters"] for point in curve] == sorted(point["parameters"] for point in curve)
    (chosen,) = [point for point in curve if point["chosen"]]
    assert student.form.parameters == chosen["parameters"]
    best = max(curve, key=lambda point: np.mean(point["agreement"]))
    assert np.mean(chosen["agreement"]) >= np.mean(best["agreement"]) - np.std(best["agreement"], ddof=1) / 3**0.5
    told, said = (s.answer(parts["select"], {LABEL}).label for s in (teacher_of(), student))
    assert chosen["agreement"][0] == pytest.approx((told == said).mean())
    (shown,) = student.shown
    assert shown.shows == "curve" and len(shown.rows) == 4
    assert all(row.control_kind == "label_only" for row in shown.rows)
    assert shown.context["law"] is not None
    again = make(RECIPE, teacher_of(), parts)
    assert again.identity == student.identity and again.shown[0].rows == shown.rows


def test_without_outcomes_there_is_no_control(teacher_of, draw_rows):
    student = make(RECIPE, teacher_of(), {"fit": draw_rows(100), "select": draw_rows(50, 1)})
    assert all(row.control is None and "outcomes" in row.no_control for row in student.shown[0].rows)


def test_students_grow_in_depth_as_well(teacher_of, parts):
    recipe = Growing(network="soft_tree", sizes=[[1], [2], [3]], seeds=1, steps=30, batch=64)
    found = make(recipe, teacher_of(), parts).notes["curve"]
    assert [point["parameters"] for point in found] == sorted({point["parameters"] for point in found})
    with pytest.raises(InvalidInput, match="one depth"):
        Growing(network="soft_tree", sizes=[[2, 2]])
    assert Growing(objective="soft_targets(2) + explanation").of_outcomes().objective == "soft_targets(2)"


def test_students_of_every_size_have_what_a_student_may_have(teacher_of, parts):
    goal = "soft_targets(1) + own(soft_targets(1, 'exits.*'))"
    keys = {"objective": goal, "exits": True, "reads": ["x", "g"], "settled": 0.5, "inputs": "data + jitter"}
    recipe, teacher = Growing(sizes=[[2, 2], [4, 4]], seeds=1, steps=20, batch=64, **keys), teacher_of()
    found = make(recipe, teacher, parts)
    assert found.arguments["exits"] and read_of(found.encoding) == ("x", "g") and found.notes["fitted"] == 600
    assert teacher.asked == 600 + 200
    assert len(recipe.further(Behaviour("yes", ("yes",), parts["fit"].domain), parts, rng(0, "g"))) == 600
    assert recipe.of_outcomes().inputs == "data"
    for wrong in ({"vocabulary": 0}, {"settled": -1.0}, {"inputs": "nothing"}):
        with pytest.raises(InvalidInput):
            Growing(**wrong)


def test_what_has_no_decisions_is_refused(teacher_of, parts):
    with pytest.raises(InvalidInput, match="decisions"):
        make(RECIPE, teacher_of(("price",), scale="value"), parts, scale="value")
    with pytest.raises(InvalidInput, match="at least one"):
        Growing(sizes=())
    assert "4 sizes" in RECIPE.words()
