"""Units: the parts of an input that get a share of an answer, such as fields, words or patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Units:
    """Which encoded columns belong to which unit.

    Parameters
    ----------
    names : tuple of str
    columns : tuple of tuple of int
        Columns of each unit in the encoded input.
    """

    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.names)

    def gather(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum over each unit's columns: shape (n, columns) -> (n, units)."""
        out = np.empty((len(values), len(self.names)))
        for position, columns in enumerate(self.columns):
            out[:, position] = values[:, list(columns)].sum(axis=1)
        return out
