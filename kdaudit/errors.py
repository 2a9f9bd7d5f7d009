"""What can go wrong, and the exit code that a command line gives it.

::

    KdauditError                70  a fault of kdaudit itself
    ├─ InvalidInput              2  usage, configuration, data, answers
    │  ├─ InvalidPlan               the plan: file, line, column
    │  ├─ OutOfDomain               a value that no field admits
    │  ├─ InvalidAnswers            a subject's answers: shape, range, sum
    │  └─ UnsafeFile                a file whose format could run code
    ├─ OverBudget                4  more questions than the budget allows
    ├─ NoSuchSignal              4  a subject that cannot give what is asked
    ├─ Cancelled                 3  stopped by the user; resumable
    └─ BrokenRun                 5  a run folder that is not what it says
       └─ TeacherMoved           5  canary rows answered otherwise than before

What cannot be *decided* is a value (``Verdict.UNDECIDED``), never one of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class KdauditError(Exception):
    """Root of all errors; its text is one sentence for the user."""

    exit_code: ClassVar[int] = 70


class InvalidInput(KdauditError):
    """Input that the user can mend."""

    exit_code = 2


class InvalidPlan(InvalidInput):
    """A plan that cannot be read as one.

    Parameters
    ----------
    message : str
        What is wrong, what was expected and how to mend it.
    file : Path, optional
        The plan's file.
    line, column : int, optional
        Place in the file, counted from 1.
    """

    def __init__(
        self, message: str, *, file: Path | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        self.message, self.file, self.line, self.column = message, file, line, column
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class OutOfDomain(InvalidInput):
    """A value that its field does not admit, or a column that is not there."""


class InvalidAnswers(InvalidInput):
    """Answers of the wrong number, shape or range."""


class UnsafeFile(InvalidInput):
    """A file whose format could run code when loaded, such as a pickle."""


class OverBudget(KdauditError):
    """More questions than the budget allows.

    Parameters
    ----------
    message : str
        One sentence.
    needed, left : int
        Rows that the question needs, and rows that the budget has left.
    """

    exit_code = 4

    def __init__(self, message: str, *, needed: int, left: int) -> None:
        self.needed, self.left = needed, left
        super().__init__(message)


class NoSuchSignal(KdauditError):
    """A subject was asked for a signal that it does not offer."""

    exit_code = 4


class Cancelled(KdauditError):
    """The user stopped the work; what was answered is on disk."""

    exit_code = 3


class BrokenRun(KdauditError):
    """A run folder or an answer on disk that is not what its digest says."""

    exit_code = 5


class TeacherMoved(BrokenRun):
    """Canary rows were answered otherwise than before: these are answers of another teacher."""
