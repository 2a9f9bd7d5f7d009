"""A number a row about two subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from kdaudit.subject import Answers


@dataclass(frozen=True)
class Measure:
    """How alike two subjects answer, row by row.

    Parameters
    ----------
    name : str
        The field's standard term.
    function : callable
        ``function(teacher answers, other answers) -> array of shape (n,)``; NaN where a row has no value.
    unit : str
        ``"percent"``, ``"points"``, ``"nats"``, or empty.
    span : (float, float)
        Smallest and largest value that is possible.
    better : {"high", "low", "zero", "none"}
    definition : str
        The formula in words, for the report.
    source : str
        Author and year.
    title : str
        Words for people, such as ``"Agreement with the teacher"``.
    """

    name: str
    function: Callable[[Answers, Answers], NDArray[Any]]
    unit: str
    span: tuple[float, float]
    better: Literal["high", "low", "zero", "none"]
    definition: str
    source: str
    title: str = ""
