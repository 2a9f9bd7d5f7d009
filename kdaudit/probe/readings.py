"""What subjects say about rows, as one number a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.measures.chances import chances
from kdaudit.samples import Samples, concat
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Ask, Subject

Values = NDArray[np.float64]
What = Literal["selection_rate", "score"]


@dataclass(frozen=True)
class Reading:
    """What is read of an answer.

    Parameters
    ----------
    what : {"selection_rate", "score"}
        The decision (0 or 1), or the score.
    output : str
        Of several outputs, the one that counts as yes; empty where there is one.
    """

    what: What = "selection_rate"
    output: str = ""

    def values(self, answers: Answers, subject: Subject) -> Values:
        """Return the decision or score, shape (n,); NaN where a row failed.

        Raises
        ------
        NoSuchSignal
            If scores are read and the subject gives labels only.
        """
        if self.what == "score":
            return self._with_gaps(answers.score[:, self._place(subject)], answers)
        yes = 1 if len(subject.outputs) == 1 else self._place(subject)
        return self._with_gaps(answers.label == yes, answers)

    def of(self, subject: Subject, samples: Samples, ask: Ask) -> Values:
        """Return what a subject says of rows; without rows it is not asked."""
        if not len(samples):
            return np.empty(0)
        return self.values(ask_one(ask, subject, samples), subject)

    def covariate(self, answers: Answers, subject: Subject) -> Values:
        """Return the score, which sharpens more than a decision does, or the decision where there is no score."""
        score = SCORE in subject.offers
        return Reading("score" if score else "selection_rate", self.output).values(answers, subject)

    def _place(self, subject: Subject) -> int:
        if len(subject.outputs) == 1:
            return 0
        if self.output not in subject.outputs:
            raise InvalidInput(
                f"of the outputs {', '.join(subject.outputs)} one must count as yes; `output` is {self.output!r}"
            )
        return subject.outputs.index(self.output)

    def _with_gaps(self, values: NDArray[np.float64] | NDArray[np.bool_], answers: Answers) -> Values:
        out: Values = np.where(answers.answered, values.astype(np.float64), np.nan)
        return out


def ask_one(ask: Ask, subject: Subject, samples: Samples) -> Answers:
    """Ask for scores where the subject offers them, else for labels.

    Raises
    ------
    NoSuchSignal
        If it offers neither.
    """
    for signal in (SCORE, LABEL):
        if signal in subject.offers:
            return ask(subject, samples, {signal})
    raise NoSuchSignal(f"{subject.identity.name} offers neither scores nor labels")


FEWEST_KNOWN = 100
"""Rows answered before, at least ten of them yes and ten no, by which scores are read as chances."""


@dataclass(frozen=True, eq=False)
class Known:
    """What the teacher decided about rows answered before, and what those who sharpen scored them."""

    decisions: Values
    scores: Values
    strangers: Values | None

    def chances(self, scores: Values) -> Values:
        """Return the proxy's scores read as chances of the teacher's decision."""
        return chances(self.scores, self.decisions, scores)

    def strangers_chances(self, scores: Values) -> Values:
        """Return the stranger's scores, read so."""
        return scores if self.strangers is None else chances(self.strangers, self.decisions, scores)


def read_known(cast: Cast, ask: Ask, output: str) -> Known | None:
    """Return what is known before rows are chosen, or None where it is too little to read scores by."""
    rows = cast.known
    if rows is None or len(rows) < FEWEST_KNOWN:
        return None
    reading = Reading("selection_rate", output)
    decisions = reading.of(cast.teacher, rows, ask)
    yes, no = int((decisions == 1).sum()), int((decisions == 0).sum())
    scores = reading.covariate(ask_one(ask, cast.sharpener, rows), cast.sharpener)
    if min(yes, no) < 10 or np.isnan(scores).all() or np.nanmin(scores) < 0 or np.nanmax(scores) > 1:
        return None
    theirs = None
    if not isinstance(cast.stranger, Empty):
        theirs = reading.covariate(ask_one(ask, cast.stranger, rows), cast.stranger)
    return Known(decisions, scores, theirs)


