"""What a coalition of units is worth to a subject: its answer with the other units taken from elsewhere.

Two kinds: rows of a torch function, and rows of a domain that a subject answers through an ask.  Both average over
background rows that were drawn once (interventional values; Janzing et al. 2020): ``v(S) = mean_z f(x_S, z_rest)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from kdaudit.explain.coalitions import Masks
from kdaudit.explain.passes import Passes, chunk_of
from kdaudit.explain.paths import Inputs
from kdaudit.samples import Samples

Floats = NDArray[np.float64]
Scores = Callable[[Samples], Floats]
"""``scores(rows) -> (n, outputs)`` of one subject; NaN where a row failed."""


class TensorGame:
    """Coalitions of a torch function's inputs, worked off in chunks of one size.

    Parameters
    ----------
    passes : Passes
    inputs : Inputs
        n rows.
    background : tensor of shape (draws, *shape)
        One row: a baseline.
    chunk : int, optional
        Rows that go through at once.
    """

    def __init__(self, passes: Passes, inputs: Inputs, background: torch.Tensor, *, chunk: int | None = None) -> None:
        self.passes, self.inputs, self.background = passes, inputs, background
        self.chunk = chunk or chunk_of(tuple(inputs.rows.shape[1:]))
        # a few rows, many coalitions: each row's step is read once for all of them
        self._rows = max(1, min(len(inputs.rows), self.chunk // 16))

    def __call__(self, masks: Masks) -> Floats:
        """Return the worth of coalitions shared by all rows: (k, units) -> (k, n)."""
        return self._worth(torch.from_numpy(masks)[:, None])

    def own(self, masks: Masks) -> Floats:
        """Return the worth of coalitions of each row's own: (k, n, units) -> (k, n)."""
        return self._worth(torch.from_numpy(masks))

    def _worth(self, masks: torch.Tensor) -> Floats:
        k, n = len(masks), len(self.inputs.rows)
        out = torch.zeros(k, n, dtype=torch.float64)
        # parts of one size: what a small last part cost would be a tenth of few coalitions
        parts = max(1, -(-k * self._rows // self.chunk))
        each = max(1, -(-k // parts))
        for start in range(0, n, self._rows):
            rows = slice(start, min(start + self._rows, n))
            x, output = self.inputs.rows[rows], self.inputs.output[rows]
            for lent in self.background:
                step = x - lent
                for first in range(0, k, each):
                    some = masks[first : first + each]
                    inside = self._inside(some if some.shape[1] == 1 else some[:, rows], x.dtype)
                    mixed = torch.addcmul(lent.expand(1, *step.shape), inside, step[None]).flatten(0, 1)
                    worth = self.passes.values(mixed, output.repeat(len(some)))
                    out[first : first + each, rows] += worth.view(len(some), -1)
        worth_of: Floats = (out / len(self.background)).numpy()
        return worth_of

    def _inside(self, masks: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return 1 where a place belongs to the coalition: (k, rows or 1, units) -> (k, rows or 1, *places)."""
        places = self.inputs.places
        if places.numel() == masks.shape[2] and torch.equal(places.reshape(-1), torch.arange(places.numel())):
            chosen = masks
        else:
            chosen = masks[..., places.reshape(-1)]
        return chosen.to(dtype).view(*masks.shape[:2], *places.shape)


class RowGame:
    """Coalitions of the fields of rows, for whoever answers rows.

    Parameters
    ----------
    scores : callable
        See `Scores`.
    samples : Samples
        n rows.
    background : Samples
    output : array of shape (n,)
    donors : array of shape (n, draws)
        Positions in `background` that lend values to each row.
    """

    def __init__(
        self,
        scores: Scores,
        samples: Samples,
        background: Samples,
        *,
        output: NDArray[np.int64],
        donors: NDArray[np.int64],
    ) -> None:
        self.scores, self.samples, self.background = scores, samples, background
        self.output, self.donors = output, donors

    def __call__(self, masks: Masks) -> Floats:
        """Return the worth of coalitions shared by all rows: (k, fields) -> (k, n)."""
        return self.own(np.broadcast_to(masks[:, None], (len(masks), len(self.samples), masks.shape[1])))

    def own(self, masks: Masks) -> Floats:
        """Return the worth of coalitions of each row's own: (k, n, fields) -> (k, n)."""
        k, (n, draws) = len(masks), self.donors.shape
        # a row that keeps all its fields is asked once, whatever the draws
        rows = np.tile(np.repeat(np.arange(n), draws), k)
        lent = np.tile(self.donors.ravel(), k)
        columns = {}
        for place, name in enumerate(self.samples.domain.names):
            kept = np.repeat(masks[:, :, place].ravel(), draws)
            own = self.samples.columns[name][rows]
            other = self.background.columns[name][lent]
            shape = kept.reshape(-1, *[1] * (own.ndim - 1))
            columns[name] = np.where(shape, own, other)
        mixed = replace(self.samples.take(rows), columns=columns, labels=None, weights=None, _keys=[])
        score = self.scores(mixed)[np.arange(len(rows)), self.output[rows]]
        out: Floats = score.reshape(k, n, draws).mean(axis=2)
        return out
