"""Attention of text networks: heads found again, nulls that count, and words masked to see what moves the teacher."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from kdaudit.chance import rng
from kdaudit.compare.attentions import STATEMENT, Attention
from kdaudit.compare.heeding import Halves, Heed, exchanged_texts, heeds, likeness_of_heads, unmatched
from kdaudit.compare.masking import MASK, masked
from kdaudit.domain import Domain, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.explain.layers import attention_maps
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.samples import Origin, Samples
from kdaudit.tokens import Tokens

WORDS = [f"w{i}" for i in range(20)] + ["good", "bad"]
DOMAIN = Domain((Text("review"),))


def texts(n=400, seed=0):
    """Words by chance, among them one that decides."""
    chance = rng(seed, "texts")
    label = chance.integers(0, 2, n)
    out = []
    for yes in label:
        words = [WORDS[i] for i in chance.integers(0, 20, chance.integers(5, 9))]
        words[int(chance.integers(0, len(words)))] = "good" if yes else "bad"
        out.append(" ".join(words))
    return Samples(DOMAIN, {"review": np.array(out, dtype=object)}, np.arange(n), Origin("made texts"), label)


def network(name, seed=0, steps=0, length=9, heads=2, layers=2, samples=None):
    encoding = Tokens(DOMAIN, tuple(WORDS), length)
    sizes = {"vocabulary": encoding.vocabulary, "length": length, "outputs": 1, "width": 16, "heads": heads}
    module = build("transformer", {**sizes, "hidden": [16] * layers}, seed)
    if steps:
        target = torch.from_numpy(samples.labels.astype(np.float32))

        def loss(given, rows):
            return torch.nn.functional.binary_cross_entropy_with_logits(given[:, 0], target[rows])

        fit(module, encoding.encode(samples), loss, steps=steps, batch=64, rate=1e-2, seed=seed)
    return Network(name, module, encoding, ("good",))


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/judge"))


@pytest.fixture(scope="module")
def trained():
    return network("teacher", steps=150, samples=texts(600, seed=1))


def test_words_masked_by_attention_are_tried_on_the_teacher(trained, cast_of, asking):
    samples = texts(200)
    recipe = Attention(rows=120, flows=4)
    cast = cast_of(trained, network("proxy", seed=3), network("stranger", seed=4), trained)
    evidence = examine(recipe, cast, samples, asking)
    heads = evidence.row("attention_likeness", "all", "proxy")
    assert 0 < heads.value.value < 1 and heads.value.n == 60
    assert heads.ceiling.value == pytest.approx(1.0)
    for measure in ("attention_hellinger", "rollout_spearman", "top_tokens", "flow_spearman"):
        assert evidence.row(measure, "all", "proxy").ceiling.value == pytest.approx(1.0)
    own = evidence.row("attention_ablation", "its own attention", "teacher")
    assert own.value.known and own.control_kind == "permuted"
    assert evidence.row("attention_ablation", "all", "proxy").ceiling == own.value
    assert evidence.context["sentences"][0] == STATEMENT
    assert "are left out" in evidence.context["sentences"][1] and evidence.context["special"] == "out"
    assert "drawn by chance" in evidence.context["sentences"][2]
    assert evidence.context["heads"] == {"teacher": 4, "proxy": 4, "stranger": 4, "twin": 4}
    assert asking.rows(trained) <= recipe.price(samples)
    json.dumps(evidence.context, allow_nan=False)


def test_heads_of_another_order_and_length_are_the_same_heads(trained, cast_of, asking):
    samples = texts(100)
    longer = network("longer", length=12)
    weights = {**trained.module.state_dict()}
    # the same network reading further words; its further places are never reached
    weights["places.weight"] = torch.cat([weights["places.weight"], torch.zeros(3, 16)])
    longer.module.load_state_dict(weights)
    evidence = examine(Attention(rows=80, flows=0, share=0.0), cast_of(trained, longer), samples, asking)
    assert evidence.row("attention_likeness", "all", "proxy").value.value == pytest.approx(1.0, abs=1e-6)
    assert "not tried" in evidence.context["sentences"][2]
    nulls = evidence.context["null"]
    assert nulls["texts exchanged"]["value"] < 1.0 and nulls["heads paired by chance"]["value"] < 1.0


def test_matching_and_scoring_take_different_texts():
    chance = np.random.default_rng(0)

    def heed(seed):
        raw = np.random.default_rng(seed).random((8, 6, 4, 4))
        return Heed(tuple((maps / maps.sum(axis=2, keepdims=True),) for maps in raw))

    a, b = heed(1), heed(2)
    same, apart = Halves(np.arange(4), np.arange(4)), Halves(np.arange(4), np.arange(4, 8))
    flattered = likeness_of_heads(a, b, same, "jensen_shannon").mean()
    assert flattered > likeness_of_heads(a, b, apart, "jensen_shannon").mean()
    assert likeness_of_heads(a, a, apart, "jensen_shannon").mean() == pytest.approx(1.0)
    assert unmatched(a, a, apart, chance).mean() < 1.0
    # texts without another of their length are left out of the exchange
    assert len(exchanged_texts(a, a, apart, np.array([4, 4, 4, 4, 4, 4, 4, 3]))) == 3


def test_padding_is_no_token():
    maps = np.zeros((2, 1, 3, 3))
    maps[0, 0, :2, :2] = 0.5
    maps[1, 0] = 1 / 3
    seats, read = heeds({"teacher": [maps]})
    assert read.tolist() == [2, 3]
    assert seats["teacher"].heads(0).shape == (1, 2, 2)


def test_maps_equal_softmax_of_queries_and_keys():
    samples, subject = texts(20), network("n", layers=1, heads=1)
    (got,) = attention_maps(subject, samples, ["layers.0.attention"])
    numbers = torch.from_numpy(subject.encoding.encode(samples)).long()
    module = subject.module
    tokens = module.layers[0].before(module.embedding(numbers) + module.places.weight)
    query, key = module.layers[0].attention.query(tokens), module.layers[0].attention.key(tokens)
    for row in range(20):
        k = int((numbers[row] != 0).sum())
        scores = (query[row, :k] @ key[row, :k].T / 4).softmax(dim=1)
        np.testing.assert_allclose(got[row, 0, :k, :k], scores.detach().numpy(), atol=1e-6)
        assert (got[row, 0, k:] == 0).all()


def test_masked_words_are_unknown_words():
    samples = texts(3)
    found = masked(samples, [np.array([0]), np.array([1, 2]), np.array([], dtype=np.int64)])
    assert found.columns["review"][0].split()[0] == MASK
    assert found.columns["review"][1].split()[1:3] == [MASK, MASK]
    assert found.columns["review"][2] == samples.columns["review"][2]
    before, after = (network("n").encoding.encode(rows) for rows in (samples, found))
    assert after[0, 0] == 1.0 and (before[0, 1:] == after[0, 1:]).all()


def test_networks_without_attention_say_so(people, cast_of, asking):
    samples = people(100)
    encoding = Encoding.fitted(samples)
    mlp = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": [4]}, 0)
    cast = cast_of(*(Network(name, mlp, encoding, ("above",)) for name in "tp"))
    evidence = examine(Attention(rows=40), cast, samples, asking)
    row = evidence.row("attention_likeness", "all", "proxy")
    assert not row.value.known and "no attention to be compared" in row.value.method


def test_a_closed_teacher_shows_no_attention(formula, cast_of, asking):
    samples = texts(60)
    cast = cast_of(formula(lambda s: np.full(len(s), 0.7), "closed"), network("p"))
    evidence = examine(Attention(rows=40), cast, samples, asking)
    assert "no layers" in evidence.row("attention_likeness", "all", "proxy").value.method


@pytest.mark.parametrize("wrong", [{"rows": 2}, {"share": 1.0}, {"flows": -1}, {"layers": ()}])
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput):
        Attention(**wrong)
