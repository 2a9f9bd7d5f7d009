"""What a question brought to light: a tidy table in which no number stands alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdaudit.cast import CONTROL_WORDS
from kdaudit.errors import KdauditError
from kdaudit.finding import Claim
from kdaudit.interval import Interval

Show = Literal["strip", "transfer", "map", "plane", "curve", "rules", "cost", "policies"]
Of = Literal["teacher", "proxy", "teacher-proxy"]
_INTERVALS = ("control", "excess", "ceiling", "population")


@dataclass(frozen=True)
class Row:
    """One measure of one group.

    Parameters
    ----------
    measure : str
        Name of the measure, the field's standard term.
    group : str
        Whose rows, such as ``"all"``, ``"sex = female"``, ``"sex: female - male"``.
    of : {"teacher", "proxy", "teacher-proxy"}
        Whose value it is.
    value : Interval
    unit : str
        ``"percent"``, ``"points"``, ``"nats"`` or empty.
    asked : int
        Distinct teacher rows used.
    control, excess, ceiling : Interval, optional
        What a stranger scores, value minus control, and what the teacher's twin scores.
    control_kind : str
        See `kdaudit.cast.CONTROL_WORDS`.
    no_control, no_ceiling : str
        Reason, where there is none.
    population : Interval, optional
        The same widened from these rows to the population that they were drawn from.
    title : str
        Words for people.
    low_end, high_end : float
        Ends of the scale on which it is drawn.
    strangers : int
        How many strangers the control rests on; 0 for a permutation, 1 says nothing of their spread.
    """

    measure: str
    group: str
    of: Of
    value: Interval
    unit: str = ""
    asked: int = 0
    control: Interval | None = None
    excess: Interval | None = None
    ceiling: Interval | None = None
    population: Interval | None = None
    control_kind: str = "none"
    no_control: str = ""
    no_ceiling: str = ""
    title: str = ""
    low_end: float = 0.0
    high_end: float = 1.0
    strangers: int = 0

    def __post_init__(self) -> None:
        for name in ("value", *_INTERVALS):
            part: Interval | None = getattr(self, name)
            if part is None or not math.isfinite(part.value):
                continue
            if not part.known:
                raise KdauditError(
                    f"the {name} of {self.measure} of {self.group} has no interval; no number stands alone"
                )
            if part.n <= 0:
                raise KdauditError(f"the {name} of {self.measure} of {self.group} has no n; no number stands alone")
        if self.control is None and not self.no_control:
            raise KdauditError(f"{self.measure} of {self.group} has neither a control nor a reason for none")
        if self.ceiling is None and not self.no_ceiling:
            raise KdauditError(f"{self.measure} of {self.group} has neither a ceiling nor a reason for none")
        if self.control is not None and self.control_kind not in CONTROL_WORDS:
            raise KdauditError(f"control kind {self.control_kind!r} is unknown; kinds are {', '.join(CONTROL_WORDS)}")

    def flat(self) -> dict[str, Any]:
        """Return the row with its intervals spread over columns, as the table shows it."""
        v = self.value
        out: dict[str, Any] = {"measure": self.measure, "title": self.title, "group": self.group, "of": self.of}
        out |= {"unit": self.unit, "value": v.value, "low": v.low, "high": v.high, "level": v.level}
        out |= {"method": v.method, "n": v.n, "asked": self.asked}
        for name in _INTERVALS:
            part: Interval | None = getattr(self, name)
            out[name] = math.nan if part is None else part.value
            out[f"{name}_low"] = math.nan if part is None else part.low
            out[f"{name}_high"] = math.nan if part is None else part.high
            out[f"{name}_n"] = 0 if part is None else part.n
        out |= {"control_kind": self.control_kind, "no_control": self.no_control, "no_ceiling": self.no_ceiling}
        return out | {"low_end": self.low_end, "high_end": self.high_end, "strangers": self.strangers}

    @classmethod
    def from_flat(cls, data: Mapping[str, Any]) -> Row:
        """Return the row that `flat` wrote."""

        def part(name: str) -> Interval | None:
            value, low, high = (float(data[f"{name}{end}"]) for end in ("", "_low", "_high"))
            n = int(data[f"{name}_n"])
            return None if n == 0 and math.isnan(value) else Interval(value, low, high, n, float(data["level"]))

        value, low, high = (float(data[k]) for k in ("value", "low", "high"))
        return cls(
            measure=data["measure"],
            group=data["group"],
            of=data["of"],
            value=Interval(value, low, high, int(data["n"]), float(data["level"]), data["method"]),
            unit=data["unit"],
            asked=int(data["asked"]),
            control=part("control"),
            excess=part("excess"),
            ceiling=part("ceiling"),
            population=part("population"),
            control_kind=data["control_kind"],
            no_control=data["no_control"] or ("unknown" if part("control") is None else ""),
            no_ceiling=data["no_ceiling"] or ("unknown" if part("ceiling") is None else ""),
            title=data["title"],
            low_end=float(data["low_end"]),
            high_end=float(data["high_end"]),
            strangers=int(data.get("strangers", 0)),
        )


@dataclass(frozen=True)
class Evidence:
    """The answer to one question for one proxy.

    Parameters
    ----------
    question : str
        ``section/name`` in the plan.
    title : str
        The question in words.
    rows : tuple of Row
    claims : tuple of Claim
        What is to be decided with it.
    context : dict
        Plain JSON data: population, method, baseline, choices, sentences for the report.  No time, path or host.
    arrays : dict of str to array
        What the pictures need beyond the table.
    shows : {"strip", "transfer", "map", "plane", "curve", "rules", "cost", "policies"}
        How it is drawn.
    proxy_name : str
        The proxy's name in the plan.
    """

    question: str
    title: str
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    shows: Show = "strip"
    proxy_name: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a tidy table: measure, group, of, value, low, high, n, asked, control, excess, ceiling, ..."""
        return pd.DataFrame([row.flat() for row in self.rows])

    def row(self, measure: str, group: str, of: Of) -> Row | None:
        """Return the row of `measure`, `group` and `of`, or None."""
        found = [r for r in self.rows if (r.measure, r.group, r.of) == (measure, group, of)]
        return found[0] if found else None

    @property
    def asked(self) -> int:
        """Most teacher rows that one of its numbers rests on."""
        return int(np.max([row.asked for row in self.rows], initial=0))
