"""What a student is compared with, as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kdaudit.errors import InvalidInput
from kdaudit.subject import Answers, Scale


@dataclass(frozen=True, eq=False)
class Reference:
    """A teacher's recorded answers, and the true outcomes where they are known.

    Parameters
    ----------
    logit : Tensor of shape (n, outputs), float64
        Logits; where only probabilities were recorded, their logarithms (see `kdaudit.subject.Answers.logit`); the
        numbers themselves where `scale` is "value".
    score : Tensor of shape (n, outputs), float64
        Probabilities, or the numbers.
    outcome : Tensor of shape (n,), optional
        True outcomes: int64 positions among the classes (0 or 1 for one output), or float64 numbers.
    scale : {"probability", "value"}
    """

    logit: Tensor
    score: Tensor
    outcome: Tensor | None = None
    scale: Scale = "probability"

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: Tensor) -> Reference:
        """Return the rows at positions `rows`."""
        outcome = None if self.outcome is None else self.outcome[rows]
        return Reference(self.logit[rows], self.score[rows], outcome, self.scale)

    def probabilities(self, temperature: float) -> Tensor:
        """Return the probabilities of all classes at a temperature, shape (n, classes); two columns for one output."""
        if temperature == 1:
            return torch.cat([1 - self.score, self.score], dim=1) if self.score.shape[1] == 1 else self.score
        return torch.exp(log_probabilities(self.logit, temperature))

    @classmethod
    def of(cls, answers: Answers, outcomes: NDArray[np.generic] | None, *, scale: Scale) -> Reference:
        """Return recorded answers as tensors.

        Parameters
        ----------
        answers : Answers
            Scores or logits, no row failed.
        outcomes : array of shape (n,), optional
        scale : {"probability", "value"}

        Raises
        ------
        InvalidInput
            If some row failed: its values are no numbers.
        """
        if answers.failed:
            raise InvalidInput(f"{len(answers.failed)} rows failed; a reference holds answered rows only")
        score = torch.from_numpy(np.ascontiguousarray(answers.score, dtype=np.float64))
        logit = score if scale == "value" else torch.from_numpy(np.ascontiguousarray(answers.logit, dtype=np.float64))
        if outcomes is None:
            return cls(logit, score, None, scale)
        kind = np.float64 if scale == "value" else np.int64
        return cls(logit, score, torch.from_numpy(np.ascontiguousarray(outcomes, dtype=kind)), scale)


def log_probabilities(logit: Tensor, temperature: float = 1.0) -> Tensor:
    """Return log-probabilities of all classes, shape (n, classes): a single logit stands for two classes.

    Parameters
    ----------
    logit : Tensor of shape (n, outputs)
    temperature : float
        Above 0; the logits are divided by it.
    """
    z = logit / temperature
    if z.shape[1] == 1:
        return torch.cat([torch.nn.functional.logsigmoid(-z), torch.nn.functional.logsigmoid(z)], dim=1)
    return torch.log_softmax(z, dim=1)
