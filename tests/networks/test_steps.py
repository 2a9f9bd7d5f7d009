import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.steps import DECAY, fit

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(400, 6)).astype(np.float32)
YES = torch.from_numpy((INPUTS[:, 0] * INPUTS[:, 1] > 0).astype(np.float32))


def _loss(given, rows):
    return functional.binary_cross_entropy_with_logits(given[:, 0], YES[rows])


def _module(seed=0):
    return build("mlp", {"inputs": 6, "outputs": 1, "hidden": [16]}, seed)


def _bits(module):
    return b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values())


def test_it_learns_what_a_line_cannot():
    module = _module()
    curve = fit(module, INPUTS, _loss, steps=400, batch=64, rate=1e-2, seed=0)
    assert curve.shape == (400,)
    assert curve[:20].mean() > 0.6
    assert curve[-20:].mean() < 0.2
    assert not module.training


def test_the_same_seed_gives_the_same_bits_and_another_gives_others():
    results = []
    for seed in (3, 3, 4):
        module = _module()
        curve = fit(module, INPUTS, _loss, steps=30, batch=64, rate=1e-2, seed=seed)
        results.append((_bits(module), curve.tobytes()))
    assert results[0] == results[1]
    assert results[0][0] != results[2][0]


def test_dropout_follows_the_seed_and_the_global_state_is_put_back():
    def trained(state):
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
        torch.manual_seed(state)
        before = torch.get_rng_state()
        fit(module, INPUTS, _loss, steps=10, batch=64, rate=1e-2, seed=0)
        assert torch.equal(torch.get_rng_state(), before)
        return _bits(module)

    assert trained(1) == trained(2)


def test_the_number_of_threads_is_put_back_even_after_an_error():
    before = torch.get_num_threads()

    def broken(given, rows):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fit(_module(), INPUTS, broken, steps=3, batch=64, rate=1e-2, seed=0)
    assert torch.get_num_threads() == before


def test_each_row_is_used_once_before_any_is_used_again():
    seen = []

    def loss(given, rows):
        seen.append(rows.numpy().copy())
        return _loss(given, rows)

    fit(_module(), INPUTS, loss, steps=25, batch=32, rate=1e-3, seed=0)
    order = np.concatenate(seen)
    assert all(len(rows) == 32 for rows in seen)
    assert sorted(order[:400]) == list(range(400))
    assert sorted(order[400:800]) == list(range(400))
    assert list(order[:400]) != list(order[400:800])


def test_fewer_rows_than_a_batch_are_all_used_at_each_step():
    seen = []

    def loss(given, rows):
        seen.append(sorted(rows.tolist()))
        return _loss(given, rows)

    fit(_module(), INPUTS[:5], loss, steps=3, batch=64, rate=1e-3, seed=0)
    assert seen == [[0, 1, 2, 3, 4]] * 3


def test_a_step_is_that_of_the_formula():
    """AdamW by hand: Loshchilov and Hutter 2019, algorithm 2, with a rate that falls along half a cosine."""
    module = build("mlp", {"inputs": 6, "outputs": 1, "hidden": []}, 0)
    weight = module.layers[0].weight.detach().numpy()[0].astype(np.float64).copy()
    bias = float(module.layers[0].bias.detach()[0])
    rows, yes, rate, steps = INPUTS.astype(np.float64), YES.numpy(), 0.05, 6
    first, second = np.zeros(7), np.zeros(7)
    theta = np.append(weight, bias)
    for step in range(1, steps + 1):
        p = 1 / (1 + np.exp(-(rows @ theta[:6] + theta[6])))
        slope = np.append(((p - yes)[:, None] * rows).mean(axis=0), (p - yes).mean())
        now = rate * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        theta = theta * (1 - now * DECAY)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        theta = theta - now * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    fit(module, INPUTS, _loss, steps=steps, batch=400, rate=rate, seed=0)
    given = np.append(module.layers[0].weight.detach().numpy()[0], module.layers[0].bias.detach().numpy())
    np.testing.assert_allclose(given, theta, atol=1e-5)


SCRIPT = """
import hashlib, numpy as np, torch
from torch.nn import functional
from kdaudit.networks.architectures import build
from kdaudit.networks.steps import fit
x = np.random.default_rng(0).normal(size=(2000, 100)).astype(np.float32)
y = torch.from_numpy((x[:, 0] > 0).astype(np.float32))
module = build("mlp", {"inputs": 100, "outputs": 1, "hidden": [64, 32]}, 0)
fit(module, x, lambda o, r: functional.binary_cross_entropy_with_logits(o[:, 0], y[r]), steps=40)
total = hashlib.sha256(b"".join(t.numpy().tobytes() for t in module.state_dict().values()))
block = torch.from_numpy(x[:256])
with torch.inference_mode():
    total.update(module(block).numpy().tobytes())
print(total.hexdigest())
"""


def test_one_thread_and_two_give_the_same_bits():
    digests = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
        )
        digests.add(run.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == len(hashlib.sha256().hexdigest())


def test_what_is_wrong_is_said():
    with pytest.raises(InvalidInput, match="got 0 rows"):
        fit(_module(), INPUTS[:0], _loss, steps=3)
    with pytest.raises(InvalidInput, match="0 steps"):
        fit(_module(), INPUTS, _loss, steps=0)
    with pytest.raises(InvalidInput, match="the loss is nan at step 0 of 2; lower the rate"):
        fit(_module(), INPUTS * np.float32("nan"), _loss, steps=2)
