"""Rows drawn over the domain, where no data need lie."""

from __future__ import annotations

from typing import Literal

import numpy as np

from kdaudit.compare.lines import MADE, possible
from kdaudit.domain import Category, Field, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Column, Samples

Sampler = Literal["uniform", "marginal"]
TRIES = 50
"""Times as many rows as wanted that are drawn before constraints are said to leave nothing."""


def drawn(samples: Samples, n: int, sampler: Sampler, rng: np.random.Generator) -> Samples:
    """Return rows over the domain that fulfil its constraints.

    Parameters
    ----------
    samples : Samples
        Rows of the data: give ranges and frequencies.
    n : int
    sampler : {"uniform", "marginal"}
        "uniform": numbers even over their range (of the data, where the domain has none), levels equally often.
        "marginal": each field as often as in the data, independently of the others.
    rng : Generator

    Raises
    ------
    InvalidInput
        If a field is no number and no category, or hardly any row fulfils the constraints.
    """
    found: list[Samples] = []
    have = tried = 0
    while have < n:
        if tried > TRIES * max(n, 100):
            raise InvalidInput(f"{have} of {tried} rows drawn fulfil the domain's constraints; {n} are wanted")
        size = max(n, 100)
        ids = np.arange(tried, tried + size)
        columns = {item.name: _column(item, samples, size, sampler, rng) for item in samples.domain.fields}
        rows = Samples(samples.domain, columns, ids, MADE)
        tried += size
        rows = rows.take(possible(rows))
        found.append(rows)
        have += len(rows)
    columns = {name: np.concatenate([part.columns[name] for part in found])[:n] for name in samples.domain.names}
    return Samples(samples.domain, columns, np.arange(n), MADE)


def _column(item: Field, samples: Samples, n: int, sampler: Sampler, rng: np.random.Generator) -> Column:
    column = samples.columns[item.name]
    if sampler == "marginal":
        return column[rng.integers(0, len(column), n)]
    match item:
        case Category(levels=levels):
            return rng.integers(0, len(levels), n).astype(np.int32)
        case Real(low=low, high=high, integer=whole):
            known = column[~np.isnan(column)]
            first = float(known.min()) if low is None else float(low)
            last = float(known.max()) if high is None else float(high)
            if whole:
                return rng.integers(int(first), int(last) + 1, n).astype(np.float64)
            return rng.uniform(first, last, n)
        case _:
            raise InvalidInput(f"field {item.name!r} is a {item.kind}; draw it by the sampler 'marginal'")
