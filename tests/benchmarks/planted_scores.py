"""Scores of the planted bench: shares over audits, clustered by base model, and the effects that are found at all."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from planted_cases import Outcome, real, shown

from kdaudit.interval import Interval
from kdaudit.statistics.clusters import clustered_mean
from kdaudit.statistics.rates import clopper_pearson

LARGE, SMALL = 2.4, 0.5
"""Sizes in margins from which an effect should be found, and up to which nothing should be."""
UNCLEAR = (0.75, 1.33)
"""Sizes in margins between which a verdict is told apart: hardly any budget decides them."""
GOOD = 0.93
"""Share of rows decided alike from which a proxy is good."""
AT_MARGIN = 0.025
"""Chance of calling an effect of just the margin a fault."""
POWER = 0.8
DRAWS = 200
"""Draws of base models for the band of a limit."""
TRIED = 200
"""Limits among which the likeliest is taken."""


def share(values: Sequence[float], bases: Sequence[str]) -> Interval:
    """Return a share with an interval over base models; exact for as many rows as base models where all agree."""
    found = clustered_mean(values, np.array(bases))
    if found.known:
        return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))
    if not len(values):
        return found
    count = len(set(bases))
    exact = clopper_pearson(round(float(np.mean(values)) * count), count)
    return Interval(float(np.mean(values)), exact.low, exact.high, count, exact.level, exact.method)


def of(outcomes: Iterable[Outcome], value: Callable[[Outcome], float]) -> Interval:
    """Return the share of outcomes in which `value` is 1."""
    rows = list(outcomes)
    return share([float(value(one)) for one in rows], [one.base for one in rows])


def units(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Return the outcomes of each audit, one list for each case, budget and draw."""
    each: dict[tuple[object, ...], list[Outcome]] = defaultdict(list)
    for one in outcomes:
        each[one.base, one.kind, one.strength, one.budget, one.draw].append(one)
    return list(each.values())


def found(audits: Iterable[list[Outcome]], *, plainly: bool = False) -> Interval:
    """Return the share of audits in which a claim that speaks of the planted fault fails."""
    rows = list(audits)
    hits = [float(any(_fails(one, plainly) for one in audit if one.aimed)) for audit in rows]
    return share(hits, [audit[0].base for audit in rows])


def _fails(one: Outcome, plainly: bool) -> bool:
    return (one.plainly if plainly else one.verdict) == "FAILS"


def decided(one: Outcome) -> bool:
    """Return whether verdict and transfer are decided."""
    return "UNDECIDED" not in (one.verdict, one.transfer)


def right_verdict(one: Outcome) -> bool:
    """Return whether the verdict is what is true."""
    return one.verdict == ("FAILS" if real(one) > 1 else "HOLDS")


def right_transfer(one: Outcome) -> bool:
    """Return whether the transfer is what is true."""
    return one.transfer == true_transfer(one)


def true_transfer(one: Outcome) -> str:
    """Return what became of the fault on its way to the proxy, by the values counted."""
    ours, theirs = real(one) > 1, shown(one) > 1
    if ours and theirs:
        same = one.form == "at least" or one.truth * one.shown > 0
        return "CARRIED" if same else "MASKED"
    return "MASKED" if ours else "INVENTED" if theirs else "ABSENT-IN-BOTH"


def clear(one: Outcome) -> bool:
    """Return whether the truth is known and not near the margin."""
    return math.isfinite(one.truth) and not UNCLEAR[0] < real(one) < UNCLEAR[1]


# ------------------------------------------------------------------ how large a fault must be to be found
def limit(sizes: np.ndarray, hits: np.ndarray) -> float:
    """Return the size, in margins, that is found with `POWER`.

    Power rises along a logistic curve over the logarithm of the size from `AT_MARGIN` at the margin itself.  One half
    of a hit and one half of a miss at the smallest size that was tried keep the limit finite where all were found.
    """
    x = np.append(np.log(np.maximum(sizes, 1.0)), [np.log(sizes.min())] * 2)
    y, w = np.append(hits, [0.0, 1.0]), np.append(np.ones(len(hits)), [0.5, 0.5])
    start = math.log(AT_MARGIN / (1 - AT_MARGIN))
    rise = math.log(POWER / (1 - POWER)) - start
    limits = 1 + np.geomspace(0.02, 98.0, TRIED)
    bent = start + (rise / np.log(limits))[:, None] * x[None]
    likelihood = (w * (y * bent - np.logaddexp(0.0, bent))).sum(axis=1)
    return float(limits[likelihood.argmax()])


def limit_of(audits: Sequence[list[Outcome]], chance: np.random.Generator, hit: Callable[[Outcome], bool]) -> Interval:
    """Return the limit with a band over base models (percentiles of models drawn again)."""
    rows = [
        (audit[0].base, audit[0].planted, any(hit(one) for one in audit if one.aimed))
        for audit in audits
        if audit[0].planted > UNCLEAR[1]
    ]
    names = sorted({base for base, _, _ in rows})
    if len(names) < 2:
        return Interval(math.nan, math.nan, math.nan, len(names))
    place = {name: [i for i, row in enumerate(rows) if row[0] == name] for name in names}
    sizes, hits = np.array([row[1] for row in rows]), np.array([float(row[2]) for row in rows])
    drawn = []
    for _ in range(DRAWS):
        at = [i for name in chance.choice(names, len(names)) for i in place[str(name)]]
        drawn.append(limit(sizes[at], hits[at]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    value = limit(sizes, hits)
    return Interval(value, min(float(low), value), max(float(high), value), len(names), 0.95, "base models drawn again")


def promised(audits: Sequence[list[Outcome]]) -> float:
    """Return the limit that theory gives: the margin and 2.8 standard errors, in margins; median over audits."""
    each = [1 + 2.8 * _error(one) for audit in audits for one in audit if one.aimed and math.isfinite(one.half)]
    return float(np.median(each)) if each else math.nan


def _error(one: Outcome) -> float:
    span = 1 - one.margin if one.form == "at least" else one.margin
    return one.half / 1.96 / span
