"""Networks in half precision, as on a GPU."""

import numpy as np
import pytest
import torch

from kdaudit.distillation.loop import Extras, distil
from kdaudit.distillation.training import Schedule, Training
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network


def test_in_half_precision_networks_learn_much_the_same_and_stay_in_single(draw_rows, monkeypatch):
    """What a GPU does, done by the CPU: networks and their gradients in bfloat16, terms in single precision."""
    rows, seen = draw_rows(200), []
    encoding, goal = Encoding.fitted(rows), "soft_targets(2) + 0.2 * explanation + 0.5 * hint('layers.0', 'layers.0')"

    def built(hidden, seed):
        return build("mlp", {"inputs": encoding.width, "outputs": 3, "hidden": hidden}, seed)

    teacher = Network("deep teacher", built([24, 16], 0), encoding, ("p", "q", "r"))

    def run():
        losses = []
        told = Extras(progress=lambda step, loss, agreed: losses.append(loss))
        student = distil(built([8, 8], 1), teacher, goal, rows, schedule=Schedule(80, 32, 1e-2), extras=told)
        return np.array(losses), torch.cat([p.flatten() for p in student.module.parameters()])

    def precision(training):
        seen.append(training.done)
        return torch.autocast("cpu", dtype=torch.bfloat16)

    losses, weights = run()
    monkeypatch.setattr(Training, "_precision", precision)
    rounded, half = run()
    assert seen == list(range(80))
    assert half.dtype == torch.float32 and not torch.equal(half, weights)
    assert np.isfinite(rounded).all()
    assert rounded[-10:].mean() < 0.8 * rounded[:5].mean()
    assert rounded[-10:].mean() == pytest.approx(losses[-10:].mean(), rel=0.1)
    assert float(torch.nn.functional.cosine_similarity(weights, half, dim=0)) > 0.95
