"""The loop: exact resumption, layers, explanations, exits; on tables of the conftest and on digits."""

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.chance import rng
from kdaudit.distillation.looking import Shown, look
from kdaudit.distillation.loop import Extras, distil, learn, recorded
from kdaudit.distillation.training import EVERY, Lesson, Schedule, Told, Training
from kdaudit.encoding import Encoding
from kdaudit.errors import BrokenRun, InvalidInput, NoSuchSignal
from kdaudit.live import listening
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse
from kdaudit.samples import Samples
from kdaudit.store.answers import Store


def network(rows, outputs=("p", "q", "r"), hidden=(24, 16), seed=0):
    encoding = Encoding.fitted(rows)
    arguments = {"inputs": encoding.width, "outputs": len(outputs), "hidden": list(hidden)}
    return Network("deep teacher", build("mlp", arguments, seed), encoding, outputs)


def small(rows, outputs=3, hidden=(8, 8), seed=1):
    return build("mlp", {"inputs": Encoding.fitted(rows).width, "outputs": outputs, "hidden": list(hidden)}, seed)


def short(steps=30, **keys):
    return Schedule(steps, 32, 1e-2, **keys)


EACH = [
    "hint('layers.0')",
    "cosine_hint('layers.*')",
    "similarity('layers.0', 'layers.1')",
    "relation('layers.0')",
    "contrastive(0.1, 'layers.1')",
    "cka('layers.0')",
    "explanation",
    "explanation('layers.0')",
    "decoupled(4)",
    "correlation(4)",
]


@pytest.mark.parametrize("term", EACH)
def test_every_term_falls_while_it_is_learned(term, draw_rows):
    rows = draw_rows(200)
    teacher = network(rows)
    module = small(rows, hidden=(24, 8) if term == "explanation('layers.0')" else (8, 8))
    losses = []

    def watch(step, loss, agreed):
        losses.append(loss)

    student = distil(
        module, teacher, f"soft_targets(2) + {term}", rows, schedule=short(60), extras=Extras(progress=watch)
    )
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert student.notes["terms"][1]["unit"] > 0
    assert str(student.notes["objective"]).startswith("soft_targets(2)")


def lesson(rows, seed=1, dropout=0.3):
    torch.manual_seed(0)
    width = Encoding.fitted(rows).width
    student = nn.Sequential(nn.Linear(width, 8), nn.BatchNorm1d(8), nn.Dropout(dropout), nn.ReLU(), nn.Linear(8, 3))
    teacher = network(rows)
    encoded = torch.from_numpy(teacher.encoding.encode(rows))
    taps = look(teacher.module, encoded, ["layers.0", "layers.1"], None)
    reference = Reference.from_logits(teacher.module(encoded), None, "probability", taps)
    goal = parse("soft_targets(2) + hint('0', 'layers.0') + ramp(0, 1) * cosine_hint('1', 'layers.1')")

    def noisy(inputs, generator):
        return inputs + 0.1 * torch.randn(inputs.shape, generator=generator)

    return Lesson([student], goal, encoded, Told(reference), view=noisy)


class Killed(Exception):
    pass


def test_a_training_that_was_killed_goes_on_to_the_same_bits(draw_rows, tmp_path):
    rows, schedule = draw_rows(150), Schedule(2 * EVERY + 20, 32, 1e-2, clip=1.0)
    whole = lesson(rows)
    curve = Training(whole, schedule, 5).run()

    def kill(step, loss, agreed):
        if step in (EVERY + 17, 2 * EVERY + 3):
            raise Killed

    for _ in range(2):
        part = lesson(rows, seed=9)
        with pytest.raises(Killed):
            Training(part, schedule, 5).run(tmp_path, kill)
    last = lesson(rows)
    resumed = Training(last, schedule, 5)
    again = resumed.run(tmp_path)
    assert np.array_equal(curve, again)
    state, other = whole.students[0].state_dict(), last.students[0].state_dict()
    assert all(torch.equal(state[name], other[name]) for name in state)
    assert not any(path.suffix == ".tmp" for path in tmp_path.iterdir())
    # a finished training is not begun again
    assert np.array_equal(Training(lesson(rows), schedule, 5).run(tmp_path), curve)


