"""Handwritten digits and teachers of them, for tests that look for an effect on real data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from kdaudit.chance import seed_of
from kdaudit.domain import Domain, Image
from kdaudit.networks.network import Network
from kdaudit.networks.steps import fit
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples

CLASSES = tuple("0123456789")
DOMAIN = Domain((Image("picture", (1, 8, 8)),))


def pictures() -> tuple[Samples, Samples]:
    """Return 1,078 digits to learn from and 719 to judge on."""
    data = load_digits()
    column = (data.images[:, None] / 16).astype(np.float32)
    whole = Samples(DOMAIN, {"picture": column}, np.arange(len(column)), Origin("digits"), data.target)
    order = np.random.default_rng(0).permutation(len(column))
    return whole.take(order[:1078]), whole.take(order[1078:])


def layers(*sizes: int, seed: int = 0, norm: bool = False) -> nn.Module:
    """Return a perceptron whose weights depend on `seed` alone."""
    parts: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_of(seed, "digits"))
        for a, b in pairwise(sizes[:-1]):
            parts += [nn.Linear(a, b), *([nn.BatchNorm1d(b)] if norm else []), nn.ReLU()]
        parts.append(nn.Linear(*sizes[-2:]))
    return nn.Sequential(*parts)


def trained(samples: Samples, *hidden: int, seed: int = 0, norm: bool = False, steps: int = 400) -> Network:
    """Return a teacher that learned the labels."""
    encoding = Pictures.fitted(samples)
    module = layers(64, *hidden, 10, seed=seed, norm=norm)
    right = torch.from_numpy(samples.labels)
    fit(
        module,
        encoding.encode(samples),
        lambda given, rows: torch.nn.functional.cross_entropy(given, right[rows]),
        steps=steps,
        batch=128,
        seed=seed,
    )
    return Network(f"teacher {seed}", module, encoding, CLASSES)
