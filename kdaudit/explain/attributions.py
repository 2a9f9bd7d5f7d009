"""Shares of an answer, one a unit, each with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Attributions:
    """What each unit contributes to the answer, row by row.

    Parameters
    ----------
    names : tuple of str
        Names of the units.
    values : array of shape (n, units)
        Positive where the unit raises the answer above that at the baseline.
    error : array of shape (n, units)
        How far the values are from what more work would give: the difference of rules with n and 2 n nodes, or the
        standard error over draws; 0 where the method leaves nothing open.
    gap : array of shape (n,)
        ``|sum of values - (answer - answer at the baseline)|``; NaN for methods that promise no sum.
    reach : array of shape (n,)
        ``answer - answer at the baseline``.
    method, baseline, scale : str
        In words, for the report.
    dof : float
        Degrees of freedom of standard errors; infinite where they are none.
    evaluations : int
        Evaluations of the subject a row, at most.
    words : tuple of tuple of str
        Of texts, the words of each row: the first units are theirs, and those behind say nothing of the row.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    error: NDArray[np.float64]
    gap: NDArray[np.float64]
    reach: NDArray[np.float64]
    method: str
    baseline: str
    scale: str
    dof: float = float("inf")
    evaluations: int = 0
    words: tuple[tuple[str, ...], ...] = ()

    @property
    def counts(self) -> NDArray[np.int64] | None:
        """How many units each row has, the first ones; None where all have all."""
        return np.array([len(row) for row in self.words], dtype=np.int64) if self.words else None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def relative_error(self) -> float:
        """Length of the errors over length of the values, median over rows; NaN without rows."""
        size = np.sqrt((self.values**2).sum(axis=1))
        wrong = np.sqrt((self.error**2).sum(axis=1))
        useful = size > 0
        return float(np.median(wrong[useful] / size[useful])) if useful.any() else float("nan")

    @property
    def mean_gap(self) -> float:
        """Mean of `gap` over rows, in the units of the answer."""
        return float(self.gap.mean()) if len(self.gap) else float("nan")