def test_another_training_is_not_gone_on_with(draw_rows, tmp_path):
    rows = draw_rows(60)
    Training(lesson(rows), short(5), 5).run(tmp_path)
    with pytest.raises(InvalidInput, match="another training, which differs in seed"):
        Training(lesson(rows), short(5), 6).run(tmp_path)
    next(tmp_path.glob("*.safetensors")).write_bytes(b"nothing")
    with pytest.raises(BrokenRun, match="could be gone on with"):
        Training(lesson(rows), short(5), 5).run(tmp_path)


def test_the_random_state_outside_and_the_teacher_stay_as_they_are(draw_rows):
    rows = draw_rows(100)
    teacher = network(rows)
    digest, state = teacher.identity.digest, torch.random.get_rng_state()
    distil(small(rows), teacher, "soft_targets(2) + hint('layers.0')", rows, schedule=short(5))
    assert torch.equal(torch.random.get_rng_state(), state)
    again = Network("deep teacher", teacher.module, teacher.encoding, teacher.outputs)
    assert again.identity.digest == digest


def test_projections_are_clipped_and_learned_but_no_part_of_the_student(draw_rows):
    rows = draw_rows(100)
    teacher = network(rows)
    student = distil(small(rows), teacher, "hint('layers.0')", rows, schedule=short(20, clip=0.5))
    assert set(student.module.state_dict()) == set(small(rows).state_dict())
    assert student.notes["terms"][0]["projected"]


def test_a_teacher_that_moves_is_noticed(draw_rows):
    rows = draw_rows(100)
    teacher = network(rows)

    def meddle(step, loss, agreed):
        with torch.no_grad():
            teacher.module.layers[0].bias.add_(1)

    with pytest.raises(BrokenRun, match="changed while it taught"):
        distil(small(rows), teacher, "hint('layers.0')", rows, schedule=short(3), extras=Extras(progress=meddle))


def test_changed_rows_are_seen_by_student_and_teacher_alike(draw_rows):
    rows = draw_rows(100)
    teacher = network(rows)
    seen = []

    def view(inputs, generator):
        seen.append(inputs + 1)
        return seen[-1]

    asked = []
    handle = teacher.module.register_forward_pre_hook(lambda module, given: asked.append(given[0]))
    distil(small(rows), teacher, "soft_targets(2)", rows, store=Store(), schedule=short(3), extras=Extras(view=view))
    handle.remove()
    assert all(torch.equal(a, b) for a, b in zip(seen, asked[-3:], strict=True))


def test_learning_stops_where_agreement_stays(draw_rows):
    rows = draw_rows(200)
    teacher = network(rows)
    watch = recorded(teacher, draw_rows(80, 1), Store().ask)
    student = distil(
        small(rows), teacher, "soft_targets(2)", rows, schedule=short(2000, patience=2), extras=Extras(watch=watch)
    )
    assert student.notes["steps"] < 2000


def test_a_loss_without_a_number_names_its_term(draw_rows):
    rows = draw_rows(60)
    good = lesson(rows, dropout=0.0)
    good.view = lambda inputs, generator: inputs
    calls = []

    def spoilt(inputs, chosen):
        reference = Told.__call__(good.teaching, inputs, chosen)
        calls.append(1)
        if len(calls) > 3:
            reference.taps["layers.0"][0, 0] = float("inf")
        return reference

    bad = Lesson(good.students, good.goal, good.inputs, spoilt)
    with pytest.raises(InvalidInput, match=r"loss is inf at step 3 of 30, by the term hint\('0', 'layers.0'\)"):
        Training(bad, short(), 0).run()


@pytest.mark.parametrize(
    ("objective", "error", "told"),
    [
        ("hint('layers.9')", InvalidInput, "the student: there is no layer 'layers.9' in Mlp; close names are"),
        ("hint('layers.0', 'encoder')", InvalidInput, "the teacher: there is no layer 'encoder'"),
        ("attention('layers.0:map')", NoSuchSignal, "gave no map"),
        ("peers(soft_targets(2))", InvalidInput, "learns alone"),
    ],
)
def test_layers_that_are_not_there_are_told_before_a_step(objective, error, told, draw_rows):
    rows = draw_rows(40)
    with pytest.raises(error, match=told):
        distil(small(rows), network(rows), objective, rows, schedule=short(2))


