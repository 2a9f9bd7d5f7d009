"""How long a row, or a batch of rows, takes: percentiles with intervals, and ratios that a busy machine cannot fake.

Times differ from run to run and from machine to machine: only what was asked for by name enters the evidence of a run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from kdaudit.abilities import Opened, Runnable
from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown
from kdaudit.samples import Samples
from kdaudit.signal import SCORE, Signals
from kdaudit.statistics.verdicts import Decision, judge
from kdaudit.subject import Subject

Call = Callable[[], object]
Clock = Callable[[], int]
"""Nanoseconds since some moment."""
WARM_UP = 200
"""Fewest calls before any is measured: the first ones load code and memory, and take several times as long."""
MOST = 0.05
"""How far a subject's ratio to itself may be from 1 before nothing is said about its ratio to another."""
SHARES = (0.5, 0.9, 0.99)
LONGEST, FEWEST = 4.0, 7
"""Seconds of a try, and fewest calls a block however long they take: enough in all for a 99th percentile."""
TRIES = 3
"""How often a subject is measured against itself before a machine is called too busy."""


@dataclass(frozen=True)
class Latency:
    """Microseconds a call.

    Parameters
    ----------
    p50, p90, p99 : Interval
        Percentiles with order-statistic intervals, free of any assumption on the law of times.
    largest : float
    calls : int
    """

    p50: Interval
    p90: Interval
    p99: Interval
    largest: float
    calls: int


@dataclass(frozen=True)
class Ratio:
    """How many times longer the first takes than the second.

    Parameters
    ----------
    value : Interval
        Median over blocks; unknown where `itself` is too far from 1.
    itself : Interval
        The same of the first against itself, interleaved with the others.
    """

    value: Interval
    itself: Interval

    def at_least(self, times: float) -> Decision:
        """Return whether the first takes at least so many times longer: HOLDS, FAILS or UNDECIDED."""
        return judge(self.value, "at least", times)


def answering(subject: Subject, samples: Samples, signals: Signals) -> Call:
    """Return a call that has a subject answer rows, to be measured."""
    wanted = frozenset(signals)
    return lambda: subject.answer(samples, wanted)


def passing(subject: Subject, samples: Samples) -> Call:
    """Return a call that takes rows through the module of a network, encoded beforehand and without filling up.

    It is what the network takes wherever it runs; a subject that shows no module answers the rows instead.
    """
    if isinstance(subject, Runnable) and subject.bulk is not None:
        return lambda: subject.passed(samples)
    if not isinstance(subject, Opened):
        return answering(subject, samples, (SCORE,))
    # torch is loaded where it is measured, not where a plan is checked
    from kdaudit.networks.passes import forward

    return forward(subject.module, subject.encoding.encode(samples))


def latency(
    call: Call, *, calls: int = 5000, warm_up: int = WARM_UP, level: float = 0.95, clock: Clock = time.perf_counter_ns
) -> Latency:
    """Measure one call many times.

    Parameters
    ----------
    call : callable
        See `answering`.
    calls : int
        Measured calls, at least 500, since the interval of a 99th percentile has no upper end among fewer.
    warm_up : int
        Calls before, at least 200.
    level : float
    clock : callable

    Raises
    ------
    InvalidInput
        If there are too few calls.
    """
    _check(calls, 500, warm_up)
    for _ in range(warm_up):
        call()
    return _summed(np.array([_once(call, clock) for _ in range(calls)]) / 1e3, level=level)


