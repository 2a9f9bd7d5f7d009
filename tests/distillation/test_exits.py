"""Do deeper exits teach shallower ones in every family of networks?"""

import numpy as np
import pytest
import torch

from kdaudit.distillation.training import Lesson, Schedule, Told, Training
from kdaudit.networks.architectures import build
from kdaudit.networks.taps import Taps, resolve
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import parse, spread

FAMILIES = {
    "mlp": {"inputs": 16, "hidden": [12, 12, 8]},
    "cnn": {"shape": [1, 4, 4], "hidden": [12, 12, 12]},
    "patch_transformer": {"shape": [1, 4, 4], "patch": 2, "width": 8, "hidden": [8, 8]},
    "transformer": {"vocabulary": 20, "length": 6, "width": 8, "hidden": [8, 8]},
    "word_cnn": {"vocabulary": 20, "length": 6, "width": 8, "hidden": [8, 8]},
}


def taught(kind, goal):
    """Train a network with exits; return how far each exit is from the network's own answers, in nats."""
    rng, words = np.random.default_rng(0), "vocabulary" in FAMILIES[kind]
    inputs = rng.integers(1, 20, (120, 6)) if words else rng.normal(size=(120, 16))
    rows = torch.from_numpy(inputs.astype(np.float32))
    student = build(kind, {**FAMILIES[kind], "outputs": 3, "exits": True}, 0)
    logit = torch.stack([rows[:, 0], rows[:, 1], rows[:, :4].mean(dim=1)], dim=1) / (6 if words else 0.5)
    whole = spread(parse(goal), lambda tap: resolve(student, tap), lambda tap, by: resolve(student, tap))
    lesson = Lesson([student], whole, rows, Told(Reference.from_logits(logit, None, "probability")))
    Training(lesson, Schedule(150, 60, 1e-2), 0).run()
    with torch.no_grad(), Taps(student, ["exits.*"]) as taps:
        given = taps(rows)
    own = Reference.from_logits(given.pop(""), None, "probability")
    return [float(parse("soft_targets(1)")(value, own).mean()) for value in given.values()]


@pytest.mark.parametrize("kind", FAMILIES)
def test_exits_come_nearer_to_what_the_network_says_in_the_end(kind):
    plain = taught(kind, "soft_targets(1)")
    learned = taught(kind, "soft_targets(1) + own(soft_targets(1, 'exits.*'))")
    assert len(learned) == len(FAMILIES[kind]["hidden"]) - 1
    assert all(after < before for before, after in zip(plain, learned, strict=True))
    assert learned[-1] < 0.6 * plain[-1]
