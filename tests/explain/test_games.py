"""What coalitions are worth: mixtures of rows, made one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kdaudit.domain import Category, Domain, Real
from kdaudit.explain.coalitions import every
from kdaudit.explain.games import RowGame, TensorGame
from kdaudit.explain.importance import exchanged_fields, permutation_importance
from kdaudit.explain.passes import Passes
from kdaudit.explain.paths import Inputs
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Real("age"), Real("pay"), Category("sex", ("female", "male"))))


def people(n, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"age": rng.normal(size=n), "pay": rng.normal(size=n), "sex": rng.integers(0, 2, n).astype(np.int32)}
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def scores(samples):
    c = samples.columns
    yes = 1 / (1 + np.exp(-c["age"] * (1 + c["sex"]) - c["pay"] ** 2))
    return np.stack([1 - yes, yes], axis=1)


def one(rows, i, lent, j, mask):
    columns = {n: (rows if m else lent).columns[n][[i if m else j]] for n, m in zip(DOMAIN.names, mask, strict=True)}
    return scores(Samples(DOMAIN, columns, np.arange(1), Origin("one")))[0]


def test_rows_of_a_domain_are_mixed_field_by_field():
    rows, lent = people(3), people(5, 1)
    donors, output = np.array([[0, 1], [2, 3], [4, 4]]), np.array([0, 1, 1])
    game = RowGame(scores, rows, lent, output=output, donors=donors)
    masks = every(3)
    got = game(masks)
    for k, mask in enumerate(masks):
        for i in range(3):
            assert got[k, i] == pytest.approx(np.mean([one(rows, i, lent, j, mask)[output[i]] for j in donors[i]]))
    own = game.own(masks[np.array([[0, 1, 2], [7, 6, 5]])])
    assert np.allclose(own, [[got[0, 0], got[1, 1], got[2, 2]], [got[7, 0], got[6, 1], got[5, 2]]])


@pytest.mark.parametrize("chunk", [1, 7, 500])
def test_columns_of_a_unit_are_taken_together(chunk):
    rng = np.random.default_rng(0)
    x, z = torch.from_numpy(rng.normal(size=(4, 5))), torch.from_numpy(rng.normal(size=(3, 5)))
    places = torch.tensor([0, 1, 1, 2, 0])
    forward = Passes(lambda v: torch.stack([v.prod(dim=1), v.pow(2).sum(dim=1)], dim=1))
    output = torch.tensor([0, 1, 0, 1])
    game = TensorGame(forward, Inputs(x, output, places, 3), z, chunk=chunk)
    masks = every(3)
    got = game(masks)
    for k, mask in enumerate(masks):
        inside = torch.from_numpy(mask)[places]
        for i in range(4):
            worth = [forward.forward(torch.where(inside, x[i], b)[None])[0, output[i]].item() for b in z]
            assert got[k, i] == pytest.approx(np.mean(worth))
    chosen = np.array([[0, 3, 5, 7]])
    assert np.allclose(game.own(masks[chosen])[0], got[chosen[0], np.arange(4)])


def test_tokens_are_taken_whole():
    x, z = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(1, 4, 3)
    game = TensorGame(
        Passes(lambda v: v.sum(dim=(1, 2))[:, None]),
        Inputs(x, torch.zeros(2, dtype=torch.int64), torch.tensor([[0], [0], [1], [1]]), 2),
        z,
    )
    got = game(np.array([[True, False], [False, True]]))
    assert np.allclose(got, torch.stack([x[:, :2].sum((1, 2)), x[:, 2:].sum((1, 2))]).numpy(), atol=1e-6)


def test_importance_is_the_rise_of_the_error_with_a_field_permuted():
    rows = people(400)

    def linear(samples):
        return (2 * samples.columns["age"] + samples.columns["pay"])[:, None]

    got = permutation_importance(linear, rows, rng=np.random.default_rng(0), repeats=20)
    # permuting a field raises the error by twice its variance times the square of its weight
    want = 2 * np.array([4 * rows.columns["age"].var(), rows.columns["pay"].var(), 0])
    assert (np.abs(got.values - want) <= 4 * got.error + 0.02).all()
    assert got.values[2] == 0


def test_the_rows_parts_of_permutation_importance_have_it_as_their_mean():
    rows = people(60)

    def product(samples):
        return (samples.columns["age"] * samples.columns["pay"])[:, None]

    whole = permutation_importance(product, rows, rng=np.random.default_rng(0), repeats=3)
    parts = exchanged_fields(product, rows, rng=np.random.default_rng(0), repeats=3)
    assert np.allclose(parts.values.mean(axis=0), whole.values)
    assert parts.values.shape == parts.error.shape == (60, 3)
    assert parts.values.min() >= 0
