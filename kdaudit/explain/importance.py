"""Which fields a subject's answers rest on over many rows: permutation importance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.explain.games import Scores
from kdaudit.samples import Samples

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Importance:
    """How much worse a subject's answers become when a field is exchanged between rows.

    Parameters
    ----------
    names : tuple of str
    values, error : array of shape (fields,)
        Mean rise of the squared error, and its standard error over repeats.
    repeats : int
    """

    names: tuple[str, ...]
    values: Floats
    error: Floats
    repeats: int


def permutation_importance(
    scores: Scores,
    samples: Samples,
    *,
    rng: np.random.Generator,
    reference: Floats | None = None,
    repeats: int = 5,
) -> Importance:
    """Return the rise of the squared error with each field permuted over the rows (Breiman 2001; Fisher et al. 2019).

    Parameters
    ----------
    scores : callable
        ``scores(rows) -> (n, outputs)``.
    samples : Samples
        n rows, at least 2.
    rng : Generator
        In the same state for subjects that are compared.
    reference : array of shape (n, outputs), optional
        What the answers should be; the subject's own answers if not given, so that its reasons count, right or wrong.
    repeats : int
        Permutations of each field, at least 2.
    """
    n = len(samples)
    if n < 2 or repeats < 2:
        raise InvalidInput(f"permutation importance needs at least 2 rows and 2 repeats; got {n} and {repeats}")
    at_rows = scores(samples)
    target = at_rows if reference is None else reference
    start = _loss(at_rows, target)
    names = samples.domain.names
    rises = np.empty((repeats, len(names)))
    for repeat in range(repeats):
        for place, name in enumerate(names):
            column = samples.columns[name][rng.permutation(n)]
            moved = replace(samples, columns={**samples.columns, name: column}, _keys=[])
            rises[repeat, place] = _loss(scores(moved), target) - start
    return Importance(names, rises.mean(axis=0), rises.std(axis=0, ddof=1) / np.sqrt(repeats), repeats)


def _loss(given: Floats, target: Floats) -> float:
    return float(((given - target) ** 2).sum(axis=1).mean())
