"""Limits on the making of rules that hold, and leave the best so far.

A limit in candidates is a count: the same plan gives the same bytes.  A limit in seconds is a guard around it: what is
reached within it hangs on the machine, and the card says that the making was cut short.  Either leaves a whole body of
rules, chosen among the candidates that were made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from kdaudit.errors import InvalidInput
from kdaudit.surrogates.choice import Candidate

Clock = Callable[[], float]
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Limits:
    """What the making of one surrogate may take.

    Parameters
    ----------
    tries : int
        Most candidates that are looked at; 0 for all.
    seconds : float
        After so long no further candidate is made; 0 for no end.  One candidate is made in any case, so the limit is
        overrun by at most what that one takes.
    """

    tries: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.tries < 0 or not 0 <= self.seconds < float("inf"):
            raise InvalidInput(
                f"tries and seconds are limits from 0 (none) up; {self.tries} and {self.seconds:g} were given"
            )

    def taken(self, candidates: Iterable[Candidate], clock: Clock = time.monotonic) -> tuple[list[Candidate], str]:
        """Return the candidates that are made within the limits, and why there are no more; empty if there are none.

        What was cut short by the clock is not made again from all rows either.
        """
        out, why, late = self.met(candidates, clock)
        return ([replace(one, again=None) for one in out] if late else out), why

    def met(self, things: Iterable[Thing], clock: Clock = time.monotonic) -> tuple[list[Thing], str, bool]:
        """Return the things that are made within the limits, why there are no more, and whether the clock ended it."""
        start, out = clock(), []
        for thing in things:
            out.append(thing)
            if self.seconds and clock() - start >= self.seconds:
                told = f"the time of {self.seconds:g} seconds ended after {len(out)} candidates"
                return out, f"{told}: this is the best of them", True
            if self.tries and len(out) == self.tries:
                return out, f"the limit of {self.tries} candidates was reached: this is the best of them", False
        return out, "", False
