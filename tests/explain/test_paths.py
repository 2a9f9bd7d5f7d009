"""Paths of gradients against closed forms and slow sums."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.explain.passes import Passes, chunk_of, gathered
from kdaudit.explain.paths import Inputs, expected, integrated, rule

WEIGHTS = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.7, -1.0]], dtype=torch.float64)
PLACES = torch.tensor([0, 0, 1])
SMOOTH = Passes(lambda x: torch.tanh(x @ WEIGHTS.T))


def rows(n, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 3)))


def inputs(x, output=None):
    which = torch.zeros(len(x), dtype=torch.int64) if output is None else torch.tensor(output)
    return Inputs(x, which, PLACES, 2)


def slow(row, baseline, output, steps=4000):
    places = (np.arange(steps) + 0.5) / steps
    along = baseline + places[:, None] * (row - baseline)
    weights = WEIGHTS[output].numpy()
    slope = (1 - np.tanh(along @ weights) ** 2)[:, None] * weights
    parts = (row - baseline) * slope.mean(axis=0)
    return np.array([parts[0] + parts[1], parts[2]])


@pytest.mark.parametrize("nodes", [2, 4, 6, 16, 50])
def test_the_rule_is_exact_for_powers_up_to_its_number_of_nodes(nodes):
    places, weights = rule(nodes)
    for power in range(nodes + 1):
        assert weights[0] @ places**power == pytest.approx(1 / (power + 1), abs=1e-12)
    for power in range(nodes // 2 + 1):
        assert weights[1] @ places**power == pytest.approx(1 / (power + 1), abs=1e-12)
    assert (weights[1, 1::2] == 0).all()


def test_values_are_those_of_a_fine_sum_for_each_output():
    x, output = rows(6), [0, 1, 0, 1, 1, 0]
    got = integrated(SMOOTH, inputs(x, output), torch.full((3,), 0.1, dtype=torch.float64), nodes=32)
    want = np.array([slow(r, 0.1, o) for r, o in zip(x.numpy(), output, strict=True)])
    assert np.allclose(got.values, want, atol=1e-5)
    assert got.gap.max() < 1e-6


def test_a_linear_answer_gives_weight_times_step_and_no_error():
    x = rows(5)
    got = integrated(Passes(lambda x: x @ WEIGHTS.T), inputs(x), torch.full((3,), 0.1, dtype=torch.float64), nodes=2)
    parts = (x.numpy() - 0.1) * WEIGHTS[0].numpy()
    assert np.allclose(got.values, np.stack([parts[:, :2].sum(axis=1), parts[:, 2]], axis=1))
    assert got.error.max() < 1e-12
    assert got.gap.max() < 1e-12


def test_the_error_is_that_of_the_rule_with_half_the_nodes():
    x, base = 3 * rows(40), torch.zeros(3, dtype=torch.float64)
    got, half = (integrated(SMOOTH, inputs(x), base, nodes=n) for n in (8, 4))
    assert np.allclose(got.error, np.abs(got.values - half.values), atol=1e-12)
    exact = np.array([slow(r, 0.0, 0) for r in x.numpy()])
    assert np.abs(got.values - exact).mean() < got.error.mean()


def test_nodes_are_doubled_only_for_rows_whose_gap_asks_for_it():
    kinks = Passes(lambda x: torch.relu(4 * x - 1).sum(dim=1, keepdim=True))
    seen = []
    watched = Passes(lambda x: seen.append(len(x)) or kinks.forward(x))
    x, base = rows(30), torch.full((3,), -1.0, dtype=torch.float64)
    few = integrated(kinks, inputs(x), base, nodes=4)
    many = integrated(watched, inputs(x), base, nodes=4, most=4096)
    limit = 0.01 * np.abs(many.values).sum(axis=1)
    assert (few.gap > limit).any()
    assert (many.gap <= limit).all()
    assert many.evaluations > 5
    assert sum(seen) < 30 * many.evaluations


def test_chunks_stay_small_whatever_the_nodes_and_change_nothing():
    seen = []
    watched = Passes(lambda x: seen.append(len(x)) or SMOOTH.forward(x))
    x, base = rows(50), torch.zeros(3, dtype=torch.float64)
    small = integrated(watched, inputs(x), base, nodes=64, chunk=20)
    assert max(seen) <= 20
    assert np.allclose(small.values, integrated(SMOOTH, inputs(x), base, nodes=64).values, atol=1e-12)
    assert (chunk_of((128, 384)), chunk_of((64,))) == (10, 2048)


def test_expected_gradients_sum_to_what_is_known_within_their_error():
    x, lent = rows(40), rows(25, 1)
    got = expected(SMOOTH, inputs(x), lent, draws=200, rng=np.random.default_rng(0))
    reach = torch.tanh(x @ WEIGHTS[0]) - torch.tanh(lent @ WEIGHTS[0]).mean()
    assert np.allclose(got.reach, reach.numpy())
    assert np.allclose(got.gap, np.abs(got.values.sum(axis=1) - got.reach))
    assert (got.gap <= 3.5 * got.gap_error).all()
    assert (got.error > 0).all()


def test_what_values_must_sum_to_costs_passes_and_can_be_left_out():
    x, lent, seen = rows(6), rows(4, 1), []

    def forward(some):
        seen.append(len(some))
        return SMOOTH.forward(some)

    bare, whole = (
        expected(Passes(forward), inputs(x), lent, draws=8, rng=np.random.default_rng(0), gaps=gaps)
        for gaps in (False, True)
    )
    assert sum(seen) == 2 * 6 * 8 + len(x) + len(lent)
    assert np.isnan(bare.gap).all() and np.isnan(bare.reach).all()
    assert bare.values.tobytes() == whole.values.tobytes() and bare.error.tobytes() == whole.error.tobytes()


def test_expected_gradients_do_not_depend_on_the_chunk():
    x, lent = rows(7), rows(10, 1)
    some, whole = (
        expected(SMOOTH, inputs(x), lent, draws=10, rng=np.random.default_rng(3), chunk=c) for c in (14, 500)
    )
    for name in ("values", "error", "gap", "gap_error"):
        assert np.allclose(getattr(some, name), getattr(whole, name), atol=1e-12)


def test_expected_gradients_of_a_linear_answer_have_the_spread_of_the_background():
    lent = rows(16, 1)
    linear = Passes(lambda x: x @ WEIGHTS.T)
    got = expected(linear, inputs(rows(3)), lent, draws=16, rng=np.random.default_rng(0))
    parts = (rows(3)[:, None] - lent[None]) * WEIGHTS[0]
    each = torch.stack([parts[..., 0] + parts[..., 1], parts[..., 2]], dim=2).numpy()
    assert np.allclose(got.values, each.mean(axis=1))
    assert np.allclose(got.error, each.std(axis=1, ddof=1) / 4)
    assert np.allclose(got.gap, 0)


def test_sums_over_places_that_belong_together():
    parts = torch.arange(24.0).view(2, 3, 4)
    got = gathered(parts, torch.tensor([[1], [0], [1]]), 2)
    assert torch.equal(got, torch.stack([parts[:, 1].sum(1), parts[:, 0].sum(1) + parts[:, 2].sum(1)], dim=1))


@pytest.mark.parametrize(
    ("forward", "x", "error", "words"),
    [
        (lambda x: x.sqrt(), torch.tensor([[4.0, 0.0]]), InvalidAnswers, "no number"),
        (lambda x: x.detach(), torch.ones(1, 2), NoSuchSignal, "no gradient"),
        (lambda x: x.float(), torch.ones(1, 2, dtype=torch.int64), InvalidInput, "embeddings"),
        (lambda x: x[:, 0], torch.ones(1, 2), InvalidAnswers, "outputs"),
    ],
)
def test_what_has_no_gradient_is_said_in_one_sentence(forward, x, error, words):
    with pytest.raises(error, match=words):
        Passes(forward).slopes(x, torch.ones(len(x), dtype=torch.int64))


def test_an_odd_number_of_nodes_is_refused():
    with pytest.raises(InvalidInput, match="even"):
        integrated(SMOOTH, inputs(rows(1)), torch.zeros(3, dtype=torch.float64), nodes=5)


def test_one_thread_and_two_give_the_same_bytes():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 16)).requires_grad_(False)
    threads, got = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found = integrated(Passes(module), inputs(rows(500).float()), torch.zeros(3), nodes=16)
            got.append(found.values.tobytes() + found.error.tobytes())
    finally:
        torch.set_num_threads(threads)
    assert got[0] == got[1]
