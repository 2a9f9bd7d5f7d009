"""Layers of teacher and proxy beside a stranger's, on networks whose likeness is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from kdaudit.chance import rng
from kdaudit.compare.representations import Representation, layer_by_layer
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.explain.layers import hidden_layers, representations
from kdaudit.measures.representations import cka_batches
from kdaudit.networks.architectures import Mlp, build
from kdaudit.networks.network import Network


def network(name, samples, seed=0, hidden=(16, 8), turn=None):
    """An untrained network; `turn` rotates what its last hidden layer gives."""
    encoding = Encoding.fitted(samples)
    module = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": list(hidden)}, seed)
    if turn is not None:
        with torch.no_grad():
            module.layers[1].weight.copy_(turn @ module.layers[1].weight)
            module.layers[1].bias.copy_(turn @ module.layers[1].bias)
    return Network(name, module, encoding, ("above",))


def rotation(n, seed=3):
    q, _ = np.linalg.qr(rng(seed, "turn").normal(size=(n, n)))
    return torch.tensor(q, dtype=torch.float32)


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/judge"))


def test_the_same_computation_in_another_basis_stands_above_the_stranger(people, cast_of, asking):
    samples = people(600)
    teacher, proxy = network("t", samples), network("p", samples, turn=rotation(8))
    stranger, twin = network("s", samples, seed=9), network("w", samples)
    evidence = examine(Representation(rows=400, batch=40), cast_of(teacher, proxy, stranger, twin), samples, asking)
    for measure in ("cka", "procrustes"):
        row = evidence.row(measure, "all", "proxy")
        assert row.value.value == pytest.approx(1.0, abs=1e-4)
        assert row.excess.low > 0 and row.value.n == 10
    assert evidence.row("cka", "all", "proxy").ceiling.value == pytest.approx(1.0)
    assert evidence.row("mutual_neighbours", "all", "proxy").value.n == 400
    assert asking.rows(teacher) == 400 == evidence.row("cka", "all", "proxy").asked
    assert evidence.shows == "map" and evidence.arrays["cka_proxy"].shape == (2, 2)
    assert [words["array"] for words in evidence.context["maps"]] == ["cka_proxy", "cka_stranger"]
    json.dumps(evidence.context, allow_nan=False)


def plain_cell(x, y, batches):
    """Jackknife over batches by loops: value and ends."""
    three = np.array([cka_batches(x, y, [rows])[0] for rows in batches])
    count, r = len(batches), lambda t: t[0] / np.sqrt(t[1] * t[2])
    units = [count * r(three.mean(0)) - (count - 1) * r(np.delete(three, i, 0).mean(0)) for i in range(count)]
    half = stats.t.ppf(0.975, count - 1) * np.std(units, ddof=1) / np.sqrt(count)
    return np.mean(units), np.mean(units) - half, np.mean(units) + half


def test_maps_hold_the_alignment_of_each_pair_of_layers_with_its_interval():
    chance = np.random.default_rng(0)
    a = {"one": chance.normal(size=(60, 4)), "two": chance.normal(size=(60, 3))}
    b = {"x": a["one"] @ chance.normal(size=(4, 5)) + chance.normal(size=(60, 5)), "still": np.ones((60, 2))}
    batches = list(np.arange(60).reshape(5, 12))
    found = layer_by_layer(a, [b], batches)
    assert found.shape == (2, 2, 3)
    assert found[0, 0] == pytest.approx(plain_cell(a["one"], b["x"], batches))
    assert found[1, 0] == pytest.approx(plain_cell(a["two"], b["x"], batches))
    assert np.isnan(found[:, 1]).all()


def test_a_map_of_several_strangers_is_their_mean_over_rows_and_strangers():
    chance = np.random.default_rng(1)
    a = {"one": chance.normal(size=(60, 4))}
    others = [{"x": a["one"] + scale * chance.normal(size=(60, 4))} for scale in (0.5, 1.0, 2.0)]
    batches = list(np.arange(60).reshape(5, 12))
    cells = [plain_cell(a["one"], other["x"], batches) for other in others]
    found = layer_by_layer(a, others, batches)[0, 0]
    assert found[0] == pytest.approx(np.mean([cell[0] for cell in cells]))
    assert found[2] - found[1] > max(cell[2] - cell[1] for cell in cells)


def test_readouts_name_what_a_layer_holds(people, cast_of, asking):
    samples = people(500)
    evidence = examine(
        Representation(rows=300, batch=30, concepts=("sex",)),
        cast_of(network("t", samples, hidden=(16, 16)), network("p", samples, seed=4, hidden=(16, 16))),
        samples,
        asking,
    )
    for of in ("teacher", "proxy"):
        row = evidence.row("readout", "sex", of)
        assert row.control_kind == "permuted" and row.control.value < 0.65
        assert row.value.low > row.control.high


def test_a_closed_teacher_has_no_layers_and_says_so(formula, people, cast_of, asking):
    samples = people(300)
    teacher = formula(lambda s: np.full(len(s), 0.7), "closed")
    evidence = examine(Representation(rows=100, batch=20), cast_of(teacher, network("p", samples)), samples, asking)
    row = evidence.row("cka", "all", "proxy")
    assert not row.value.known and "no layers" in row.value.method
    assert asking.rows(teacher) == 0


def test_without_a_stranger_the_control_are_other_rows(people, cast_of, asking):
    samples = people(300)
    cast = cast_of(network("t", samples), network("p", samples, turn=rotation(8)))
    row = examine(Representation(rows=200, batch=20), cast, samples, asking).row("cka", "all", "proxy")
    assert row.control_kind == "permuted" and row.control.high < 0.3


def test_a_missing_layer_is_named_with_those_near_it(people, cast_of, asking):
    samples = people(200)
    cast = cast_of(network("t", samples), network("p", samples))
    with pytest.raises(NoSuchSignal, match=r"t: there is no layer 'layers\.9'"):
        examine(Representation(rows=100, batch=20, layers=("layers.9",)), cast, samples, asking)


def test_layers_give_what_the_module_computes(people):
    samples = people(300)
    subject = network("t", samples)
    assert hidden_layers(subject) == ("layers.0", "layers.1")
    found = representations(subject, samples)
    x = torch.from_numpy(subject.encoding.encode(samples))
    first = subject.module.layers[0](x)
    np.testing.assert_allclose(found["layers.0"], first.numpy(), atol=1e-5)
    np.testing.assert_allclose(found["layers.1"], subject.module.layers[1](torch.relu(first)).numpy(), atol=1e-5)
    assert isinstance(subject.module, Mlp)


def test_of_tokens_and_places_the_mean_is_taken(people):
    class Wide(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.token, self.head = nn.Linear(1, 3), nn.Linear(width, 1)
            self.place = nn.Conv2d(1, 2, 1)

        def forward(self, x):
            self.place(x[:, None, None, :])
            return self.head(self.token(x[:, :, None]).mean(dim=2))

    samples = people(100)
    encoding = Encoding.fitted(samples)
    subject = Network("wide", Wide(encoding.width), encoding, ("above",))
    found = representations(subject, samples, ["token", "place"])
    assert found["token"].shape == (100, 3) and found["place"].shape == (100, 2)
    x = encoding.encode(samples)
    weight, bias = (p.detach().numpy() for p in (subject.module.token.weight, subject.module.token.bias))
    np.testing.assert_allclose(found["token"], x.mean(axis=1)[:, None] * weight[:, 0] + bias, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"batch": 3}, {"rows": 60, "batch": 40}, {"margin": -1.0}])
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput):
        Representation(**wrong)
