"""Which fields a subject's answers rest on over many rows: permutation importance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.explain.attributions import Attributions
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


def exchanged_fields(
    scores: Scores, samples: Samples, *, rng: np.random.Generator, repeats: int, name: str = "the subject"
) -> Attributions:
    """Return each row's part in the permutation importance of each field, against the subject's own answers.

    The mean over rows is `permutation_importance` of the same generator without a reference.

    Parameters
    ----------
    scores : callable
        ``scores(rows) -> (n, outputs)``; NaN where a row failed.
    samples : Samples
        n rows.
    rng : Generator
        In the same state for subjects that are compared.
    repeats : int
        Permutations of each field.
    name : str
        The subject's, for sentences.

    Returns
    -------
    Attributions
        Squared changes of the answer, summed over outputs: never negative.  ``error`` is the standard error over
        repeats (NaN with one).

    Raises
    ------
    NoSuchSignal
        If the rows have one field: nothing can be exchanged and the rest kept.
    """
    names, n = samples.domain.names, len(samples)
    if len(names) < 2:
        raise NoSuchSignal(f"{name} reads one field, of which nothing can be exchanged; take ablation of its parts")
    start = scores(samples)
    change = np.empty((repeats, n, len(names)))
    for repeat in range(repeats):
        for place, field in enumerate(names):
            column = samples.columns[field][rng.permutation(n)]
            moved = replace(samples, columns={**samples.columns, field: column}, _keys=[])
            change[repeat, :, place] = ((scores(moved) - start) ** 2).sum(axis=1)
    values = change.mean(axis=0)
    error = change.std(axis=0, ddof=1) / np.sqrt(repeats) if repeats > 1 else np.full_like(values, np.nan)
    nothing = np.full(n, np.nan)
    return Attributions(
        names,
        values,
        error,
        nothing,
        nothing,
        method=f"permutation importance: each field exchanged between the rows explained, {repeats} times",
        baseline="the field of another row that is explained, drawn from",
        scale="squared change of the score",
        evaluations=1 + repeats * len(names),
    )


def _loss(given: Floats, target: Floats) -> float:
    return float(((given - target) ** 2).sum(axis=1).mean())
