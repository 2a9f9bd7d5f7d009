"""How alike two models compute: representations of the same rows, whatever their width and orientation.

X is of shape (n, p), Y of shape (n, q): the same n rows in both.  Everything is worked out in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from kdaudit.errors import InvalidInput

Floats = NDArray[np.float64]
Kernel = Callable[[Floats], Floats]
FEWEST = 4
"""Rows below which the unbiased form does not exist."""


def linear_kernel(x: Floats) -> Floats:
    """Return inner products of rows, shape (n, n)."""
    out: Floats = x @ x.T
    return out


def rbf_kernel(x: Floats, *, share: float = 0.5) -> Floats:
    """Return ``exp(-d**2 / (2 s**2))`` of distances d, with s a `share` of the median distance, shape (n, n)."""
    square = (x * x).sum(axis=1)
    apart = np.maximum(square[:, None] + square[None, :] - 2 * x @ x.T, 0.0)
    np.fill_diagonal(apart, 0.0)
    middle = float(np.median(np.sqrt(apart[np.triu_indices(len(x), 1)])))
    out: Floats = np.exp(-apart / (2 * (share * middle) ** 2)) if middle > 0 else np.ones_like(apart)
    return out


def hsic(k: Floats, m: Floats) -> float:
    """Return the unbiased estimate of the Hilbert-Schmidt criterion of two kernel matrices (Song et al. 2012).

    Parameters
    ----------
    k, m : array of shape (n, n)
        n at least 4; diagonals do not count.
    """
    n = len(k)
    k, m = (a - np.diag(np.diag(a)) for a in (k, m))
    whole = k.sum() * m.sum() / ((n - 1) * (n - 2))
    crossed = 2.0 / (n - 2) * (k.sum(axis=0) @ m.sum(axis=0))
    return float(((k * m).sum() + whole - crossed) / (n * (n - 3)))


def cka(x: ArrayLike, y: ArrayLike, *, kernel: Kernel = linear_kernel) -> float:
    """Return the debiased centred kernel alignment (Kornblith et al. 2019, with the estimate of Song et al. 2012).

    The usual form is biased by about p / (n + p): independent Gaussians of 64 rows and 2,048 columns score .97.

    Returns
    -------
    float
        1 for the same representation up to rotation and scale (linear kernel), 0 on average for independent ones, and
        a little below 0 by chance; NaN where one of the two does not vary.

    Raises
    ------
    InvalidInput
        If the rows differ in number, are fewer than 4, or hold a value that is no number.
    """
    return ratio(*_three(*checked(x, y), kernel))


def cka_batches(
    x: ArrayLike, y: ArrayLike, batches: Sequence[NDArray[np.int64]], *, kernel: Kernel = linear_kernel
) -> Floats:
    """Return the three criteria (XY, XX, YY) of each batch, shape (batches, 3): their means give the alignment.

    Ratios are never averaged (Nguyen et al. 2021).

    Parameters
    ----------
    x, y : array of shape (n, p), (n, q)
    batches : sequence of array
        Positions of rows, at least 4 a batch, the same for everybody who is compared.
    """
    a, b = checked(x, y)
    return np.array([_three(a[rows], b[rows], kernel) for rows in batches])


def ratio(xy: float, xx: float, yy: float) -> float:
    """Return the alignment from the three criteria; NaN where one of the two does not vary."""
    return float(xy / np.sqrt(xx * yy)) if xx > 0 and yy > 0 else float("nan")


def jackknifed(criteria: Floats) -> Floats:
    """Return a pseudo-value of the alignment a batch, shape (batches,): their mean is it, their spread its error.

    ``B r - (B - 1) r_without`` for the ratio r of all B batches and of all but one (Tukey 1958).

    Parameters
    ----------
    criteria : array of shape (batches, 3)
        From `cka_batches`.
    """
    count = len(criteria)
    whole = ratio(*criteria.mean(axis=0))
    without = [ratio(*np.delete(criteria, i, axis=0).mean(axis=0)) for i in range(count)]
    return count * whole - (count - 1) * np.array(without)


def procrustes(x: ArrayLike, y: ArrayLike) -> float:
    """Return the nuclear norm of ``Xc'Yc``, both of norm 1: 1 after the best rotation and scale, in [0, 1].

    ``arccos`` of it is a metric (Williams et al. 2021); 1 minus it is the squared distance of Procrustes, halved.
    NaN where one of the two does not vary.
    """
    a, b = checked(x, y)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    if length == 0.0:
        return float("nan")
    return float(min(1.0, np.linalg.svd(a.T @ b, compute_uv=False).sum() / length))


def rsa(x: ArrayLike, y: ArrayLike) -> float:
    """Return the rank correlation of the two tables of dissimilarity, 1 - correlation of rows (Kriegeskorte 2008).

    NaN where a row does not vary over its columns.
    """
    a, b = checked(x, y)
    upper = np.triu_indices(len(a), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (1.0 - np.atleast_2d(np.corrcoef(side))[upper] for side in (a, b))
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return float("nan")
    p, q = (rankdata(side) - (len(side) + 1) / 2 for side in (first, second))
    length = float(np.sqrt((p @ p) * (q @ q)))
    return float(p @ q / length) if length > 0 else float("nan")


def mutual_neighbours(x: ArrayLike, y: ArrayLike, *, k: int = 10) -> Floats:
    """Return which share of a row's `k` nearest rows (by cosine) both have, shape (n,); by chance ``k / (n - 1)``.

    Ties are broken by the order of the rows, on both sides alike.  (Huh et al. 2024.)
    """
    a, b = checked(x, y)
    if not 1 <= k < len(a):
        raise InvalidInput(f"{k} neighbours among {len(a)} rows; at least 1 and fewer than the rows were expected")
    first, second = (_neighbours(side, k) for side in (a, b))
    out: Floats = (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)
    return out


def _neighbours(x: Floats, k: int) -> NDArray[np.int64]:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    unit = x / np.where(length > 0, length, 1.0)
    near = unit @ unit.T
    np.fill_diagonal(near, -np.inf)
    out: NDArray[np.int64] = np.argsort(-near, axis=1, kind="stable")[:, :k]
    return out


def readout(x: ArrayLike, labels: NDArray[np.int64], fold: NDArray[np.int64], *, ridge: float = 1e-2) -> Floats:
    """Return whether a linear readout names each row's class, 1 or 0, shape (n,).

    Least squares on the classes with a ridge of `ridge` times the mean variance, fitted on all other folds; columns
    are standardised by those folds (Alain and Bengio 2017).  Beside it belongs the same for labels that mean nothing:
    the difference is what the representation, not the readout, knows (Hewitt and Liang 2019).

    Parameters
    ----------
    x : array of shape (n, p)
    labels : array of shape (n,)
        From 0.
    fold : array of shape (n,)
        Which fold a row is kept back with.
    """
    a = np.asarray(x, dtype=np.float64)
    classes = np.eye(int(labels.max()) + 1)[labels]
    out = np.empty(len(a))
    for which in np.unique(fold):
        held, rest = fold == which, fold != which
        centre, spread = a[rest].mean(axis=0), a[rest].std(axis=0)
        z = (a - centre) / np.where(spread > 0, spread, 1.0)
        middle = classes[rest].mean(axis=0)
        gram = z[rest].T @ z[rest] + ridge * int(rest.sum()) * np.eye(a.shape[1])
        weights = np.linalg.solve(gram, z[rest].T @ (classes[rest] - middle))
        out[held] = (z[held] @ weights + middle).argmax(axis=1) == labels[held]
    return out


def checked(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return both in float64, if they are two representations of the same rows.

    Raises
    ------
    InvalidInput
        If the rows differ in number, are fewer than 4, or hold a value that is no number.
    """
    a, b = (np.asarray(side, dtype=np.float64) for side in (x, y))
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise InvalidInput(f"representations of shape {a.shape} and {b.shape}; (n, p) and (n, q) were expected")
    if len(a) < FEWEST:
        raise InvalidInput(f"{len(a)} rows; representations are compared on at least {FEWEST}")
    for side in (a, b):
        if not np.isfinite(side).all():
            row = int(np.flatnonzero(~np.isfinite(side).all(axis=1))[0])
            raise InvalidInput(f"the representation of row {row} holds a value that is no number")
    return a, b


def _three(x: Floats, y: Floats, kernel: Kernel) -> tuple[float, float, float]:
    if len(x) < FEWEST:
        raise InvalidInput(f"a batch of {len(x)} rows; the unbiased form needs at least {FEWEST}")
    k, m = (kernel(side - side.mean(axis=0)) for side in (x, y))
    return hsic(k, m), hsic(k, k), hsic(m, m)
