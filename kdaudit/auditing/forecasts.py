"""How long a question will take here, told before it begins; nothing of it enters the evidence."""

from __future__ import annotations

import time
from collections.abc import Callable

from kdaudit.abilities import Toiling
from kdaudit.cast import Cast
from kdaudit.compare.seats import is_network, seats_of
from kdaudit.cost.latency import passing
from kdaudit.question import Question
from kdaudit.samples import Samples
from kdaudit.subject import Subject

Clock = Callable[[], float]
"""Seconds since some moment."""
TRIED = 16
"""Rows that go through a network at once to see how long an evaluation takes."""
ALIKE = 0.5
"""Seconds below which a pass is timed once more: the first one loads code."""


def work_of(recipe: Question, samples: Samples, seats: int) -> tuple[int, int]:
    """Return about how often a question evaluates each network in place, and the teacher's beyond that.

    Parameters
    ----------
    recipe : Question
        One that takes long is `kdaudit.abilities.Toiling`; of all others it is nothing.
    samples : Samples
        All rows of its part.
    seats : int
        Models that are compared.
    """
    return recipe.work(samples, seats) if isinstance(recipe, Toiling) else (0, 0)


def forecast(recipe: Question, cast: Cast, samples: Samples, clock: Clock = time.perf_counter) -> str:
    """Return in words how long the question will take for this cast; empty where it says nothing of its work.

    Networks are evaluated on a few rows to see how long that takes, in place and asking nothing.

    Parameters
    ----------
    recipe : Question
    cast : Cast
    samples : Samples
        All rows of its part.
    clock : callable
    """
    seats = seats_of(cast)
    each, teacher = work_of(recipe, samples, len(seats))
    networks = {name: who for name, who in seats.items() if isinstance(who, Subject) and is_network(who)}
    if not each or not networks or not len(samples):
        return ""
    rows = samples.take(list(range(min(TRIED, len(samples)))))
    seconds = {who.identity.digest: _seconds(who, rows, clock) for who in networks.values()}
    total = each * sum(seconds.values())
    if "teacher" in networks:
        total += teacher * seconds[networks["teacher"].identity.digest]
    return f"about {duration(total)} for {each:,} evaluations of each of {len(seconds)} networks"


def duration(seconds: float) -> str:
    """Return seconds as people say them.

    Examples
    --------
    >>> duration(0.2), duration(42), duration(250), duration(9000)
    ('a second', '42 s', '4 min', '2.5 h')
    """
    if seconds < 1.5:
        return "a second"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _seconds(network: Subject, rows: Samples, clock: Clock) -> float:
    """Return the seconds that a row takes, when several go through at once."""
    call = passing(network, rows)
    for _ in range(3):
        start = clock()
        call()
        taken = clock() - start
        if taken > ALIKE:
            break
    return taken / len(rows)
