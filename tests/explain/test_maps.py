"""Class activation maps of networks over pictures, patch by patch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.domain import Domain, Image
from kdaudit.errors import NoSuchSignal
from kdaudit.explain.maps import class_maps, last_convolution
from kdaudit.explain.modules import grad_cam
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples


def pictures(n=12, shape=(1, 8, 8)):
    values = np.random.default_rng(0).random((n, *shape)).astype(np.float32)
    return Samples(Domain((Image("scan", shape),)), {"scan": values}, np.arange(n), Origin("noise"))


def reader(samples, kind="cnn", **sizes):
    encoding = Pictures.fitted(samples, patch=4)
    settings = {"shape": list(encoding.shape), "outputs": 3, **sizes} if kind == "cnn" else sizes
    return Network("reader", build(kind, settings, 0), encoding, ("a", "b", "c"))


def test_patches_hold_the_mean_of_the_map():
    samples, output = pictures(), np.arange(12) % 3
    network = reader(samples, hidden=[4, 6])
    found = class_maps(network, samples, output=output)
    assert found.names == network.encoding.units.names
    rows = torch.from_numpy(network.encoding.encode(samples))
    layer = last_convolution(network)
    maps = grad_cam(network.module, layer, rows, torch.from_numpy(output), size=(8, 8))
    want = maps.reshape(12, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(12, 4)
    assert np.allclose(found.values, want, atol=1e-6)
    assert found.values.min() >= 0
    assert found.values.max() > 0
    assert np.isnan(found.gap).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_maps_are_the_same_bytes_for_one_thread_and_two(threads):
    samples, output = pictures(40), np.arange(40) % 3
    network = reader(samples, hidden=[4, 6])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = class_maps(network, samples, output=output).values.tobytes()
    finally:
        torch.set_num_threads(before)
    torch.set_num_threads(1)
    try:
        assert class_maps(network, samples, output=output).values.tobytes() == found
    finally:
        torch.set_num_threads(before)


def test_a_network_without_convolutions_is_refused():
    samples = pictures()
    network = reader(samples, "mlp", inputs=64, outputs=3, hidden=[8])
    with pytest.raises(NoSuchSignal, match="no convolution"):
        class_maps(network, samples, output=np.zeros(12, dtype=np.int64))
    assert isinstance(network.module, nn.Module)
