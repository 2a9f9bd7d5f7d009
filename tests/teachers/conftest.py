"""Rows, a behaviour and a setting that the tests of this room share."""

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real
from kdaudit.question import Setting
from kdaudit.samples import Origin, Samples


@pytest.fixture(scope="session")
def domain():
    return Domain(
        (
            Real("age", 18, 99),
            Real("hours", 0, 99),
            Category("sex", ("female", "male"), protected=True),
            Category("work", ("office", "farm", "school"), missing=True),
        )
    )


@pytest.fixture(scope="session")
def make_rows(domain):
    def made(n=120, seed=0, **changes):
        rng = np.random.default_rng(seed)
        columns = {
            "age": rng.uniform(18, 99, n),
            "hours": rng.uniform(0, 99, n),
            "sex": rng.integers(0, 2, n),
            "work": rng.integers(-1, 3, n),
        }
        labels = (columns["age"] + rng.normal(0, 9, n) > 60).astype(np.int64)
        values = {"labels": labels, "ids": np.arange(n), **changes}
        return Samples(domain, columns, values["ids"], Origin("made", part="train"), values["labels"])

    return made


@pytest.fixture(scope="session")
def rows(make_rows):
    return make_rows()


@pytest.fixture
def make_setting(domain, tmp_path):
    def made(outputs=("yes",), parts=None, scale="probability", **more):
        return Setting(tmp_path, Behaviour("says yes", outputs, domain, scale=scale), parts or {}, **more)

    return made
