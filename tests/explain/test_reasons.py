"""Integrated gradients of a network, from rows to fields."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.domain import Category, Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.explain.reasons import integrated_gradients
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Real("age"), Real("pay"), Category("sex", ("female", "male"))))


def people(n, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"age": rng.normal(40, 9, n), "pay": rng.normal(size=n), "sex": rng.integers(0, 2, n).astype(np.int32)}
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def network(outputs=("above",), seed=0):
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, len(outputs)))
    return Network("net", module, Encoding.fitted(people(300, 9)), outputs)


def test_shares_sum_to_the_change_of_the_logit():
    subject, rows, background = network(), people(20), people(200, 1)
    got = integrated_gradients(subject, rows, background, output=np.zeros(20, dtype=int))
    base = subject.encoding.encode(background).mean(axis=0, dtype=np.float64).astype(np.float32)[None]
    change = subject.raw(subject.encoding.encode(rows))[:, 0] - subject.raw(base)[0, 0]
    assert np.allclose(got.values.sum(axis=1), change, atol=1e-5)
    assert got.names == ("age", "pay", "sex")
    assert got.gap.max() < 1e-5


def test_a_field_that_the_network_does_not_see_gets_exactly_nothing():
    subject = network()
    with torch.no_grad():
        subject.module[0].weight[:, 1] = 0
    got = integrated_gradients(subject, people(9), people(50, 1), output=np.zeros(9, dtype=int))
    assert (got.values[:, 1] == 0).all()
    assert np.abs(got.values[:, 0]).min() > 0


def test_classes_are_explained_by_their_centred_logit():
    subject, rows, background = network(("a", "b", "c")), people(6), people(40, 1)
    each = [integrated_gradients(subject, rows, background, output=np.full(6, k)).values for k in range(3)]
    assert np.allclose(sum(each), 0, atol=1e-5)
    mixed = integrated_gradients(subject, rows, background, output=np.array([0, 1, 2, 0, 1, 2]))
    assert np.array_equal(mixed.values[1], each[1][1])


def test_two_runs_give_the_same_bytes_and_leave_the_network_as_it_was():
    subject, rows, background = network(), people(100), people(40, 1)
    before = {k: v.clone() for k, v in subject.module.state_dict().items()}
    first, second = (integrated_gradients(subject, rows, background, output=np.zeros(100, dtype=int)) for _ in range(2))
    assert first.values.tobytes() == second.values.tobytes()
    assert all(torch.equal(v, before[k]) for k, v in subject.module.state_dict().items())
    assert first.relative_error == pytest.approx(second.relative_error)
