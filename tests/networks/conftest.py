"""Rows and a small network that the tests of this room share."""

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.encoding import Encoding
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples

DOMAIN = Domain(
    (
        Real("age", 18, 99),
        Real("hours", 0, 99, missing=True),
        Category("sex", ("female", "male"), protected=True),
        Category("work", ("office", "farm", "school"), missing=True),
    )
)


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    hours = rng.uniform(0, 99, n)
    hours[rng.random(n) < 0.1] = np.nan
    columns = {
        "age": rng.uniform(18, 99, n),
        "hours": hours,
        "sex": rng.integers(0, 2, n),
        "work": rng.integers(-1, 3, n),
    }
    return Samples(DOMAIN, columns, np.arange(n), Origin("made"), labels=(columns["age"] > 50).astype(np.int64))


@pytest.fixture
def samples():
    return rows(300)


@pytest.fixture
def make(samples):
    """Return a function that makes a network, of one output or of several."""
    encoding = Encoding.fitted(samples)

    def made(outputs=("yes",), seed=0, **options):
        arguments = {"inputs": encoding.width, "outputs": len(outputs), "hidden": [16, 8]}
        return Network("small network", build("mlp", arguments, seed), encoding, outputs, **options)

    return made
