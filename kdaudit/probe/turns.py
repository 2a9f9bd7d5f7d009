"""How often does a decision turn when all rows are changed in one way, the same for everybody?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.interval import Interval, unknown
from kdaudit.probe.changes import FAILED, Labels, decided
from kdaudit.probe.figures import Control, Figures, among, bounded, counted_or_unknown
from kdaudit.samples import Samples, concat
from kdaudit.statistics.choice import Priorities
from kdaudit.statistics.covariate import assisted
from kdaudit.statistics.rates import mean
from kdaudit.subject import Ask, Subject

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Change:
    """All rows of a pool, changed in one way.

    Parameters
    ----------
    name, words : str
        As evidence and people call it.
    rows : Samples
        Aligned with the pool.
    target : int, optional
        Decision to which others must turn to count; rows that were decided so before do not count.
    """

    name: str
    words: str
    rows: Samples
    target: int | None = None

    def turned(self, before: Labels, after: Labels) -> Values:
        """Return 1 where a decision turned, 0 where not, NaN where a side failed or does not count."""
        hit = after != before if self.target is None else after == self.target
        out = np.where((before == FAILED) | (after == FAILED), np.nan, hit.astype(np.float64))
        if self.target is not None:
            out[before == self.target] = np.nan
        return out


class Turns:
    """What changes do to the decisions of all seats: proxies answer the whole pool, the teacher a part.

    Parameters
    ----------
    cast : Cast
    pool : Samples
        Rows that the claims are about.
    ask : Ask
    changes : sequence of Change
    chosen : array
        Positions of the rows that the teacher answers, as they were and in each change.
    level : float
        Of the intervals.
    """

    def __init__(
        self, cast: Cast, pool: Samples, ask: Ask, changes: tuple[Change, ...], chosen: NDArray[np.int64], level: float
    ) -> None:
        self.cast, self.pool, self.changes, self.chosen, self.level = cast, pool, changes, chosen, level
        self._ask = ask
        self.reason = _record(cast.teacher)
        everywhere = np.arange(len(pool))
        self.proxy = self._of(cast.proxy, everywhere)
        self.sharp = self.proxy if cast.sharpener is cast.proxy else self._of(cast.sharpener, everywhere)
        stranger = cast.stranger if cast.control_kind != "swapped_teacher" else Empty("no proxy was made of a stranger")
        self.no_stranger = stranger.reason if isinstance(stranger, Empty) else ""
        seats = () if isinstance(stranger, Empty) else (stranger, *cast.further)
        self.strangers = [self._of(one, everywhere) for one in seats]
        some = chosen[:0] if self.reason else chosen
        self.teacher = self._of(cast.teacher, some)
        self.no_twin = cast.twin.reason if isinstance(cast.twin, Empty) else _record(cast.twin)
        self.twin = None if self.no_twin or isinstance(cast.twin, Empty) else self._of(cast.twin, some)
        taken = [one.rows.take(some).keys() for one in changes]
        self.asked = len(np.unique(np.concatenate([pool.take(some).keys(), *taken])))

    def _of(self, who: Subject, rows: NDArray[np.int64]) -> list[Values]:
        if not len(rows):
            return [np.empty(0) for _ in self.changes]
        every = concat([self.pool.take(rows), *(one.rows.take(rows) for one in self.changes)])
        told = decided(self._ask, who, every).reshape(len(self.changes) + 1, len(rows))
        return [one.turned(told[0], after) for one, after in zip(self.changes, told[1:], strict=True)]

    def figures(self, at: int, ignorant: Control) -> Figures:
        """Return the numbers of one change; `ignorant`: the teacher's control."""
        proxy, population = self._counted(self.proxy[at])
        theirs = [self._counted(one[at])[0] for one in self.strangers]
        control = among(proxy, theirs, self.cast.control_kind, self.no_stranger or NO_ROWS)
        strangers = control.interval
        if self.reason:
            nothing = unknown(self.reason)
            twin = Empty("the twin was not asked, since the teacher was not")
            return Figures(nothing, nothing, proxy, population, ignorant, control, strangers, twin, 0)
        found = self._assisted(self.teacher[at], at)
        ceiling = None if self.twin is None else self._assisted(self.twin[at], at)[0]
        best = ceiling if ceiling is not None and ceiling.known else Empty(self.no_twin or NO_ROWS)
        return Figures(found[0], found[1], proxy, population, ignorant, control, strangers, best, self.asked)

    def _assisted(self, y: Values, at: int) -> tuple[Interval, Interval]:
        """Return the teacher's interval for the pool and for its population, sharpened by the proxy's own turns."""
        everywhere = self.sharp[at]
        if self.changes[at].target is not None or not len(y):
            # how many rows of the pool count is the teacher's to say, and known only where it was asked
            whole = len(self.pool) if len(self.chosen) < len(self.pool) else int((~np.isnan(y)).sum())
            return mean(y, pool=whole, level=self.level, span=(0, 1)), mean(y, level=self.level, span=(0, 1))
        s = everywhere[self.chosen]
        parts = [
            assisted(values, s, everywhere, level=self.level, span=(0, 1))
            for values in (y, *(np.where(np.isnan(y), end, y) for end in (0.0, 1.0)))
        ]
        found = bounded([parts[0]], [parts[1]], [parts[2]], [1.0])
        return found.interval, found.population

    def _counted(self, values: Values) -> tuple[Interval, Interval]:
        known = values[~np.isnan(values)]
        if not len(known):
            return unknown(NO_ROWS), unknown(NO_ROWS)
        return (
            counted_or_unknown(float(known.mean()), len(known), self.level),
            mean(known, level=self.level, span=(0, 1)),
        )


NO_ROWS = "no row counts"


def _record(who: Subject) -> str:
    return f"{who.identity.name} is a record of answers; it cannot answer rows that were changed" if (
        who.identity.by == "id"
    ) else ""  # fmt: skip


def first_rows(order: Priorities, rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the `n` of `rows` that come first, sorted."""
    return np.sort(rows[np.argsort(order[rows], kind="stable")][:n])
