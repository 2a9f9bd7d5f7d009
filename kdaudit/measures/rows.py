"""Which rows of two aligned answers can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidAnswers
from kdaudit.subject import Answers


def usable(a: Answers, b: Answers) -> NDArray[np.bool_]:
    """Return which rows both subjects answered, shape (n,).

    Raises
    ------
    InvalidAnswers
        If the two are not aligned.
    """
    if len(a) != len(b):
        raise InvalidAnswers(f"{len(a)} answers stand against {len(b)}; both subjects must be asked the same rows")
    return a.answered & b.answered


def with_gaps(values: NDArray[Any], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return `values` as float64 with NaN in the rows that cannot be compared."""
    out: NDArray[np.float64] = np.where(rows, values.astype(np.float64), np.nan)
    return out


def decided(answers: Answers, outputs: int) -> NDArray[np.float64]:
    """Return the decisions as numbers beside scores: shape (n, 1) of 0 and 1, or (n, outputs) one-hot."""
    label = answers.label
    if outputs == 1:
        return label.astype(np.float64)[:, None]
    out: NDArray[np.float64] = (label[:, None] == np.arange(outputs)).astype(np.float64)
    return out
