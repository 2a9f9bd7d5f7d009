"""Sums over rows, by group, which add up piece by piece: rates, gaps and covariate estimates come from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kdaudit.errors import InvalidInput
from kdaudit.statistics.rates import Floats


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of two values a row, y (teacher) and s (proxy), each of shape (groups,).

    Parameters
    ----------
    count, y, s, yy, ss, ys : array of shape (groups,)
        Number of rows, sums, sums of squares, and sum of products.
    """

    count: Floats
    y: Floats
    s: Floats
    yy: Floats
    ss: Floats
    ys: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    @property
    def mean(self) -> Floats:
        """Mean of y; NaN in groups without rows."""
        return _over(self.y, self.count)

    @property
    def mean_s(self) -> Floats:
        """Mean of s; NaN in groups without rows."""
        return _over(self.s, self.count)

    @property
    def variance(self) -> Floats:
        """Variance of y, with n - 1; NaN with fewer than two rows."""
        return _over(_centred(self.yy, self.y, self.y, self.count), self.count - 1)

    @property
    def slope(self) -> Floats:
        """Slope of y on s; 0 where s does not vary."""
        spread = _centred(self.ss, self.s, self.s, self.count)
        shared = _centred(self.ys, self.y, self.s, self.count)
        flat = ~(spread > 1e-12 * self.count)
        return np.where(flat, 0.0, shared / np.where(flat, 1.0, spread))

    @property
    def residual_variance(self) -> Floats:
        """Variance of y about its line on s, with n - 2; NaN with fewer than three rows."""
        total = _centred(self.yy, self.y, self.y, self.count)
        left = total - self.slope * _centred(self.ys, self.y, self.s, self.count)
        return _over(np.maximum(left, 0.0), self.count - 2)


def sums(groups: ArrayLike, size: int, y: ArrayLike, s: ArrayLike | None = None) -> Sums:
    """Return the sums of rows in `size` groups.

    Parameters
    ----------
    groups : array of shape (n,)
        Group of each row, from 0; rows of a negative group are left out.
    size : int
        Number of groups.
    y : array of shape (n,)
        Rows with NaN, here or in `s`, are left out.
    s : array of shape (n,), optional
        0 where not given.
    """
    place, a = np.asarray(groups), np.asarray(y, dtype=np.float64)
    b = np.zeros(len(a)) if s is None else np.asarray(s, dtype=np.float64)
    if not len(place) == len(a) == len(b) or (len(place) and int(place.max()) >= size):
        raise InvalidInput(f"{len(a)} values need as many groups, all below {size}")
    rows = (place >= 0) & ~np.isnan(a) & ~np.isnan(b)
    place, a, b = place[rows], a[rows], b[rows]

    def by_group(values: Floats | None) -> Floats:
        return np.bincount(place, values, minlength=size).astype(np.float64)

    return Sums(by_group(None), *(by_group(values) for values in (a, b, a * a, b * b, a * b)))


def _centred(products: Floats, a: Floats, b: Floats, count: Floats) -> Floats:
    out: Floats = products - a * b / np.maximum(count, 1)
    return out


def _over(total: Floats, count: Floats) -> Floats:
    out: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out
