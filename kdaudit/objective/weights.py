"""What a term counts for: a number, or a number that changes while the student learns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from kdaudit.errors import InvalidInput


@dataclass(frozen=True)
class Ramp:
    """A weight that moves along a line; in a plan ``ramp(0, 1)`` or ``ramp(1, 0, 0.5, 1)``.

    Parameters
    ----------
    first, last : float
        Weight up to `begins` and from `ends` on; not below 0, not both 0.
    begins, ends : float
        Shares of the training, from 0 to 1.

    Raises
    ------
    InvalidInput
        If a weight is below 0, both are 0, or the shares do not rise.
    """

    first: float
    last: float
    begins: float = 0.0
    ends: float = 1.0

    def __post_init__(self) -> None:
        if not (min(self.first, self.last) >= 0 and math.isfinite(self.first + self.last) and self.first + self.last):
            raise InvalidInput(f"{self} is no weight; both ends are numbers from 0 up, and not both 0")
        if not 0 <= self.begins < self.ends <= 1:
            raise InvalidInput(f"{self} begins and ends at shares of the training, which rise between 0 and 1")

    def __call__(self, progress: float) -> float:
        """Return the weight after a share of the training, from 0 to 1."""
        done = min(1.0, max(0.0, (progress - self.begins) / (self.ends - self.begins)))
        return self.first + (self.last - self.first) * done

    def __str__(self) -> str:
        span = "" if (self.begins, self.ends) == (0, 1) else f", {self.begins:g}, {self.ends:g}"
        return f"ramp({self.first!r}, {self.last!r}{span})"


Weight = float | Ramp


def checked(weight: Weight, of: str) -> Weight:
    """Return a weight that is above 0 somewhere; a sentence otherwise."""
    if isinstance(weight, Ramp):
        return weight
    if not (math.isfinite(weight) and weight > 0):
        raise InvalidInput(f"{of} has the weight {weight:g}; a weight is a number above 0")
    return float(weight)


def times(a: Weight, b: Weight) -> Weight:
    """Return the product of two weights, of which one is a number."""
    if isinstance(b, Ramp):
        if isinstance(a, Ramp):
            raise InvalidInput(f"{a} * {b} is no line any more; a term is weighed by one ramp and any numbers")
        return replace(b, first=a * b.first, last=a * b.last)
    return replace(a, first=a.first * b, last=a.last * b) if isinstance(a, Ramp) else a * b


def at(weight: Weight, progress: float) -> float:
    """Return what the weight is after a share of the training."""
    return weight(progress) if isinstance(weight, Ramp) else weight
