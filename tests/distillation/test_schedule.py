"""How long, how fast, and how a student settles."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.distillation.loop import distil, drawn
from kdaudit.distillation.schedule import Schedule
from kdaudit.distillation.students import Student
from kdaudit.distillation.training import EVERY, Lesson, Told, Training
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse
from kdaudit.store.answers import Store

_spec = importlib.util.spec_from_file_location("digits", Path(__file__).with_name("digits.py"))
digits = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(digits)


def lesson():
    inputs = torch.randn(60, 16, generator=torch.Generator().manual_seed(0))
    told = Reference.from_logits(inputs @ torch.ones(16, 3) * torch.arange(3), None, "probability")
    student = build("cnn", {"shape": [1, 4, 4], "outputs": 3, "hidden": [4]}, 0)
    return Lesson([student], parse("soft_targets(4)"), inputs, Told(told))


def norms(made):
    return [part for part in made.students[0].modules() if isinstance(part, nn.BatchNorm2d)]


@pytest.mark.parametrize(("settled", "met"), [(0.0, 10), (0.4, 6), (1.0, 0)])
def test_means_and_spreads_are_held_in_the_last_steps(settled, met):
    made = lesson()
    Training(made, Schedule(10, 16, 1e-2, settled=settled), 0).run()
    assert [int(norm.num_batches_tracked) for norm in norms(made)] == [met]


def test_a_settled_students_loss_is_that_of_the_student_that_answers():
    made = lesson()
    steps = []

    def watch(step, loss, agreed):
        if step == 9:  # the tenth step begins from these weights, with all rows
            student = made.students[0]
            student.eval()
            with torch.no_grad():
                given = student(made.inputs)
            steps.append(float(made.goal({"": given}, made.teaching.reference).mean()))
            student.train()

    curve = Training(made, Schedule(10, 60, 1e-2, settled=0.5), 0).run(progress=watch)
    assert curve[9] == pytest.approx(steps[0], rel=1e-5)


def test_a_settling_training_that_was_killed_goes_on_to_the_same_bits(tmp_path):
    schedule, whole = Schedule(EVERY + 60, 16, 1e-2, settled=0.5), lesson()
    curve = Training(whole, schedule, 3).run()

    def kill(step, loss, agreed):
        if step == EVERY + 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Training(lesson(), schedule, 3).run(tmp_path, kill)
    last = lesson()
    assert np.array_equal(Training(last, schedule, 3).run(tmp_path), curve)
    state, other = whole.students[0].state_dict(), last.students[0].state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)


@pytest.mark.parametrize("settled", [-0.1, 1.1, float("nan")])
def test_what_settles_is_a_share(settled):
    with pytest.raises(InvalidInput, match="and a share"):
        Schedule(settled=settled)


def test_a_plan_may_let_a_student_settle(teacher_of, draw_rows):
    rows = draw_rows(30)
    behaviour = Behaviour("yes", ("yes",), rows.domain)
    made = [
        Student(steps=9, settled=share).make(
            behaviour, teacher_of(), {"fit": rows}, Store().ask, np.random.default_rng(0)
        )
        for share in (0.0, 0.5)
    ]
    # an mlp has no normalisation to hold
    assert made[0].identity == made[1].identity
    with pytest.raises(InvalidInput, match="and a share"):
        Student(settled=2)


@pytest.mark.slow
def test_a_small_student_that_settles_is_nearer_to_its_teacher():
    fit, judge = digits.pictures()
    gains = []
    for seed in range(3):
        teacher = digits.trained(fit.take(np.arange(120 * seed, 120 * seed + 120)), 96, 48, seed=seed, steps=200)
        module = build("cnn", {"shape": [1, 8, 8], "outputs": 10, "hidden": [8, 16]}, seed)
        far = []
        for share in (0.0, 0.5):
            schedule = Schedule(800, 64, settled=share)
            student = distil(module, teacher, "soft_targets(4)", fit, schedule=schedule, rng=rng(seed, "settling"))
            raw, told = (torch.from_numpy(one.raw(one.encoding.encode(judge))) for one in (student, teacher))
            p, q = (torch.log_softmax(z.double(), dim=1) for z in (told, raw))
            far.append(float((p.exp() * (p - q)).sum(dim=1).mean()))
        gains.append(1 - far[1] / far[0])
    assert min(gains) > 0 and np.mean(gains) > 0.03, gains


@pytest.mark.parametrize("doubt", [0.15, 2.0])
def test_rows_that_the_teacher_doubts_are_drawn_more_often_while_a_student_settles(doubt):
    made = lesson()
    told = made.teaching.reference
    first, second = np.sort(told.score.numpy(), axis=1)[:, :-3:-1].T
    wanted = 1 / (first - second + doubt)
    reach = drawn(told, Schedule(10, 60, settled=0.5, doubt=doubt), 60)
    training = Training(replace(made, chances=reach), Schedule(10, 60, settled=0.5, doubt=doubt), 0)
    assert sorted(training._next().tolist()) == list(range(60))  # at first all rows alike, each once
    training.done = 5
    counts = np.bincount(torch.cat([training._next() for _ in range(2000)]).numpy(), minlength=60)
    expected = wanted / wanted.sum() * counts.sum()
    # 60 counts, each within five of its spreads
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_views_of_a_row_share_its_chance_and_one_output_has_a_lead_as_two_have():
    p = torch.tensor([[0.9], [0.5]], dtype=torch.float64)
    one = Reference(torch.logit(p), p)
    reach = drawn(one, Schedule(settled=0.5, doubt=0.2), 6)
    assert torch.allclose(
        reach.diff(prepend=reach.new_zeros(1)), torch.tensor([1.0] * 3 + [5.0] * 3, dtype=reach.dtype)
    )
    assert drawn(one, Schedule(), 6) is None


def test_doubt_without_a_settled_share_or_about_numbers_is_refused():
    for keys in ({"doubt": 0.1}, {"doubt": -1.0, "settled": 0.5}):
        with pytest.raises(InvalidInput, match="says how rows are drawn in the settled share"):
            Schedule(**keys)
    numbers = Reference(torch.ones(3, 1), torch.ones(3, 1), scale="value")
    with pytest.raises(InvalidInput, match="doubt is about decisions"):
        drawn(numbers, Schedule(settled=0.5, doubt=0.1), 3)


def test_a_doubting_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    schedule = Schedule(2 * EVERY, 16, 1e-2, settled=0.8, doubt=0.15)

    def run(**keys):
        made = lesson()
        Training(replace(made, chances=drawn(made.teaching.reference, schedule, 60)), schedule, 0).run(**keys)
        return torch.cat([p.detach().flatten() for p in made.students[0].parameters()])

    def dies(step, loss, agreed):
        if step == EVERY + 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder=tmp_path, progress=dies)
    assert torch.equal(run(folder=tmp_path), run())
