"""What a plan names: rows, teachers, proxies and questions, each with its recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kdaudit.question import ProxyRecipe, Question, TeacherRecipe


@dataclass(frozen=True)
class BehaviourKeys:
    """Keys of an item of `behaviours`; see `kdaudit.behaviour.Behaviour`."""

    name: str
    outputs: tuple[str, ...]
    scope: str = ""
    scale: Literal["probability", "value"] = "probability"
    rule: float = 0.5


@dataclass(frozen=True)
class Rows:
    """Which rows: the section `samples`.

    Parameters
    ----------
    parts : dict of str to int
        Rows of ``fit``, ``select``, ``judge`` and ``pool``, and of parts set aside for teachers trained in place.
    set : str
        A named set (``acs_income``, ``german_credit``), or
    file : str
        a Parquet or CSV file, relative to the plan.
    label, ids, weights : str
        Columns of the file with recorded outcomes, row ids and sampling weights.
    name : str
        The population in words.
    classes, columns, levels, missing
        How the file writes labels, fields, levels and missing values; see `kdaudit.data.readers.Roles`.
    """

    parts: dict[str, int]
    set: str = ""
    file: str = ""
    label: str = ""
    ids: str = ""
    weights: str = ""
    name: str = ""
    classes: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class BudgetKeys:
    """Most distinct teacher rows that the whole audit may use, those that make and judge the proxies included."""

    questions: int


@dataclass(frozen=True)
class TeacherItem:
    """Teacher, stranger or twin."""

    name: str
    kind: str
    recipe: TeacherRecipe


@dataclass(frozen=True)
class ProxyItem:
    """A student or a surrogate."""

    name: str
    kind: str
    recipe: ProxyRecipe


@dataclass(frozen=True)
class QuestionItem:
    """A comparison or a probe.

    Parameters
    ----------
    section : {"compare", "probes"}
    name, kind : str
    recipe : Question
    proxies : tuple of str
        Whom it is asked about; the first one sharpens the teacher's interval.
    """

    section: str
    name: str
    kind: str
    recipe: Question
    proxies: tuple[str, ...]

    @property
    def key(self) -> str:
        """``section/name``, as findings cite it."""
        return f"{self.section}/{self.name}"
