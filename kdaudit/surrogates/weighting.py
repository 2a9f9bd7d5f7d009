"""Rows with sampling weights: a heavy row counts for many.

Tests are looked for among rows that are repeated as often as they weigh, to a quarter of the mean weight; answers are
then taken from the rows themselves, by their exact weights, and so is the choice among candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from kdaudit.rules import Rules
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.enquiry import Body
from kdaudit.surrogates.targets import Floats, Positions, Targets
from kdaudit.surrogates.thinning import settled

REPEATS = 4
"""Times that a row of mean weight stands among the repeated rows."""
MANY = 50_000
"""Of more rows as many are drawn as there are, so that a row of mean weight stands there once."""


def repeated(rows: Targets) -> Targets:
    """Return the rows repeated as they weigh, without weights; themselves where they have none."""
    weight = rows.weight
    if weight is None:
        return rows
    times = _times(weight, len(rows) * (REPEATS if len(rows) <= MANY else 1))
    out = rows.take(np.repeat(np.arange(len(rows)), times))
    return replace(out, samples=replace(out.samples, weights=None))


def _times(weight: Floats, total: int) -> Positions:
    """Return how often each row is taken, `total` times in all: rounded so that no rounding adds up."""
    ends = np.floor(np.cumsum(weight) / weight.sum() * total + 0.5).astype(np.int64)
    out: Positions = np.diff(ends, prepend=0)
    return out


def by_weight(make: Callable[[Body], Iterator[Candidate]], body: Body) -> Iterator[Candidate]:
    """Yield the candidates that `make` finds, by the weights of the rows where they have some."""
    if body.rows.weight is None:
        yield from make(body)
        return
    whole = body.whole
    for found in make(Body(body.name, repeated(body.rows), None if whole is None else repeated(whole))):
        again = found.again
        remade = None if again is None or whole is None else _Remade(again, whole)
        yield replace(found, rules=_exact(found.rules, body.rows), again=remade)


class _Remade:
    """Makes the rules again and takes their answers by exact weights."""

    def __init__(self, again: Callable[[], Rules], rows: Targets) -> None:
        self._again, self._rows = again, rows

    def __call__(self) -> Rules:
        return _exact(self._again(), self._rows)


def _exact(rules: Rules, rows: Targets) -> Rules:
    if rules.family != "set":
        return settled(rules, rows)
    counts = rules.held(rows.samples).sum(axis=0)
    kept = tuple(replace(rule, n=int(n)) for rule, n in zip(rules.rules, counts, strict=True))
    return replace(rules, rules=kept)
