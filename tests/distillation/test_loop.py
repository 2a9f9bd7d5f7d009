import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.chance import rng
from kdaudit.distillation.loop import Extras, distil
from kdaudit.distillation.training import Schedule
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.networks.files import load, save
from kdaudit.networks.network import Network
from kdaudit.signal import GRADIENT, LABEL, SCORE
from kdaudit.store.answers import Store
from kdaudit.students.mlp import Mlp
from kdaudit.subject import Answers, Identity

SHORT = Schedule(steps=150, batch=64, rate=1e-2)


def module_for(rows, outputs=1, seed=0):
    return Mlp((16,)).build(rows.domain, ("o",) * outputs, np.random.default_rng(seed))


def agreement(student, teacher, rows):
    return (student.answer(rows, (LABEL,)).label == teacher.answer(rows, (LABEL,)).label).mean()


@pytest.mark.parametrize("outputs", [("yes",), ("p", "q", "r")])
@pytest.mark.parametrize("objective", ["soft_targets(2)", "logit_mse", "soft_targets(1) + 0.1 * logit_mse"])
def test_the_student_learns_to_answer_like_the_teacher(outputs, objective, teacher_of, draw_rows):
    teacher, rows = teacher_of(outputs), draw_rows(800)
    schedule = Schedule(steps=600, batch=64, rate=1e-2)
    student = distil(module_for(rows, len(outputs)), teacher, objective, rows, rng=rng(0, "x"), schedule=schedule)
    assert isinstance(student, Network)
    assert student.outputs == outputs
    assert agreement(student, teacher, draw_rows(1000, 9)) > 0.93


def test_the_same_seed_gives_the_same_bits(teacher_of, draw_rows):
    rows = draw_rows(300)
    made = [distil(module_for(rows), teacher_of(), "soft_targets(2)", rows, schedule=SHORT) for _ in range(2)]
    assert made[0].identity == made[1].identity
    other = distil(module_for(rows), teacher_of(), "soft_targets(2)", rows, rng=rng(1, "other"), schedule=SHORT)
    assert other.identity.digest != made[0].identity.digest


def test_the_module_stays_as_it_is_and_the_encoding_is_fitted_to_the_rows(teacher_of, draw_rows):
    rows = draw_rows(200)
    module = module_for(rows)
    before = [p.detach().clone() for p in module.parameters()]
    student = distil(module, teacher_of(), "soft_targets(2)", rows, schedule=SHORT)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert student.encoding == Encoding.fitted(rows)


def test_each_distinct_row_is_asked_once(teacher_of, draw_rows):
    rows, teacher, store = draw_rows(200), teacher_of(), Store()
    twice = rows.take(np.concatenate([np.arange(200), np.arange(200)]))
    for _ in range(2):
        distil(module_for(rows), teacher, "soft_targets(2)", twice, store=store, schedule=SHORT)
    assert teacher.asked == 200


def test_failed_rows_are_left_out_and_counted(teacher_of, draw_rows):
    rows = draw_rows(200)
    teacher = teacher_of(fails=tuple(range(0, 200, 4)))
    student = distil(module_for(rows), teacher, "soft_targets(2)", rows, schedule=SHORT)
    assert (student.notes["fitted"], student.notes["failed"]) == (150, 50)
    answered = rows.take(np.flatnonzero(np.arange(200) % 4))
    alone = distil(module_for(rows), teacher_of(), "soft_targets(2)", answered, schedule=SHORT)
    assert alone.identity.digest == student.identity.digest
    with pytest.raises(InvalidInput, match="none of 10 rows"):
        distil(module_for(rows), teacher_of(fails=tuple(range(10))), "soft_targets(2)", rows.take(range(10)))


def test_decisions_alone_suffice(teacher_of, draw_rows):
    teacher, rows = teacher_of(offers=(LABEL,)), draw_rows(800)
    student = distil(module_for(rows), teacher, "soft_targets(2)", rows, schedule=SHORT)
    assert agreement(student, teacher, draw_rows(1000, 9)) > 0.9


def test_numbers_are_learned_by_their_difference(teacher_of, draw_rows):
    teacher, rows = teacher_of(("price",), scale="value", offers=(SCORE,)), draw_rows(500)
    with pytest.raises(InvalidInput, match="use logit_mse"):
        distil(module_for(rows), teacher, "soft_targets(2)", rows, schedule=SHORT)
    student = distil(module_for(rows), teacher, "logit_mse", rows, schedule=SHORT)
    assert student.scale == "value"
    told, said = (s.answer(draw_rows(300, 9), (SCORE,)).score[:, 0] for s in (teacher, student))
    assert np.abs(told - said).mean() < 0.1 * told.std()


