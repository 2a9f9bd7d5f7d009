"""Patches greyed are those a patch transformer reads at these places, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kdaudit.compare.greying import greyed
from kdaudit.domain import Domain, Image
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples


def pictures(n=5, shape=(2, 6, 8)):
    pixels = np.random.default_rng(0).random((n, *shape)).astype(np.float32)
    return Samples(Domain((Image("scan", shape),)), {"scan": pixels}, np.arange(n), Origin("drawn"))


def test_a_greyed_patch_is_nothing_to_the_token_at_its_place():
    samples = pictures()
    encoding = Pictures.fitted(samples)
    module = build("patch_transformer", {"shape": [2, 6, 8], "outputs": 3, "patch": 2, "width": 8, "hidden": [8]}, 0)
    seen = []
    module.embedding.register_forward_hook(lambda _, given, __: seen.append(given[0].numpy()))
    positions = [np.array([0]), np.array([5, 11]), np.array([], dtype=np.int64), np.array([3]), np.array([7])]
    with torch.no_grad():
        for rows in (samples, greyed(samples, encoding, 12, positions)):
            module(torch.from_numpy(encoding.encode(rows)))
    before, after = seen
    for row, at in enumerate(positions):
        np.testing.assert_allclose(after[row, at], 0.0, atol=1e-6)
        rest = np.setdiff1d(np.arange(12), at)
        np.testing.assert_array_equal(after[row, rest], before[row, rest])


def test_the_given_pictures_stay_as_they_are():
    samples = pictures()
    kept = samples.columns["scan"].copy()
    greyed(samples, Pictures.fitted(samples), 12, [np.array([1])] * 5)
    np.testing.assert_array_equal(samples.columns["scan"], kept)


@pytest.mark.parametrize("tokens", [0, 5, 13, 49])
def test_patches_that_do_not_tile_are_refused(tokens):
    samples = pictures()
    with pytest.raises(InvalidInput, match="do not tile"):
        greyed(samples, Pictures.fitted(samples), tokens, [np.array([0])] * 5)
