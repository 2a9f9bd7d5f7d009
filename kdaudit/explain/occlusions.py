"""Attributions from answers alone: what changes when one field is another row's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.explain.attributions import Attributions
from kdaudit.samples import Samples

Scores = Callable[[Samples], NDArray[np.float64]]
"""``scores(rows) -> (n, outputs)`` of one subject; NaN where a row failed."""


def occlusion(
    scores: Scores,
    samples: Samples,
    background: Samples,
    *,
    output: NDArray[np.int64],
    donors: NDArray[np.int64],
) -> Attributions:
    """Return the score minus its mean with one field taken from background rows, for each field.

    Parameters
    ----------
    scores : callable
        See `Scores`.
    samples : Samples
        n rows to explain.
    background : Samples
        Rows of the same domain that lend values.
    output : array of shape (n,)
        Which output is explained in each row.
    donors : array of shape (n, draws)
        Positions in `background`; the same for all subjects that are compared, since draws of one's own lower their
        likeness.

    Returns
    -------
    Attributions
        ``error`` is the standard error over draws (NaN with one draw); ``gap`` is NaN, since single occlusions need
        not sum to anything.
    """
    n, draws = donors.shape
    names = samples.domain.names
    rows = np.arange(n)
    at_row = scores(samples)[rows, output]
    values, error = np.empty((n, len(names))), np.empty((n, len(names)))
    repeated = samples.take(np.repeat(rows, draws))
    chosen = np.repeat(output, draws)
    for place, name in enumerate(names):
        column = background.columns[name][donors.ravel()]
        moved = replace(repeated, columns={**repeated.columns, name: column}, _keys=[])
        without = scores(moved)[np.arange(n * draws), chosen].reshape(n, draws)
        difference = at_row[:, None] - without
        values[:, place] = difference.mean(axis=1)
        error[:, place] = difference.std(axis=1, ddof=1) / np.sqrt(draws) if draws > 1 else np.nan
    return Attributions(
        names,
        values,
        error,
        np.full(n, np.nan),
        np.full(n, np.nan),
        method=f"occlusion: each field replaced by that of {draws} background rows",
        baseline="values of background rows, one field at a time",
        scale="score",
    )
