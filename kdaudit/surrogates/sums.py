"""Weighted sums of a few fields, as further columns that a split can cut.

A sum is found for the rows that matter at one split: fields are taken one after another, each the one that lowers the
squared error of telling the two sides apart most (orthogonal matching pursuit: Pati, Rezaiifar and Krishnaprasad,
1993), then weighted by logistic regression.  Weights are rounded first and cut afterwards: what is evaluated is what
is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kdaudit.domain import Category, Real
from kdaudit.rules import Term
from kdaudit.samples import Samples
from kdaudit.surrogates.columns import MOST, Column
from kdaudit.surrogates.targets import Floats, Positions
from kdaudit.surrogates.thinning import spread

FEWEST = 20
"""With fewer rows that matter no sum is looked for."""
ENOUGH = 1_500
"""Of more rows that matter, fields and weights are found on so many; where to cut is found on all."""
NEWTON = 8
"""Most steps of the logistic regression."""
STILL = 1e-4
"""It ends where a step moves no slope by more: weights are rounded coarser."""
RIDGE = 1e-2
"""Of both regressions, in standard deviations."""
DIGITS = 3
"""Significant digits of a weight."""


@dataclass(frozen=True, eq=False)
class Sum:
    """A weighted sum and its codes over the rows that it was found for.

    Parameters
    ----------
    terms : tuple of Term
    cuts : array of shape (size - 1,)
    codes : array of shape (m,)
        As those of a `Column`.
    """

    terms: tuple[Term, ...]
    cuts: NDArray[np.float64]
    codes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sums:
    """What sums can be made of.

    Parameters
    ----------
    samples : Samples
        The rows of the targets.
    parts : tuple of Term
        Numbers and ranks with weight 1, and one part for each level without order.
    raw : array of shape (n, parts)
        Of each part; NaN where missing.
    values : array of shape (n, parts)
        The same in standard deviations from the mean; 0 where missing.
    scales : array of shape (parts,)
    most : int
        Most fields of a sum.
    """

    samples: Samples
    parts: tuple[Term, ...]
    raw: Floats
    values: Floats
    scales: Floats
    most: int

    @classmethod
    def of(cls, samples: Samples, most: int, *, without: Sequence[str] = ()) -> Sums:
        """Return all parts that vary over the rows."""
        parts, raw, values, scales = [], [], [], []
        for item in samples.domain.fields:
            if item.name in without or not isinstance(item, Real | Category):
                continue
            single = isinstance(item, Category) and not item.ordered
            levels = [(level,) for level in item.levels] if isinstance(item, Category) and single else [None]
            for level in levels:
                part = Term(item.name, 1.0, level)
                value = part.value(samples)
                known = value[~np.isnan(value)]
                scale = float(known.std()) if len(known) else 0.0
                if scale > 0:
                    parts.append(part)
                    raw.append(value)
                    values.append(np.where(np.isnan(value), 0.0, (value - known.mean()) / scale))
                    scales.append(scale)
        nothing = np.zeros((len(samples), 0))
        raw_table, table = (np.stack(each, axis=1) if each else nothing for each in (raw, values))
        return cls(samples, tuple(parts), raw_table, table, np.array(scales), most)

    def found(self, rows: Positions, side: NDArray[np.bool_], weight: Floats) -> list[Sum]:
        """Return sums that tell the rows of one side from those of the other.

        Parameters
        ----------
        rows : array of shape (m,)
            Rows that matter.
        side : array of shape (m,)
            Whether a row should go left.
        weight : array of shape (m,)
            What each row counts.
        """
        if len(rows) < FEWEST or side.all() or not side.any() or len(self.parts) < 2:
            return []
        some = spread(len(rows), min(len(rows), ENOUGH))
        if side[some].all() or not side[some].any():
            return []
        points, sign = self.values[rows[some]], np.where(side[some], 1.0, -1.0)
        chosen = _pursued(points, sign, weight[some], self.most)
        out = []
        for size in range(2, len(chosen) + 1):
            slopes = _logistic(points[:, chosen[:size]], side[some], weight[some])
            found = self._sum(chosen[:size], slopes / self.scales[chosen[:size]], rows)
            if found is not None:
                out.append(found)
        return out

    def column(self, found: Sum) -> Column:
        """Return a sum as a column over all rows."""
        total = np.sum([term.value(self.samples) for term in found.terms], axis=0)
        absent = any(self.samples.domain[term.field].missing for term in found.terms)
        field = Real(found.terms[0].field, missing=absent)
        return Column(field, _coded(total, found.cuts), len(found.cuts) + 1, tuple(map(float, found.cuts)), found.terms)

    def _sum(self, chosen: list[int], weights: Floats, rows: Positions) -> Sum | None:
        terms = _rounded([self.parts[at] for at in chosen], weights)
        if len(terms) < 2:
            return None
        # the sum over the chosen rows only, in the order and by the products of `Term.value`
        at = {self.parts[position]: position for position in chosen}
        unit = {replace(term, weight=1.0): term.weight for term in terms}
        total = np.sum([weight * self.raw[rows, at[part]] for part, weight in unit.items()], axis=0)
        known = np.unique(total[~np.isnan(total)])
        if len(known) < 2:
            return None
        if len(known) > MOST:
            known = np.unique(np.quantile(known, np.linspace(0, 1, MOST), method="closest_observation"))
        cuts = (known[1:] + known[:-1]) / 2
        return Sum(terms, cuts, _coded(total, cuts))


def _coded(total: Floats, cuts: Floats) -> NDArray[np.int64]:
    return np.where(np.isnan(total), len(cuts) + 1, np.searchsorted(cuts, total, side="left")).astype(np.int64)


def _pursued(points: Floats, sign: Floats, weight: Floats, most: int) -> list[int]:
    """Return which parts to add up, the most telling first."""
    centred = points - np.average(points, axis=0, weights=weight)
    goal = sign - np.average(sign, weights=weight)
    gram = (centred * weight[:, None]).T @ centred
    toward = (centred * weight[:, None]).T @ goal
    size = np.maximum(gram.diagonal(), 1e-9)
    chosen: list[int] = []
    left = toward
    for _ in range(min(most, len(size))):
        worth = left**2 / size
        worth[chosen] = -1.0
        # rounding must not decide between equals: the first part wins
        at = int(np.flatnonzero(worth >= worth.max() * (1 - 1e-9))[0])
        if worth[at] <= 0:
            break
        chosen.append(at)
        inner = gram[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
        left = toward - gram[:, chosen] @ np.linalg.solve(inner, toward[chosen])
    return chosen


def _logistic(points: Floats, side: NDArray[np.bool_], weight: Floats) -> Floats:
    """Return the slopes of a ridge logistic regression, by Newton's method, shape (parts,)."""
    design = np.column_stack([points, np.ones(len(points))])
    slopes = np.zeros(design.shape[1])
    share = weight / weight.mean()
    for _ in range(NEWTON):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ slopes, -30, 30)))
        slope = design.T @ (share * (side - chance)) - RIDGE * slopes
        curve = (design * (share * chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(len(slopes))
        step = np.clip(np.linalg.solve(curve, slope), -5, 5)
        slopes = slopes + step
        if np.abs(step).max() < STILL:
            break
    out: Floats = slopes[:-1]
    return out


def _rounded(parts: list[Term], weights: Floats) -> tuple[Term, ...]:
    """Return the terms in units of the first number among them, weights rounded."""
    ordered = sorted(range(len(parts)), key=lambda at: parts[at].levels is not None)
    unit = abs(weights[ordered[0]])
    if not np.isfinite(weights).all() or unit == 0:
        return ()
    terms = [Term(parts[at].field, float(f"{weights[at] / unit:.{DIGITS}g}"), parts[at].levels) for at in ordered]
    return tuple(term for term in terms if term.weight)
