"""How sure is a mean of rows that come in clusters, such as the fillings of one template?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.rates import critical


def clustered_mean(values: ArrayLike, clusters: NDArray[Any], *, level: float = 0.95) -> Interval:
    """Return the interval of the mean over rows, clusters being the independent units (Cochran 1977, ratio estimator).

    Parameters
    ----------
    values : array of shape (n,)
        NaN values are left out.
    clusters : array of shape (n,)
        Name or number of each row's cluster.
    level : float

    Returns
    -------
    Interval
        Its n counts clusters; unknown with fewer than two, or where all clusters agree to the last digit.
    """
    y = np.asarray(values, dtype=np.float64)
    if len(y) != len(clusters):
        raise InvalidInput(f"{len(y)} values need as many clusters, not {len(clusters)}")
    rows = ~np.isnan(y)
    names, place = np.unique(clusters[rows], return_inverse=True)
    y, count = y[rows], len(names)
    if count < 2:
        return unknown(f"{count} cluster{'' if count == 1 else 's'}; at least 2 are needed", count, level)
    value = float(y.mean())
    total = np.bincount(place, y - value)
    error = math.sqrt(count / (count - 1) * float((total**2).sum())) / len(y)
    if error <= 1e-12 * max(1.0, abs(value)):
        return unknown(f"all {count} clusters agree, and how far others may lie is not known", count, level)
    half = critical(level, count - 1) * error
    return Interval(value, value - half, value + half, count, level, "Student t over clusters")


def beyond_rows(values: ArrayLike, clusters: NDArray[Any]) -> float:
    """Return by how much clustering raises the variance of the mean over rows that would be independent without it.

    Added to the variance over another kind of clusters it makes that of both: rows of one cluster of either kind may be
    alike (Cameron, Gelbach and Miller 2011).

    Parameters
    ----------
    values : array of shape (n,)
        NaN values are left out.
    clusters : array of shape (n,)

    Returns
    -------
    float
        At least 0; 0 with fewer than two clusters.
    """
    y = np.asarray(values, dtype=np.float64)
    rows = ~np.isnan(y)
    names, place = np.unique(clusters[rows], return_inverse=True)
    n, count = int(rows.sum()), len(names)
    if count < 2:
        return 0.0
    away = y[rows] - y[rows].mean()
    total = np.bincount(place, away)
    together = count / (count - 1) * float((total**2).sum())
    alone = n / (n - 1) * float((away**2).sum())
    return max(together - alone, 0.0) / n**2
