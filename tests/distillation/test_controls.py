import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.distillation.controls import controls
from kdaudit.distillation.loop import Extras, distil
from kdaudit.distillation.training import Schedule
from kdaudit.encoders import fitted
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.signal import LABEL
from kdaudit.store.answers import Store

PLAN = Schedule(150, 64, 1e-2)


def small(rows):
    return build("mlp", {"inputs": fitted(rows).width, "outputs": 1, "hidden": [4]}, 0)


def other(rows, seed=5):
    module = build("mlp", {"inputs": fitted(rows).width, "outputs": 1, "hidden": [3]}, seed)
    return Network(f"other {seed}", module, fitted(rows), ("yes",))


def test_controls_are_made_as_the_student_but_from_somebody_else(teacher_of, draw_rows):
    rows, teacher, store = draw_rows(300, labels=True), teacher_of(), Store()
    module, keys = small(rows), {"store": store, "schedule": PLAN}
    student = distil(module, teacher, "soft_targets(2)", rows, rng=rng(0, "c"), **keys)
    draws, stranger = rng(0, "c"), other(rows)
    found = controls(module, teacher, "soft_targets(2)", rows, strangers=[stranger], rng=draws, **keys)
    assert list(found) == ["labels", "other 5"] and teacher.asked == 300
    assert draws.bit_generator.state == rng(0, "c").bit_generator.state
    # the same by hand: handed the teacher instead of a stranger, a control is the student
    by_hand = distil(module, stranger, "soft_targets(2)", rows, rng=rng(0, "c"), **keys)
    assert found["other 5"].identity == by_hand.identity != student.identity
    assert found["labels"].notes["objective"] == "labels"
    label = rows.labels
    right = {name: (one.answer(rows, {LABEL}).label == label).mean() for name, one in found.items()}
    assert right["labels"] > 0.97 > right["other 5"]
    told = teacher.answer(rows, {LABEL}).label
    agreed = {name: (one.answer(rows, {LABEL}).label == told).mean() for name, one in found.items()}
    assert (student.answer(rows, {LABEL}).label == told).mean() > max(agreed.values())


def test_what_makes_no_control_is_refused(teacher_of, draw_rows):
    rows, bare = draw_rows(20, labels=True), draw_rows(20)
    with pytest.raises(InvalidInput, match="no control to be made"):
        controls(small(bare), teacher_of(), samples=bare)
    with pytest.raises(InvalidInput, match="name of its own"):
        controls(small(rows), teacher_of(), samples=rows, strangers=[other(rows), other(rows)])
    with pytest.raises(InvalidInput, match="stands among the strangers"):
        controls(small(rows), teacher_of(), samples=rows, strangers=[teacher_of()])
    with pytest.raises(InvalidInput, match="rows were expected"):
        controls(small(rows), teacher_of(), samples=np.zeros((3, 4)))


def test_without_outcomes_strangers_alone_teach_and_labels_need_no_open_teacher(teacher_of, draw_rows):
    bare, rows = draw_rows(20), draw_rows(20, labels=True)
    plan = Schedule(3, 10)
    assert list(controls(small(bare), teacher_of(), samples=bare, strangers=[other(bare)], schedule=plan)) == [
        "other 5"
    ]
    changed = Extras(view=lambda x, draws: x)
    assert list(controls(small(rows), teacher_of(), samples=rows, schedule=plan, extras=changed)) == ["labels"]
