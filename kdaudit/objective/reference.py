"""What a student is compared with, as tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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
    taps : mapping of str to Tensor of shape (n, ...)
        What the teacher's layers gave, by tap; empty where only its answers are known.
    softened : mapping of float to (Tensor of shape (n, classes), Tensor of shape (n,))
        Temperature -> probabilities and their sum of p log p, worked out once; see `prepared`.
    """

    logit: Tensor
    score: Tensor
    outcome: Tensor | None = None
    scale: Scale = "probability"
    taps: Mapping[str, Tensor] = field(default_factory=dict)
    softened: Mapping[float, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: Tensor) -> Reference:
        """Return the rows at positions `rows`."""
        outcome = None if self.outcome is None else self.outcome[rows]
        taps = {name: tensor[rows] for name, tensor in self.taps.items()}
        softened = {T: (p[rows], negative[rows]) for T, (p, negative) in self.softened.items()}
        return Reference(self.logit[rows], self.score[rows], outcome, self.scale, taps, softened)

    def probabilities(self, temperature: float) -> Tensor:
        """Return the probabilities of all classes at a temperature, shape (n, classes); two columns for one output."""
        return self.soft(temperature)[0]

    def soft(self, temperature: float) -> tuple[Tensor, Tensor]:
        """Return `probabilities`, and of each row the sum of p log p in nats, shape (n,); 0 log 0 is 0."""
        if temperature in self.softened:
            return self.softened[temperature]
        if temperature == 1:
            p = torch.cat([1 - self.score, self.score], dim=1) if self.score.shape[1] == 1 else self.score
        else:
            p = torch.exp(log_probabilities(self.logit, temperature))
        return p, torch.xlogy(p, p).sum(dim=1)

    def prepared(self, temperatures: Iterable[float]) -> Reference:
        """Return the same answers with probabilities at some temperatures kept, so that steps need not redo them."""
        return replace(self, softened={float(T): self.soft(float(T)) for T in temperatures})

    def single(self) -> Reference:
        """Return the same answers in single precision, in which students learn."""
        outcome = self.outcome
        if outcome is not None and self.scale == "value":
            outcome = outcome.float()
        taps = {name: tensor.float() for name, tensor in self.taps.items()}
        return Reference(self.logit.float(), self.score.float(), outcome, self.scale, taps)

    def to(self, device: torch.device) -> Reference:
        """Return the same answers on another device; themselves where they are there already."""
        if self.logit.device == device:
            return self
        outcome = None if self.outcome is None else self.outcome.to(device)
        taps = {name: tensor.to(device) for name, tensor in self.taps.items()}
        softened = {T: (p.to(device), negative.to(device)) for T, (p, negative) in self.softened.items()}
        return Reference(self.logit.to(device), self.score.to(device), outcome, self.scale, taps, softened)

    @property
    def top(self) -> Tensor:
        """The teacher's likeliest class of each row, shape (n,), int64; 0 throughout where there is one output.

        Where the likeliest classes alone were recorded, the tap ``"top"`` holds them, the likeliest first.
        """
        return self.taps["top"][:, 0] if "top" in self.taps else self.logit.argmax(dim=1)

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
            If some row failed: its values are no numbers; or an outcome is no number, or no class.
        """
        if answers.failed:
            raise InvalidInput(f"{len(answers.failed)} rows failed; a reference holds answered rows only")
        score = torch.from_numpy(np.ascontiguousarray(answers.score, dtype=np.float64))
        logit = score if scale == "value" else torch.from_numpy(np.ascontiguousarray(answers.logit, dtype=np.float64))
        if outcomes is None:
            return cls(logit, score, None, scale)
        kind = np.float64 if scale == "value" else np.int64
        given = np.asarray(outcomes, dtype=np.float64)
        wrong = ~np.isfinite(given) if scale == "value" else ~(np.isfinite(given) & (given == np.round(given)))
        if wrong.any():
            expected = "numbers" if scale == "value" else "whole numbers, the positions of classes,"
            raise InvalidInput(
                f"recorded outcomes hold {given[wrong][0]:g} ({int(wrong.sum())} of {len(given)} rows); "
                f"{expected} were expected"
            )
        return cls(logit, score, torch.from_numpy(np.ascontiguousarray(outcomes, dtype=kind)), scale)

    @classmethod
    def from_logits(
        cls, logit: Tensor, outcome: Tensor | None, scale: Scale, taps: Mapping[str, Tensor] | None = None
    ) -> Reference:
        """Return what a network in the loop said, cut off from its gradients."""
        z = logit.detach().float()
        softened = torch.sigmoid(z) if z.shape[1] == 1 else torch.softmax(z, dim=1)
        score = z if scale == "value" else softened
        return cls(z, score, outcome, scale, {name: tensor.detach() for name, tensor in (taps or {}).items()})


def log_probabilities(logit: Tensor, temperature: float = 1.0) -> Tensor:
    """Return log-probabilities of all classes, shape (n, classes): a single logit stands for two classes.

    Parameters
    ----------
    logit : Tensor of shape (n, outputs)
    temperature : float
        Above 0; the logits are divided by it.
    """
    z = logit if temperature == 1 else logit / temperature
    if z.shape[1] == 1:
        return torch.cat([torch.nn.functional.logsigmoid(-z), torch.nn.functional.logsigmoid(z)], dim=1)
    return torch.log_softmax(z, dim=1)
