"""Which rules hold for which rows, all at once, by bit masks.

Every rule has a bit.  For each value of a field that the tests can tell apart a mask says which rules it leaves open;
the masks of a row's values, joined by "and", leave open exactly the rules that hold (Lucchese and others, 2015, where
rows are taken one by one).  What a test means is asked of the test itself, once for each value that can be told apart,
so that there is one meaning only.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Domain, Field, Real
from kdaudit.samples import Origin, Samples

if TYPE_CHECKING:
    from kdaudit.rules import Rule, Term, Test

Mask = NDArray[np.bool_]
Bits = NDArray[Any]
"""Masks, 32 or 64 rules a number."""
Kind = type[np.uint32] | type[np.uint64]
CHUNK = 16_384
"""Rows that are looked at together: their masks stay in the cache."""
MOST_CUTS = 24
"""Up to so many cuts a number is compared with each; beyond, its place among them is searched."""


@dataclass(frozen=True, eq=False)
class Table:
    """Which rules the values of one field, or of one weighted sum, leave open.

    Parameters
    ----------
    values : array of shape (n,)
        Of all rows: numbers, or positions of levels.
    masks : array of shape (codes, words)
        The last row is for missing values.
    cuts : array of shape (codes - 2,), optional
        Rising; the code of a number is how many of them lie below it.  None where the values are codes themselves.
    """

    values: NDArray[Any]
    masks: Bits
    cuts: NDArray[np.float64] | None

    def codes(self, part: slice) -> NDArray[np.intp]:
        """Return the code of each value of a part of the rows."""
        values = self.values[part]
        if self.cuts is None:
            return values.astype(np.intp)
        if len(self.cuts) > MOST_CUTS:
            return np.where(np.isnan(values), -1, np.searchsorted(self.cuts, values, side="left"))
        below = np.zeros(len(values), dtype=np.uint8)
        for cut in self.cuts:
            below += (values > cut).view(np.uint8)
        below[np.isnan(values)] = len(self.masks) - 1
        return below.astype(np.intp)


def holding(rules: Sequence[Rule], samples: Samples) -> Iterator[tuple[slice, Bits]]:
    """Yield chunks of rows with the masks of the rules that hold.

    Parameters
    ----------
    rules : sequence of Rule
    samples : Samples

    Yields
    ------
    slice
        Which rows.
    array of shape (words, rows)
        Bit i of word w stands for rule 64 w + i (32 bits a word where there are at most 32 rules).
    """
    kind: Kind = np.uint32 if len(rules) <= 32 else np.uint64
    every = _packed(np.ones((1, len(rules)), dtype=bool), kind)[0]
    tables = _tables(rules, samples, kind)
    for start in range(0, len(samples), CHUNK):
        part = slice(start, min(start + CHUNK, len(samples)))
        masks = np.empty((len(every), part.stop - start), dtype=kind)
        masks[:] = every[:, None]
        for table in tables:
            codes = table.codes(part)
            for word in range(len(every)):
                masks[word] &= table.masks[:, word][codes]
        yield part, masks


def first(rules: Sequence[Rule], samples: Samples) -> NDArray[np.int64]:
    """Return the position of the first rule that holds for each row, shape (n,); -1 where none does."""
    out = np.full(len(samples), -1, dtype=np.int64)
    for part, masks in holding(rules, samples):
        one = masks.dtype.type(1)
        for word in reversed(range(len(masks))):
            bits = masks[word]
            # as many bits lie below the lowest one as its position says
            lowest = np.bitwise_count((bits & (~bits + one)) - one)
            out[part] = np.where(bits != 0, 64 * word + lowest.astype(np.int64), out[part])
    return out


def held(rules: Sequence[Rule], samples: Samples) -> Mask:
    """Return which rules hold for which rows, shape (n, rules)."""
    out = np.empty((len(samples), len(rules)), dtype=bool)
    for part, masks in holding(rules, samples):
        one = masks.dtype.type(1)
        for position in range(len(rules)):
            word, bit = divmod(position, 64)
            out[part, position] = (masks[word] >> masks.dtype.type(bit)) & one
    return out


def _packed(holds: Mask, kind: Kind) -> Bits:
    """Return masks of shape (m, words) from shape (m, rules)."""
    out = np.zeros((len(holds), max(1, -(-holds.shape[1] // 64))), dtype=kind)
    for position in range(holds.shape[1]):
        word, bit = divmod(position, 64)
        out[:, word] |= np.where(holds[:, position], kind(1 << bit), kind(0))
    return out


@dataclass(frozen=True, eq=False)
class Openings:
    """Which rules each value of one field, or of one weighted sum, leaves open.

    Parameters
    ----------
    field : str
    terms : tuple of Term
        Of a weighted sum; empty for the field itself.
    cuts : array of shape (codes - 2,), optional
        As for `Table`; None for a category, whose codes are its levels.
    open : array of shape (codes, rules)
        The last row is for missing values.
    """

    field: str
    terms: tuple[Term, ...]
    cuts: NDArray[np.float64] | None
    open: Mask


def openings(rules: Sequence[Rule], domain: Domain) -> list[Openings]:
    """Return the openings of every field and sum that the rules test, in the order in which they are met."""
    tests: dict[tuple[str, tuple[Term, ...]], dict[Test, list[int]]] = {}
    for position, rule in enumerate(rules):
        for test in rule.tests:
            tests.setdefault((test.field, test.terms), {}).setdefault(test, []).append(position)
    out = []
    for (name, terms), own in tests.items():
        cuts = np.unique([x for test in own for x in (test.below, test.above) if x is not None]).astype(np.float64)
        item: Field = Real(name) if terms else domain[name]
        probe = _probe(item, cuts)
        left = np.ones((len(probe), len(rules)), dtype=bool)
        for test, positions in own.items():
            left[:, positions] &= replace(test, terms=()).holds(probe)[:, None]
        out.append(Openings(name, terms, None if isinstance(item, Category) else cuts, left))
    return out


def _tables(rules: Sequence[Rule], samples: Samples, kind: Kind) -> list[Table]:
    out = []
    for part in openings(rules, samples.domain):
        summed = [term.value(samples) for term in part.terms]
        values = np.sum(summed, axis=0) if summed else samples.columns[part.field]
        out.append(Table(values, _packed(part.open, kind), part.cuts))
    return out


def _probe(item: Field, cuts: NDArray[np.float64]) -> Samples:
    """Return rows of one field, one for each value that its tests can tell apart; the last has it missing."""
    if isinstance(item, Category):
        item, values = replace(item, missing=True), np.append(np.arange(len(item.levels)), -1)
    else:
        # a cut stands for all numbers since the one before it, and what follows the last cut for all beyond it
        beyond = min(math.nextafter(cuts[-1], math.inf), sys.float_info.max) if len(cuts) else 0.0
        item, values = Real(item.name, missing=True), np.array([*cuts, beyond, np.nan])
    return Samples(Domain((item,)), {item.name: values}, np.arange(len(values)), Origin("values told apart"))
