"""Attention among patches: patches greyed to see what moves the teacher; other patches are not compared."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.compare.attentions import Attention
from kdaudit.domain import Domain, Image
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples


@pytest.fixture(scope="module")
def pictures():
    """Grey noise with one bright patch, high up or low down, which decides."""
    chance = np.random.default_rng(0)
    pixels = chance.uniform(0.4, 0.6, (300, 1, 8, 8)).astype(np.float32)
    label = chance.integers(0, 2, 300)
    for picture, low in zip(pixels, label, strict=True):
        row, column = 4 * low + 2 * chance.integers(0, 2), 2 * chance.integers(0, 4)
        picture[:, row : row + 2, column : column + 2] = 1.0
    return Samples(Domain((Image("scan", (1, 8, 8)),)), {"scan": pixels}, np.arange(300), Origin("made"), label)


def network(name, samples, *, patch=2, seed=0, steps=0):
    encoding = Pictures.fitted(samples)
    sizes = {"shape": [1, 8, 8], "outputs": 1, "patch": patch, "width": 8, "hidden": [16], "heads": 2}
    module = build("patch_transformer", sizes, seed)
    if steps:
        import torch

        yes = torch.from_numpy(samples.labels.astype(np.float32))
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        rows = encoding.encode(samples)
        fit(module, rows, lambda given, at: loss(given[:, 0], yes[at]), steps=steps, batch=64, rate=0.02, seed=0)
    return Network(name, module, encoding, ("low",))


def test_greying_what_is_attended_to_is_tried_on_the_teacher(pictures, cast_of, asking):
    teacher, proxy = (network(name, pictures, seed=seed, steps=60) for seed, name in enumerate("tp"))
    cast = cast_of(teacher, proxy, network("stranger", pictures, seed=2))
    question = Attention(rows=40, flows=2, share=0.25)
    evidence = question.examine(cast, pictures, asking, rng(0, "question"))
    own = evidence.row("attention_ablation", "its own attention", "teacher")
    crossed = evidence.row("attention_ablation", "all", "proxy")
    assert own.value.known and crossed.value.known
    assert any(text.startswith("Greying the 25% of patches") for text in evidence.context["sentences"])
    assert asking.rows(teacher) <= question.price(pictures)


def test_other_patches_are_not_compared(pictures, cast_of, asking):
    cast = cast_of(network("t", pictures), network("p", pictures, patch=4, seed=1))
    evidence = Attention(rows=40, flows=2).examine(cast, pictures, asking, rng(0, "question"))
    row = evidence.row("attention_likeness", "all", "proxy")
    assert not row.value.known
    assert "attends among 4 patches, the teacher among 16" in row.value.method