def test_a_closed_teacher_is_not_looked_into(teacher_of, draw_rows):
    rows = draw_rows(40)
    with pytest.raises(NoSuchSignal, match="gives answers only"):
        distil(small(rows, 1), teacher_of(), "hint('layers.0')", rows, schedule=short(2))


def test_a_teacher_in_training_mode_is_refused(draw_rows):
    rows = draw_rows(40)
    teacher = network(rows)
    teacher.module.layers[1].train()
    for goal in ("hint('layers.0')", "soft_targets(2)"):
        with pytest.raises(InvalidInput, match=r"in training mode \(layers.1\)"):
            distil(small(rows), teacher, goal, rows, schedule=short(2))
    with pytest.raises(InvalidInput, match="training mode"):
        Shown(nn.Linear(2, 2))


def test_shared_weights_are_refused(draw_rows):
    rows = draw_rows(40)
    teacher = network(rows)
    module = small(rows, hidden=(24, 16))
    module.layers[1] = teacher.module.layers[1]
    with pytest.raises(InvalidInput, match="shares layers.1.weight, layers.1.bias with its teacher"):
        distil(module, teacher, "soft_targets(2)", rows, schedule=short(2))


@pytest.mark.parametrize("objective", ["decoupled(4)", "correlation"])
def test_terms_of_several_classes_are_refused_for_two(objective, teacher_of, draw_rows):
    rows = draw_rows(40)
    with pytest.raises(InvalidInput, match="needs at least 3 classes, and the teacher has 2"):
        distil(small(rows, 1), teacher_of(), objective, rows, schedule=short(2))


class Exits(nn.Module):
    """A network with an early exit."""

    def __init__(self, width):
        super().__init__()
        self.first, self.exit = nn.Linear(width, 8), nn.Linear(8, 3)
        self.second, self.head = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.first(x))
        self.exit(x)
        return self.head(torch.relu(self.second(x)))


def test_deeper_layers_teach_shallower_ones_and_learn_nothing_from_it(draw_rows):
    rows = draw_rows(300)
    torch.manual_seed(0)
    module, teacher = Exits(Encoding.fitted(rows).width), network(rows, seed=3)
    plain, taught = (
        distil(module, teacher, objective, rows, schedule=short(200))
        for objective in ("soft_targets(1)", "soft_targets(1) + own(soft_targets(1, 'exit'))")
    )
    encoded = taught.encoding.encode(draw_rows(300, 7))

    def apart(student):
        given = look(student.module, encoded, ["exit"], None)["exit"]
        out = Reference.from_logits(student.module(torch.from_numpy(encoded)), None, "probability")
        return float(parse("soft_targets(1)")(given, out).mean())

    assert apart(taught) < 0.2 * apart(plain)


def test_the_exits_gradient_does_not_reach_the_deeper_layer(draw_rows):
    rows = draw_rows(40)
    module = Exits(Encoding.fitted(rows).width)
    before = module.head.weight.detach().clone()
    record = recorded(network(rows), rows, Store().ask)
    goal = "own(soft_targets(1, 'exit'))"
    student = learn(module, network(rows), goal, record, short(1), rng(0, "x"))
    # only the decay of weights moves what nothing is learned by
    moved = (student.module.head.weight - before).abs().max() / before.abs().max()
    assert moved < 1e-3
    assert (student.module.exit.weight - module.exit.weight).abs().max() > 5e-3


def test_layers_may_be_kept_on_disk(draw_rows, tmp_path):
    rows = draw_rows(300)
    teacher, goal = network(rows), "soft_targets(2) + hint('layers.0') + explanation"
    memory = distil(small(rows), teacher, goal, rows, schedule=short(20))
    disk, again = (
        distil(small(rows), teacher, goal, rows, schedule=short(20), extras=Extras(recording=tmp_path / "kept"))
        for _ in range(2)
    )
    assert disk.identity.digest == again.identity.digest
    assert disk.notes["loss"] == pytest.approx(memory.notes["loss"], rel=1e-2)
    with pytest.raises(BrokenRun, match="another teacher or other rows"):
        other, extras = network(rows, seed=4), Extras(recording=tmp_path / "kept")
        distil(small(rows), other, goal, rows, schedule=short(2), extras=extras)