def test_objectives_without_a_usable_term_are_refused(teacher_of, draw_rows):
    rows = draw_rows(50)
    with pytest.raises(InvalidInput, match="drop labels"):
        distil(module_for(rows), teacher_of(), "soft_targets(2) + labels", rows)
    labelled = draw_rows(400, labels=True)
    student = distil(module_for(rows), teacher_of(), "labels", labelled, schedule=SHORT)
    assert (student.answer(labelled, (LABEL,)).label == labelled.labels).mean() > 0.9


def test_modules_that_do_not_fit_are_refused(teacher_of, draw_rows):
    rows = draw_rows(50)
    with pytest.raises(InvalidInput, match="3 outputs"):
        distil(module_for(rows), teacher_of(("p", "q", "r")), "soft_targets(2)", rows)
    with pytest.raises(InvalidInput, match="6 encoded columns"):
        distil(nn.Linear(5, 1), teacher_of(), "soft_targets(2)", rows)


def test_the_teacher_is_never_a_part_of_the_student(teacher_of, draw_rows):
    rows = draw_rows(100)
    teacher = distil(module_for(rows), teacher_of(), "soft_targets(2)", rows, schedule=SHORT)
    before = teacher.identity.digest
    with pytest.raises(InvalidInput, match="holds its teacher"):
        distil(nn.Sequential(teacher.module, nn.Linear(1, 1)), teacher, "logit_mse", rows)
    student = distil(module_for(rows, seed=1), teacher, "soft_targets(2)", rows, schedule=SHORT)
    assert not any(part is teacher.module for part in student.module.modules())
    assert Network("again", teacher.module, teacher.encoding, teacher.outputs).identity.digest == before


def test_answers_that_are_none_are_refused(draw_rows):
    class Strange:
        outputs, scale, form = ("yes",), "probability", None
        identity = Identity("strange", "0")

        def __init__(self, offers, value):
            self.offers, self.value = frozenset(offers), value

        def ask(self, subject, samples, signals):
            return Answers(dict.fromkeys(signals, self.value))

    rows = draw_rows(4)
    for offers, value, error in (
        ((GRADIENT,), None, NoSuchSignal),
        ((LABEL,), np.array([0, 1, 2, 0]), InvalidAnswers),
        ((SCORE,), np.full((4, 2), 0.5), InvalidAnswers),
    ):
        teacher = Strange(offers, value)
        with pytest.raises(error):
            distil(module_for(rows), teacher, "soft_targets(2)", rows, store=teacher)


@pytest.mark.parametrize("wrong", [(0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.0), (1, 1, float("nan"))])
def test_schedules_are_above_zero(wrong):
    with pytest.raises(InvalidInput, match="above 0"):
        Schedule(*wrong)


def test_it_can_be_kept(teacher_of, draw_rows, tmp_path):
    rows = draw_rows(100)
    student = distil(module_for(rows), teacher_of(), "soft_targets(2)", rows, schedule=SHORT)
    save(student, tmp_path)
    assert load(tmp_path).identity.digest == student.identity.digest


def test_the_default_objective_is_what_the_teacher_allows(teacher_of, draw_rows):
    rows = draw_rows(40)
    closed = distil(module_for(rows), teacher_of(), samples=rows, schedule=SHORT)
    assert closed.notes["objective"] == "soft_targets(4)"
    numbers = distil(module_for(rows), teacher_of(scale="value"), samples=rows, schedule=SHORT)
    assert numbers.notes["objective"] == "logit_mse"
    opened = distil(module_for(rows), closed, samples=rows, schedule=SHORT)
    assert opened.notes["objective"] == "soft_targets(4) + 0.2 * explanation"
    assert opened.encoding == closed.encoding
    other = Encoding.fitted(draw_rows(40, 1))
    apart = distil(module_for(rows), closed, samples=rows, schedule=SHORT, extras=Extras(encoding=other))
    assert apart.notes["objective"] == "soft_targets(4)"


def test_rows_stand_after_the_objective(teacher_of, draw_rows):
    for wrong in ((draw_rows(5), "soft_targets(2)"), (draw_rows(5),), ()):
        with pytest.raises(InvalidInput, match="rows were expected after the objective"):
            distil(module_for(draw_rows(5)), teacher_of(), *wrong)
