"""Networks that forget, and words that are looked up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.domain import Domain, Real, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import NoSuchSignal
from kdaudit.explain.forgetting import forgetting, shuffled, weighted
from kdaudit.explain.reasons import ablation, gradient_shap, gradients, integrated_gradients, sampled_shapley
from kdaudit.measures.ranks import spearman
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.tokens import Tokens

DOMAIN = Domain(tuple(Real(f"x{i}") for i in range(5)))


def people(n, seed=0):
    rng = np.random.default_rng(seed)
    return Samples(DOMAIN, {f"x{i}": rng.normal(size=n) for i in range(5)}, np.arange(n), Origin("people"))


def network():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    return Network("net", module, Encoding.fitted(people(300, 9)), ("above",))


def test_layers_forget_from_the_output_downwards_and_the_network_stays():
    subject = network()
    before = {k: v.clone() for k, v in subject.module.state_dict().items()}
    assert weighted(subject) == ("4", "2", "0")
    other = shuffled(subject, ("4",), np.random.default_rng(0))
    # by its identity what it says is kept: another network must never be taken for it
    assert other.identity.digest != subject.identity.digest
    copied = Network(other.name, other.module, other.encoding, other.outputs)
    assert copied.identity.digest == other.identity.digest
    same = [torch.equal(v, before[k]) for k, v in other.module.state_dict().items()]
    assert same == [True, True, True, True, False, True]  # a bias of one number has one order
    assert torch.equal(other.module[4].weight.sort().values, before["4.weight"].sort().values)
    assert all(torch.equal(v, before[k]) for k, v in subject.module.state_dict().items())


def test_reasons_become_others_as_weights_become_random():
    rows, background, output = people(40), people(80, 1), np.zeros(40, dtype=int)

    def attribute(subject):
        return integrated_gradients(subject, rows, background, output=output).values

    stages = forgetting(network(), attribute, spearman, np.random.default_rng(0))
    assert [(s.layers, s.of) for s in stages] == [(1, 3), (2, 3), (3, 3)]
    assert abs(stages[-1].likeness.mean()) < 0.6


class Bag(nn.Module):
    """Sums of word vectors through a layer; padding counts nothing."""

    def __init__(self, vocabulary):
        super().__init__()
        self.embedding, self.top = nn.Embedding(vocabulary, 6), nn.Linear(6, 1)

    def forward(self, numbers):
        present = (numbers > 0).float()[..., None]
        return self.top((self.embedding(numbers.long()) * present).sum(dim=1))


def texts():
    words = np.array(["a good film", "a bad film", "good", "not a very good film at all"], dtype=object)
    samples = Samples(Domain((Text("text"),)), {"text": words}, np.arange(4), Origin("texts"))
    encoder = Tokens.fitted(samples, least=1)
    torch.manual_seed(1)
    return samples, Network("bag", Bag(encoder.vocabulary), encoder, ("good",))


def test_words_get_the_share_of_their_vectors():
    samples, subject = texts()
    output = np.zeros(4, dtype=int)
    got = integrated_gradients(subject, samples, samples, output=output)
    numbers = torch.from_numpy(subject.encoding.encode(samples)).long()
    table, top = subject.module.embedding, subject.module.top
    want = ((table(numbers) - table(torch.zeros_like(numbers))) @ top.weight[0]) * (numbers > 0)
    assert np.allclose(got.values, want.detach().numpy(), atol=1e-5)
    # left out words leave the network with fewer vectors: ablation is exact here
    gone = ablation(subject, samples, samples, output=output).values
    alone = (table(numbers) @ top.weight[0]) * (numbers > 0)
    assert np.allclose(gone, alone.detach().numpy(), atol=1e-5)
    some = sampled_shapley(
        subject, samples, samples, output=output, budget=2**14, scale="logit", rng=np.random.default_rng(0)
    )
    assert np.allclose(some.values, alone.detach().numpy(), atol=1e-5)


def test_words_have_no_gradient_of_their_numbers():
    samples, subject = texts()
    with pytest.raises(NoSuchSignal, match="numbers of words"):
        gradients(subject, samples, samples, output=np.zeros(4, dtype=int), times_input=True)


def test_gradient_shap_of_fields_comes_near_shapley_values_of_a_smooth_network():
    subject, rows, background = network(), people(30), people(64, 1)
    output = np.zeros(30, dtype=int)
    found = gradient_shap(subject, rows, background, output=output, draws=512, rng=np.random.default_rng(0))
    exact = sampled_shapley(
        subject, rows, background, output=output, budget=32, scale="logit", rng=np.random.default_rng(0)
    )
    assert exact.method.endswith("all 32 coalitions")
    assert spearman(found.values, exact.values).mean() > 0.9
    assert exact.gap.max() < 1e-5
