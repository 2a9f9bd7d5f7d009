from __future__ import annotations

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.samples import Origin, Samples


@pytest.fixture
def domain():
    return Domain(
        (
            Real("hours", 0, 99, integer=True),
            Real("debt", missing=True),
            Real("gain", 0),
            Category("school", ("low", "middle", "high", "top"), ordered=True, missing=True),
            Category("job", ("a", "b", "c", "never met")),
            Category("sex", ("female", "male"), protected=True),
            Category("origin", ("here", "near", "far"), protected=True, missing=True),
        ),
        ("hours >= 10 or job == 'a'",),
    )


@pytest.fixture
def draw_rows(domain):
    def draw(n, seed=0):
        rng = np.random.default_rng(seed)
        debt = rng.normal(size=n)
        debt[rng.random(n) < 0.1] = np.nan
        job = rng.integers(0, 3, n)
        columns = {
            "hours": np.where(job == 0, rng.integers(0, 60, n), rng.integers(10, 60, n)).astype(float),
            "debt": debt,
            "gain": np.where(rng.random(n) < 0.8, 0.0, rng.uniform(1, 9, n)),
            "school": rng.integers(-1, 4, n),
            "job": job,
            "sex": rng.integers(0, 2, n),
            "origin": rng.integers(-1, 3, n),
        }
        return Samples(domain, columns, np.arange(n), Origin("drawn", part=f"seed {seed}"))

    return draw