def settled(call: Call, *, blocks: int = 40, calls: int = 63, clock: Clock = time.perf_counter_ns) -> Latency:
    """Measure one call in two seats; its percentiles are unknown where it differs from itself by more than 5 %.

    Blocks of calls alternate between two seats, and the seats' medians are compared.  A machine that is busy for a
    while gets three tries.

    Parameters
    ----------
    call : callable
    blocks : int
        Of each seat, at least 10.
    calls : int
        Most calls a block, 5,040 in all; fewer of a slow subject, so that a try ends within about `LONGEST` seconds.
    clock : callable
    """
    _check(blocks, 10, WARM_UP)
    warm = float(np.median([_once(call, clock) for _ in range(WARM_UP)]))
    calls = int(np.clip(LONGEST * 1e9 / (2 * blocks * max(warm, 1.0)), FEWEST, calls))
    times, itself = np.empty((blocks, 2, calls)), math.nan
    for _ in range(TRIES):
        for block in range(blocks):
            for turn in range(2):
                times[block, (block + turn) % 2] = [_once(call, clock) for _ in range(calls)]
        itself = float(np.median(times[:, 0]) / np.median(times[:, 1]))
        if 1 - MOST <= itself <= 1 + MOST:
            return _summed(times.ravel() / 1e3)
    why = f"against itself it takes {itself:.3f} times as long; the machine is too busy to tell"
    return unmeasured(why)


def unmeasured(reason: str) -> Latency:
    """Return a latency of which nothing is known."""
    nothing = unknown(reason)
    return Latency(nothing, nothing, nothing, math.nan, 0)


def percentile(values: ArrayLike, share: float, *, level: float = 0.95) -> Interval:
    """Return a percentile with its order-statistic interval (Wilks 1962; David and Nagaraja 2003, section 7.1).

    Parameters
    ----------
    values : array of shape (n,)
    share : float
        In (0, 1), such as 0.9.
    level : float

    Returns
    -------
    Interval
        Unknown where no pair of ordered values holds the percentile with that probability.
    """
    ordered: NDArray[np.float64] = np.sort(np.asarray(values, dtype=np.float64))
    n, tail = len(ordered), (1 - level) / 2
    if n == 0:
        return unknown("no values", 0, level)
    value = float(np.quantile(ordered, share, method="inverted_cdf"))
    # the number of values below the percentile is binomial; ends by their place among the ordered values, from 1
    low = int(binom.ppf(tail, n, share))
    high = int(binom.ppf(1 - tail, n, share)) + 1
    if low < 1 or high > n:
        return unknown(f"{n} values do not hold the {100 * share:g}th percentile", n, level)
    return Interval(value, float(ordered[low - 1]), float(ordered[high - 1]), n, level, "order statistics")


def beside(
    first: Call, second: Call, *, blocks: int = 60, calls: int = 20, clock: Clock = time.perf_counter_ns
) -> Ratio:
    """Measure two calls in turn, and the first against itself.

    Blocks of the first, the second and once more the first follow each other in an order that goes round, so that a
    machine that slows down slows all of them; the ratio of one round is that of the blocks' medians.

    Parameters
    ----------
    first, second : callable
    blocks : int
        Rounds, at least 10.
    calls : int
        Calls a block.
    clock : callable
    """
    _check(blocks, 10, WARM_UP)
    if calls < 1:
        raise InvalidInput(f"{calls} calls a block; at least 1 is needed")
    seats = (first, second, first)
    for call in (first, second):
        for _ in range(WARM_UP):
            call()
    medians = np.empty((blocks, 3))
    for block in range(blocks):
        for turn in range(3):
            seat = (block + turn) % 3
            medians[block, seat] = np.median([_once(seats[seat], clock) for _ in range(calls)])
    itself = percentile(medians[:, 0] / medians[:, 2], 0.5)
    if not 1 - MOST <= itself.value <= 1 + MOST:
        why = f"against itself it takes {itself.value:.3f} times as long; the machine is too busy to tell"
        return Ratio(unknown(why, blocks), itself)
    return Ratio(percentile((medians[:, 0] + medians[:, 2]) / 2 / medians[:, 1], 0.5), itself)


def _summed(times: NDArray[np.float64], *, level: float = 0.95) -> Latency:
    p50, p90, p99 = (percentile(times, share, level=level) for share in SHARES)
    return Latency(p50, p90, p99, float(times.max()), len(times))


def _once(call: Call, clock: Clock) -> int:
    start = clock()
    call()
    return clock() - start


def _check(calls: int, fewest: int, warm_up: int) -> None:
    if calls < fewest or warm_up < WARM_UP:
        raise InvalidInput(f"{calls} measurements after {warm_up} calls; at least {fewest} after {WARM_UP} are needed")