@dataclass(frozen=True, eq=False)
class Pool:
    """What those who cost nothing say on all rows of the pool.

    Parameters
    ----------
    proxy : array of shape (N,)
    covariate : array of shape (N,)
        Score of the subject that sharpens the teacher's interval.
    strangers : tuple of array of shape (N,)
        Each stranger's reading.
    strangers_covariate : array of shape (N,) or None
        The first one's score, for the interval that it would have bought.
    read : bool
        Whether the scores stand here as chances of the teacher's decision, fitted to rows answered before.
    """

    proxy: Values
    covariate: Values
    strangers: tuple[Values, ...]
    strangers_covariate: Values | None
    read: bool = False

    def mapped(self, function: Callable[[Values], Values]) -> Pool:
        """Return the pool with all values changed by `function`, which is linear in them."""
        theirs = None if self.strangers_covariate is None else function(self.strangers_covariate)
        strangers = tuple(function(v) for v in self.strangers)
        return Pool(function(self.proxy), function(self.covariate), strangers, theirs, self.read)


def read_pool(cast: Cast, samples: Samples, ask: Ask, reading: Reading, known: Known | None = None) -> Pool:
    """Ask proxy, sharpener and strangers about all rows; scores are read as chances where `known` allows it."""
    answers = ask_one(ask, cast.proxy, samples)
    proxy = reading.values(answers, cast.proxy)
    sharpener = cast.sharpener
    sharp = answers if sharpener is cast.proxy else ask_one(ask, sharpener, samples)
    covariate = reading.covariate(sharp, sharpener)
    read = known is not None and reading.what == "selection_rate"
    if known is not None and read:
        covariate = known.chances(covariate)
    if isinstance(cast.stranger, Empty):
        return Pool(proxy, covariate, (), None, read)
    answered = ask_one(ask, cast.stranger, samples)
    theirs = reading.covariate(answered, cast.stranger)
    if known is not None and read:
        theirs = known.strangers_chances(theirs)
    others = (reading.of(one, samples, ask) for one in cast.further)
    return Pool(proxy, covariate, (reading.values(answered, cast.stranger), *others), theirs, read)


def sharpened(reading: Reading, scores: Values, chosen: NDArray[np.int64], y: Values) -> Values:
    """Return a covariate for all rows: scores, read as chances of the decisions known in the rows chosen.

    Two numbers are fitted to all rows asked, so that the interval stays valid; scores that are no shares are left.
    """
    known = scores[~np.isnan(scores)]
    if reading.what == "score" or (len(known) and (known.min() < 0 or known.max() > 1)):
        return scores
    return chances(scores[chosen], y, scores)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Decisions and scores on both sides of each row: shape (n, 2), NaN where a side failed."""

    decisions: Values
    scores: Values

    @property
    def change(self) -> Values:
        """Decision on the first side minus that on the second, shape (n,)."""
        return _change(self.decisions)

    def read(self, chances_of: Callable[[Values], Values]) -> Values:
        """Return scores read as chances by what was known before, shape (n, 2)."""
        return np.column_stack([chances_of(self.scores[:, 0]), chances_of(self.scores[:, 1])])

    def expected_change(self, chosen: NDArray[np.int64], teacher: Values) -> Values:
        """Return the change of the chance of yes, shape (n,); `teacher`: decisions of the rows chosen, both sides."""
        n = len(self.scores)
        both = np.concatenate([chosen, chosen + n])
        read = sharpened(Reading(), self.scores.T.ravel(), both, teacher.T.ravel())
        return _change(read.reshape(2, n).T)


def _change(sides: Values) -> Values:
    out: Values = sides[:, 0] - sides[:, 1]
    return out


def pairs(ask: Ask, subject: Subject, sides: tuple[Samples, Samples], reading: Reading) -> Pairs:
    """Ask both sides of each row at once, so that a budget is met before half of them is spent."""
    n = len(sides[0])
    if n == 0:
        return Pairs(np.empty((0, 2)), np.empty((0, 2)))
    answers = ask_one(ask, subject, concat(sides))
    decisions, scores = reading.values(answers, subject), reading.covariate(answers, subject)
    return Pairs(decisions.reshape(2, n).T, scores.reshape(2, n).T)
