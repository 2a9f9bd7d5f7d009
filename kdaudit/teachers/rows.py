"""Rows in the form and number in which a closed model takes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kdaudit.domain import Category, Domain
from kdaudit.engine import slices
from kdaudit.errors import OutOfDomain
from kdaudit.samples import Samples


def conform(samples: Samples, domain: Domain) -> Samples:
    """Return the rows with the levels in the order of `domain`.

    Parameters
    ----------
    samples : Samples
    domain : Domain
        The one that a model was made for.

    Raises
    ------
    OutOfDomain
        If the fields are others, or a row has a level that the model's domain lacks.
    """
    if samples.domain.layout() != domain.layout():
        raise OutOfDomain(
            f"rows with fields {', '.join(samples.domain.names)}; "
            f"{', '.join(domain.names)} were expected, in that order and of those kinds"
        )
    if samples.domain == domain:
        return samples
    columns = dict(samples.columns)
    for item in domain.fields:
        if isinstance(item, Category):
            theirs = samples.domain.category(item.name).levels
            table = np.array([item.levels.index(x) if x in item.levels else -2 for x in theirs] + [-1], dtype=np.int32)
            columns[item.name] = table[samples.columns[item.name]]
            unknown = columns[item.name] == -2
            if unknown.any():
                level = samples.level(item.name)[unknown][0]
                raise OutOfDomain(f"{item.name} has the level {level!r}, which this model never met")
    return Samples(domain, columns, samples.ids, samples.origin, samples.labels, samples.weights)


def filled(samples: Samples, size: int) -> Iterator[tuple[slice, Samples]]:
    """Yield pieces of exactly `size` rows with the places of their true rows; the last is filled up with its first row.

    A model that sees batches of one size only gives a row the same bits whatever rows stand beside it, as long as it
    works on rows one by one.
    """
    for piece in slices(len(samples), size):
        rows = np.full(size, piece.start)
        rows[: piece.stop - piece.start] = np.arange(piece.start, piece.stop)
        yield piece, samples.take(rows)
