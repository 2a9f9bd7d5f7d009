"""What an audit may ask of the teacher: distinct rows, counted before they are asked."""

from __future__ import annotations

import numpy as np

from kdaudit.errors import OverBudget
from kdaudit.samples import Samples
from kdaudit.signal import Signals
from kdaudit.store.index import Index, Keys
from kdaudit.store.keys import row_keys
from kdaudit.subject import Answers, Ask, Subject


class Ledger:
    """Distinct teacher rows of the whole audit.

    Parameters
    ----------
    limit : int or None
        Most distinct rows; None for no limit.
    mend : str
        How more rows could be had, for the sentence.
    """

    def __init__(self, limit: int | None = None, mend: str = "raise it in the plan's budget") -> None:
        self.limit, self.mend = limit, mend
        self._rows = Index()

    @property
    def used(self) -> int:
        """Distinct rows asked so far, cached or not."""
        return len(self._rows)

    @property
    def left(self) -> int | None:
        """Distinct rows that may still be asked; None where there is no limit."""
        return None if self.limit is None else self.limit - self.used

    @property
    def rows(self) -> Keys:
        """Keys of the rows asked so far, rising: what a resumed run enters, so that it counts as if never stopped."""
        return self._rows.sorted()[0]

    def new(self, keys: Keys) -> Keys:
        """Return those of the distinct `keys` that were not asked yet."""
        out: Keys = keys[self._rows.find(keys) < 0]
        return out

    def enter(self, keys: Keys) -> None:
        """Count `keys`; those that were counted already stay counted once."""
        self._rows.add(self.new(np.unique(keys)))


class Metered:
    """An ask that counts the distinct rows asked of one subject, and refuses before it is asked too much.

    Parameters
    ----------
    ask : Ask
        What it passes on to, such as ``Store.ask``.
    teacher : Subject
        Whose rows count; other subjects pass uncounted.
    limit : int, optional
        Most distinct rows of this question.
    ledger : Ledger, optional
        The whole audit's.
    name : str
        The question's name, for the sentence.
    """

    def __init__(
        self, ask: Ask, teacher: Subject, *, limit: int | None = None, ledger: Ledger | None = None, name: str = ""
    ) -> None:
        self._ask, self._teacher, self._name = ask, teacher, name
        self._own, self._whole = Ledger(limit), ledger

    @property
    def asked(self) -> int:
        """Distinct rows asked of the teacher, whether or not they were on disk."""
        return self._own.used

    @property
    def rows(self) -> Keys:
        """Keys of those rows, rising."""
        return self._own.rows

    def __call__(self, subject: Subject, samples: Samples, signals: Signals) -> Answers:
        """Ask, if the budget allows.

        Raises
        ------
        OverBudget
            If the rows that are new to this question, or to the audit, are more than are left; nothing is asked then.
        """
        if subject.identity.digest == self._teacher.identity.digest:
            keys = np.unique(row_keys(subject.identity, samples))
            self._demand(self._own, keys, f"the budget of {self._name}" if self._name else "the question's budget")
            if self._whole is not None:
                self._demand(self._whole, keys, "the budget of the whole audit")
                self._whole.enter(keys)
            self._own.enter(keys)
        return self._ask(subject, samples, signals)

    def _demand(self, ledger: Ledger, keys: Keys, whose: str) -> None:
        needed, left = len(ledger.new(keys)), ledger.left
        if left is not None and needed > left:
            raise OverBudget(
                f"{self._teacher.identity.name} would have to answer {needed} more rows, and {whose} has {left} left "
                f"of {ledger.limit}; {ledger.mend}, or ask fewer rows",
                needed=needed,
                left=left,
            )