def test_what_cannot_learn_is_told(draw_rows):
    rows = draw_rows(40)
    teacher = network(rows)
    for module, told in (
        ("mlp", "the student is a str; a torch module was expected"),
        (small(rows).requires_grad_(requires_grad=False), "no weights that could learn"),
        (teacher.module, "holds its teacher"),
    ):
        with pytest.raises(InvalidInput, match=told):
            distil(module, teacher, objective="soft_targets(2)", samples=rows, schedule=short(2))
    with pytest.raises(InvalidInput, match="no rows to learn from"):
        distil(small(rows), teacher, objective="soft_targets(2)", samples=rows.take([]), schedule=short(2))


@pytest.mark.parametrize(("outcome", "told"), [(0.5, "hold 0.5"), (np.nan, "hold nan"), (7, "0 to 2 were expected")])
def test_outcomes_that_are_no_classes_are_told(outcome, told, draw_rows):
    rows = draw_rows(40, labels=True)
    labels = np.where(np.arange(40) == 3, outcome, rows.labels)
    wrong = Samples(rows.domain, rows.columns, rows.ids, rows.origin, labels)
    with pytest.raises(InvalidInput, match=told):
        distil(small(rows), network(rows), objective="labels", samples=wrong, schedule=short(2))


def test_gradients_are_clipped_over_projections_too(draw_rows, monkeypatch):
    rows, seen = draw_rows(40), []

    def clip(weights, longest):
        seen.append(([tuple(w.shape) for w in weights], longest))

    monkeypatch.setattr(nn.utils, "clip_grad_norm_", clip)
    goal = "soft_targets(2) + hint('layers.0')"
    distil(small(rows), network(rows), objective=goal, samples=rows, schedule=short(2, clip=0.5))
    shapes, longest = seen[0]
    # the student's layers, and what brings its 8 units to the teacher's 24
    assert shapes == [*(tuple(p.shape) for p in small(rows).parameters()), (24, 8)]
    assert longest == 0.5
    assert len(seen) == 2


def test_the_rate_falls_along_half_a_cosine(draw_rows):
    rows, training, rates = draw_rows(60), None, []
    good = lesson(rows, dropout=0.0)

    def watch(step, loss, agreed):
        rates.append(training.optimizer.param_groups[0]["lr"])

    training = Training(good, Schedule(4, 32, 1e-2), 0)
    training.run(progress=watch)
    assert rates == pytest.approx([1e-2 * (1 + np.cos(np.pi * k / 4)) / 2 for k in range(4)])


def test_who_listens_hears_how_far_a_training_is(draw_rows):
    rows, heard = draw_rows(60), []
    with listening(heard.append):
        distil(small(rows), network(rows), objective="soft_targets(2)", samples=rows, schedule=short(100))
    assert len(heard) == 50
    assert heard[-1].startswith("step 100 of 100, decides as its teacher on ")


@pytest.mark.parametrize(("device", "which"), [("cuda:1", (torch.device("cuda:1"),)), ("mps", ())])
def test_the_random_state_of_another_device_is_put_back(device, which, draw_rows, monkeypatch):
    told = []

    class Chance:
        @staticmethod
        def get_rng_state(*where):
            told.append(("get", where))
            return "as it was"

        @staticmethod
        def set_rng_state(state, *where):
            told.append(("set", state, where))

        @staticmethod
        def manual_seed(seed):
            told.append("seed")

    monkeypatch.setattr(torch, "get_device_module", lambda place: Chance)
    training = Training(lesson(draw_rows(20)), short(2), 0)
    training.device = torch.device(device)
    with pytest.raises(Killed), training._noise():
        raise Killed
    assert told == [("get", which), "seed", ("set", "as it was", which)]
