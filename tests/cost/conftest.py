"""Rows, networks and rules whose costs can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.cast import Cast, Empty
from kdaudit.domain import Category, Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.subject import Identity

DOMAIN = Domain((Real("age", 18, 90), Real("hours", 0, 99), Category("sex", ("female", "male"))))


class Ruled:
    """Rules as a subject."""

    outputs, scale, offers = ("above",), "probability", frozenset()

    def __init__(self, form, name="rules"):
        self.form, self.identity = form, Identity(name, name)


@pytest.fixture
def rows():
    def draw(n=200, seed=0):
        rng = np.random.default_rng(seed)
        columns = {"age": rng.uniform(18, 90, n), "hours": rng.uniform(0, 99, n), "sex": rng.integers(0, 2, n)}
        return Samples(DOMAIN, columns, np.arange(n), Origin("drawn by chance"))

    return draw


@pytest.fixture
def network(rows):
    def make(hidden=(8,), seed=0, name="network"):
        encoding = Encoding.fitted(rows())
        arguments = {"inputs": encoding.width, "outputs": 1, "hidden": list(hidden)}
        return Network(name, build("mlp", arguments, seed), encoding, ("above",))

    return make


@pytest.fixture
def ruled():
    return Ruled


@pytest.fixture
def cast_of():
    def make(teacher, proxy):
        nobody = Empty("nobody")
        return Cast(teacher, proxy, nobody, nobody, proxy_name="small one")

    return make
