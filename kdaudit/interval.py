"""A number with what it is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

COUNTS = frozenset({"parameters", "operations", "multiply-adds", "bytes"})
"""Units of things that are counted: whole numbers are written without decimals."""


def digits(x: float, unit: str) -> int:
    """Return with how many decimals a number is written, percent and points as hundredths.

    Examples
    --------
    >>> digits(0.94, "percent"), digits(1410.0, "parameters"), digits(4.25, "operations"), digits(0.0314, "nats")
    (1, 0, 1, 3)
    """
    if unit in COUNTS:
        return 0 if x == round(x) or abs(x) >= 1000 else 1
    return 1 if unit in ("percent", "points") else 3


@dataclass(frozen=True)
class Interval:
    """A value with the interval that holds the truth with probability `level`.

    Parameters
    ----------
    value, low, high : float
        NaN where nothing is known; ``low == high == value`` where all rows were counted.
    n : int
        Rows (or pairs, or units) that the value rests on.
    level : float
        Coverage in (0, 1).
    method : str
        How the interval was made, such as ``"Wilson"`` or ``"exact: the whole pool"``.

    Examples
    --------
    >>> Interval(0.94, 0.93, 0.95, 4000).text("percent")
    '94.0 % (93.0 to 95.0)'
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95
    method: str = ""

    @property
    def known(self) -> bool:
        """Whether value and both ends are numbers."""
        return all(math.isfinite(x) for x in (self.value, self.low, self.high))

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2

    def text(self, unit: str = "", *, signed: bool = False) -> str:
        """Return value and interval as people read them; `unit` is ``"percent"``, ``"points"`` or ``""``."""
        if not math.isfinite(self.value):
            return "not known"
        factor = 100.0 if unit in ("percent", "points") else 1.0
        sign = "+" if signed else ""
        value, low, high = (f"{x * factor:{sign},.{digits(x, unit)}f}" for x in (self.value, self.low, self.high))
        mark = f" {unit}" if unit in COUNTS else {"percent": " %", "points": " points"}.get(unit, "")
        ends = f"exact for these {self.n:,} rows" if self.low == self.high else f"{low} to {high}"
        return f"{value}{mark} ({ends})".replace("-", "−")

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data; NaN becomes null."""
        row: dict[str, Any] = {
            k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in vars(self).items()
        }
        return row

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Interval:
        """Return the interval that `to_data` wrote."""
        fields: dict[str, Any] = {
            k: math.nan if v is None and k in ("value", "low", "high") else v for k, v in data.items()
        }
        return cls(**fields)


def unknown(reason: str, n: int = 0, level: float = 0.95) -> Interval:
    """Return an interval about which nothing is known, `reason` standing as its method."""
    return Interval(math.nan, math.nan, math.nan, n, level, reason)


def counted(value: float, n: int, level: float = 0.95) -> Interval:
    """Return the interval of a value that was counted over all rows in question."""
    return Interval(value, value, value, n, level, "exact: all rows counted")
