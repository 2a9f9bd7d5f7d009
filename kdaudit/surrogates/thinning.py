"""Fewer rows to search on where there are very many, and answers from all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kdaudit.rules import Rules
from kdaudit.surrogates.targets import Positions, Targets

MOST = 50_000
"""Rows on which splits are chosen anew; with more, only growing looks at all of them."""


def thinned(rows: Targets, most: int = MOST) -> Targets:
    """Return at most `most` of the rows; the rows themselves where there are no more."""
    return rows if len(rows) <= most else rows.take(spread(len(rows), most))


def spread(n: int, most: int) -> Positions:
    """Return `most` of n positions, rising, spread evenly and without a period (Knuth, 1973, section 6.4)."""
    # multiplying by 2**32 over the golden ratio scatters neighbours
    order = np.argsort(np.arange(n, dtype=np.uint64) * np.uint64(2654435769) % np.uint64(2**32), kind="stable")
    return np.sort(order[:most])


def settled(rules: Rules, rows: Targets) -> Rules:
    """Return the same tree or list with what it answers, and of how many rows, taken from all rows.

    Parameters
    ----------
    rules : Rules
        Of family "tree" or "list".
    rows : Targets
        Some of which come to every rule, or the rule keeps its answer.
    """
    which = rules.which(rows.samples)
    order = np.argsort(which, kind="stable")
    ends = np.searchsorted(which[order], np.arange(len(rules.rules) + 1))
    out = []
    for position, rule in enumerate(rules.rules):
        own = order[ends[position] : ends[position + 1]]
        out.append(replace(rule, score=rows.answer(own), n=len(own)) if len(own) else replace(rule, n=0))
    return replace(rules, rules=tuple(out))
