"""Views and long answers: recorded once, they teach what the teacher said of the very rows that students see."""

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.chance import rng
from kdaudit.distillation.loop import Extras, Record, distil, learn
from kdaudit.distillation.recordings import FULL, TOP, read
from kdaudit.distillation.showing import viewed
from kdaudit.distillation.training import Schedule
from kdaudit.encoders import fitted
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.objective.reference import Reference
from kdaudit.signal import SCORE
from kdaudit.store.answers import Store
from kdaudit.subject import Answers

SHORT = Schedule(steps=60, batch=64, rate=1e-2)


def shaken(rows, draws):
    return rows + 0.3 * torch.randn(rows.shape, generator=draws)


@pytest.fixture
def opened(draw_rows):
    rows = draw_rows(120)
    encoder = fitted(rows)

    def make(k=3, hidden=(8,), scale="probability"):
        module = build("mlp", {"inputs": encoder.width, "outputs": k, "hidden": list(hidden)}, 0)
        return rows, Network("open", module, encoder, tuple(map(str, range(k))), scale=scale)

    return make


def small(teacher, hidden=(4,)):
    sizes = {"inputs": teacher.encoding.width, "outputs": len(teacher.outputs), "hidden": list(hidden)}
    return build("mlp", sizes, 1)


def test_views_of_one_row_stand_together():
    rows = torch.arange(6.0)[:, None]
    seen = viewed(rows, lambda x, draws: x + 10 * torch.rand(1, generator=draws), 3, 0).reshape(6, 3)
    assert torch.allclose(seen - seen[:1], rows.expand(6, 3)) and len(set(seen[0].tolist())) == 3
    with pytest.raises(InvalidInput, match="nothing to show"):
        viewed(rows, shaken, -1, 0)
    assert torch.equal(seen.reshape(-1, 1), viewed(rows, lambda x, d: x + 10 * torch.rand(1, generator=d), 3, 0))


@pytest.mark.parametrize("goal", ["soft_targets(2)", "soft_targets(1) + 0.5 * hint('layers.0')", "faithful"])
def test_recorded_views_teach_as_the_teacher_would(opened, tmp_path, goal):
    rows, teacher = opened()
    extras = Extras(view=shaken, views=4)
    keys = {"samples": rows, "store": Store(), "schedule": SHORT}
    made = distil(small(teacher), teacher, goal, rng=rng(0, "v"), extras=extras, **keys)
    again = distil(small(teacher), teacher, goal, rng=rng(0, "v"), extras=extras, **keys)
    assert made.identity == again.identity and made.notes["fitted"] == 120
    disk = Extras(view=shaken, views=4, recording=tmp_path / "views")
    kept = distil(small(teacher), teacher, goal, rng=rng(0, "v"), extras=disk, **keys)
    found = read(tmp_path / "views")
    assert (found.rows, found.views) == (120, 4)
    encoded = torch.from_numpy(teacher.encoding.encode(rows))
    seed = int(rng(0, "v").integers(2**62))
    one = viewed(encoded, shaken, 4, seed)[4 * 7 + 2]
    with torch.no_grad():
        right = torch.softmax(teacher.module(one[None]), dim=1)
    assert torch.allclose(found.take(torch.tensor([7]), torch.tensor([2])).score, right, atol=2e-3)
    # half precision moves a student a little
    said = [network.answer(rows, {SCORE}).score for network in (made, kept)]
    assert np.abs(said[0] - said[1]).max() < 0.05


def test_numbers_are_learned_from_changed_rows_too(opened):
    rows, teacher = opened(1, scale="value")
    with torch.no_grad():
        teacher.module.layers[-1].weight.mul_(20_000)
        teacher.module.layers[-1].bias.fill_(50_000)
    plan = Schedule(150, 64, 1e-2)
    for views in (0, 3):
        extras = Extras(view=lambda x, draws: x, views=views)
        found = distil(small(teacher, (16,)), teacher, "logit_mse", rows, schedule=plan, extras=extras)
        truth, said = (who.answer(rows, {SCORE}).score[:, 0] for who in (teacher, found))
        assert np.corrcoef(truth, said)[0, 1] > 0.9
        assert abs(said.mean() - truth.mean()) < 0.2 * truth.std()


def test_of_many_classes_the_likeliest_are_kept_and_learned(draw_rows, tmp_path, opened):
    rows, teacher = opened(FULL + 200, (32,))
    with torch.no_grad():
        teacher.module.layers[-1].weight.mul_(20)
    logits = teacher.raw(teacher.encoding.encode(rows))
    score = torch.softmax(torch.from_numpy(logits), 1).numpy()
    record = Record(rows, Reference.of(Answers({SCORE: score}), None, scale="probability"), 0)
    disk, plan = Extras(recording=tmp_path / "top"), Schedule(200, 64, 1e-2)
    told = []

    def taught(goal, extras):
        return learn(small(teacher, (32,)), teacher, goal, record, plan, rng(0, "t"), extras)

    kept = taught("soft_targets(1)", Extras(recording=disk.recording, progress=lambda *each: told.append(each[2])))
    whole = taught("soft_targets(1)", Extras())
    found = read(tmp_path / "top")
    assert dict(found.shapes) == {"kept": (TOP + 1,), "top": (TOP,)} and kept.notes["objective"] == "top_targets"
    assert told[-1] > 0.5 > told[0]
    agree = [(n.raw(n.encoding.encode(rows)).argmax(1) == logits.argmax(1)).mean() for n in (kept, whole)]
    assert agree[0] > agree[1] - 0.1
    with pytest.raises(InvalidInput, match="needs all outputs"):
        taught("soft_targets(4)", Extras(recording=tmp_path / "other"))


def test_a_closed_teacher_has_no_views(teacher_of, draw_rows):
    rows = draw_rows(20)
    with pytest.raises(Exception, match="a changed view of a row"):
        distil(nn.Linear(fitted(rows).width, 1), teacher_of(), samples=rows, extras=Extras(view=shaken, views=2))
