"""How long and how fast a student learns, and how it settles: towards the end it learns as what it will be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference

CHECKS = 20
"""How often at most agreement on rows set apart is looked at, for stopping early."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a student learns.

    Parameters
    ----------
    steps : int
    batch : int
        Rows a step.
    rate : float
        Learning rate at the start; it falls along half a cosine.
    clip : float
        Longest gradient over all that learns, projections too; 0 for any length.
    patience : int
        Looks at agreement on rows set apart, without a better one, after which learning stops; 0 for never.  There are
        `CHECKS` looks in all.
    settled : float
        Share of the steps, the last ones, in which batch normalisation is held (see `settle`).
    doubt : float
        Above 0, rows are drawn while the student settles by how near the teacher is to another decision, with chances
        in proportion to 1 / (its lead + doubt); its lead is the likeliest class's probability minus the next one's.
        What is left to learn by then lies there.
    """

    steps: int = 1500
    batch: int = 256
    rate: float = 3e-3
    clip: float = 0.0
    patience: int = 0
    settled: float = 0.0
    doubt: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or not self.rate > 0:
            raise InvalidInput(
                f"steps {self.steps}, batch {self.batch}, rate {self.rate:g}: a student learns where each is above 0"
            )
        if not self.clip >= 0 or self.patience < 0 or not 0 <= self.settled <= 1:
            told = f"clip {self.clip:g}, patience {self.patience}, settled {self.settled:g}"
            raise InvalidInput(f"{told}: numbers from 0 up were expected, and a share")
        if not self.doubt >= 0 or (self.doubt and not self.settled):
            raise InvalidInput(
                f"doubt {self.doubt:g}, settled {self.settled:g}: doubt is 0 or above, and says how rows are drawn in "
                "the settled share of the steps, which must be above 0 then"
            )

    @property
    def numbers(self) -> list[float]:
        """What a training that goes on must have in common with the one that was stopped, beside its steps."""
        return [self.batch, self.rate, self.clip, self.patience, self.settled, self.doubt]


def chances(reference: Reference, doubt: float) -> Tensor:
    """Return what a row's chance to be drawn is in proportion to, shape (n,), float64: more where the teacher doubts.

    Raises
    ------
    InvalidInput
        If the teacher answers with numbers, which lead nowhere.
    """
    if reference.scale == "value":
        raise InvalidInput("doubt is about decisions, and this teacher answers with numbers; leave it at 0")
    first, second = reference.probabilities(1.0).double().topk(2, dim=1).values.T
    out: Tensor = 1 / (first - second + doubt)
    return out


def settle(students: Iterable[nn.Module]) -> None:
    """Hold the batch normalisations of networks in training at the means and spreads that they have met so far.

    Until then a row's outputs, and their gradients by the row, depend on its batch.  A student that is to match a
    teacher row by row is never shown what it will be: its answers without a batch.

    References
    ----------
    Ioffe and Szegedy 2015, section 3.1 (means and spreads of all rows at inference); Wu and Johnson 2021 (holding them
    in the last part of training, so that training and inference are alike).
    """
    for student in students:
        for part in student.modules():
            if isinstance(part, _BatchNorm):
                part.eval()
