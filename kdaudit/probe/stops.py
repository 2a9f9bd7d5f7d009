"""When has the teacher been asked enough?  At the end, at one of several planned looks, or at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Empty
from kdaudit.errors import InvalidInput, OverBudget
from kdaudit.finding import Form
from kdaudit.interval import Interval
from kdaudit.probe.quantities import Values
from kdaudit.probe.surveys import LEVEL, Survey
from kdaudit.statistics.active import Design
from kdaudit.statistics.choice import Priorities
from kdaudit.statistics.looks import bet_on, stages
from kdaudit.subject import Subject

Stops = Literal["never", "planned", "anytime"]
Hear = Callable[[NDArray[np.int64]], Values]
"""What the teacher says of rows at these positions; asking again costs nothing."""
Heard = Callable[[Subject, NDArray[np.int64]], Values]
"""What a subject says of rows at these positions."""
BLOCKS = 10
"""Parts in which rows are asked where they could be looked at after each: the interval holds after any of them."""
FEWEST = 30
"""Rows below which looks that the budget ended decide nothing."""


@dataclass(frozen=True)
class Rule:
    """When to stop.

    Parameters
    ----------
    stop : {"never", "planned", "anytime"}
    looks : int
        How many are planned, evenly spaced.
    form : str
    margin : float
        Of the claims: where all are decided, no more is asked.
    """

    stop: Stops
    looks: int
    form: Form
    margin: float


def check(stop: str, looks: int) -> None:
    """Refuse numbers of looks that make no sense.

    Raises
    ------
    InvalidInput
        If there are fewer than two looks, or more than fifty.
    """
    if stop == "planned" and not 2 <= looks <= 50:
        raise InvalidInput(f"looks is {looks}; 2 to 50 planned looks were expected, or `stop: never`")


def answered(survey: Survey, hear: Hear, rule: Rule) -> Survey:
    """Return the survey with what the teacher said, asked for as long as the rule says.

    Parameters
    ----------
    survey : Survey
        With the design of all rows that may be asked, and no answer yet.
    hear : callable
    rule : Rule
    """
    if rule.stop == "anytime" and survey.tested:
        return _bet(survey, hear, rule)
    now = survey
    for state in looked(survey, hear, rule):
        now = state.settled(rule.form, rule.margin)
        if now.decided(rule.form, rule.margin):
            break
    return now


def heard(survey: Survey, hear: Heard) -> Survey:
    """Return the survey with what the teacher's twin says of the rows asked."""
    twin = survey.cast.twin
    return survey if isinstance(twin, Empty) else replace(survey, twin=hear(twin, survey.design.chosen))


def looked(survey: Survey, hear: Hear, rule: Rule) -> Iterator[Survey]:
    """Yield the survey at each planned look, asking as it goes; at the end alone where none is planned."""
    if rule.stop != "planned" or not len(survey.design.chosen):
        yield replace(survey, y=hear(survey.design.chosen))
        return
    groups = np.where(survey.design.chance > 0, survey.strata.place, -1)
    asked = 0
    for look, design in enumerate(stages(groups, survey.design, rule.looks, survey.order), 1):
        try:
            y = hear(design.chosen)
        except OverBudget:
            if asked < FEWEST:
                raise
            # rows of the looks before are paid, and their interval allows for having looked: it stands
            return
        asked = len(design.chosen)
        yield replace(survey, design=design, y=y, look=look, looks=rule.looks)


def stopped(surveys: Sequence[Survey], stop: Stops, most: int, about: str = "") -> list[str]:
    """Return what is told of when the asking stopped; nothing where it was not to stop early.

    Parameters
    ----------
    surveys : sequence of Survey
        Asked together.
    stop : {"never", "planned", "anytime"}
    most : int
        Rows that all of them might have asked.
    about : str
        What they are about, where a question has several such sentences.
    """
    asked, one = sum(len(survey.design.chosen) for survey in surveys), surveys[0]
    if stop == "never" or not asked:
        return []
    when = f"at look {one.look} of {one.looks}" if stop == "planned" else "betting"
    said = f"{about}: asking" if about else "Asking"
    return [f"{said} stopped {when}, after {asked:,} of at most {most:,} rows; the intervals allow for the looks."]


def _bet(survey: Survey, hear: Hear, rule: Rule) -> Survey:
    """Return the survey whose intervals hold at any time: rows drawn with replacement, one of each group at a time."""
    levels = [survey.reference, *survey.tested]
    each = max(len(survey.design.chosen) // len(levels), 1)
    draws = {level: drawn_again(survey.strata.rows(level), survey.order, each) for level in levels}
    now = survey
    for end in np.unique(np.linspace(0, each, BLOCKS + 1).round().astype(int)[1:]):
        rows = {level: at[:end] for level, at in draws.items()}
        chosen = np.unique(np.concatenate(list(rows.values())))
        y = hear(chosen)
        pairs = [(other, survey.reference) for other in survey.tested]
        bets = _bets(survey, rows, (chosen, y), pairs)
        now = replace(survey, design=_flat(survey, chosen, levels), y=y, bets=bets)
        if now.decided(rule.form, rule.margin):
            break
    return replace(now, bets={**bets, **_bets(survey, rows, (chosen, y), [(level,) for level in levels])})


def drawn_again(rows: NDArray[np.int64], order: Priorities, n: int) -> NDArray[np.int64]:
    """Return n of the rows, drawn with replacement by a stream that hangs on their random numbers alone."""
    sorted_ = rows[np.argsort(order[rows], kind="stable")]
    chance = np.random.Generator(np.random.PCG64(int(np.bitwise_xor.reduce(order[rows]))))
    return sorted_[chance.integers(0, len(rows), n)]


def _flat(survey: Survey, chosen: NDArray[np.int64], levels: list[str]) -> Design:
    chance = np.zeros(len(survey.strata.place))
    for level in levels:
        at = survey.strata.rows(level)
        chance[at] = np.isin(at, chosen).mean()
    return Design(chosen, chance)


def _bets(
    survey: Survey,
    rows: dict[str, NDArray[np.int64]],
    heard: tuple[NDArray[np.int64], Values],
    wanted: Sequence[tuple[str, ...]],
) -> dict[tuple[str, ...], Interval]:
    """Return the intervals of contrasts (two groups) or of groups by themselves, by the names of the groups."""
    chosen, y = heard
    low, high = survey.estimator.span or (0.0, 1.0)
    shares = np.clip(np.nan_to_num(survey.pool.covariate, nan=low), low, high)
    said = {level: y[np.searchsorted(chosen, at)] for level, at in rows.items()}
    # a row that failed stands in the middle, and the interval is widened by all that it might have said
    side = {x: (np.nan_to_num(said[x], nan=(low + high) / 2), shares[rows[x]]) for x in rows}
    mean = {level: float(shares[survey.strata.rows(level)].mean()) for level in rows}
    out: dict[tuple[str, ...], Interval] = {}
    for names in wanted:
        other = side[names[1]] if len(names) > 1 else None
        means = (mean[names[0]], mean[names[1]] if len(names) > 1 else 0.0)
        level = survey.level if len(names) > 1 else LEVEL
        found = bet_on(side[names[0]], other, means, level=level, span=(low, high))
        out[names] = _widened(found, sum(float(np.isnan(said[x]).mean()) for x in names) * (high - low) / 2)
    return out


def _widened(one: Interval, by: float) -> Interval:
    if by == 0 or not one.known:
        return one
    return replace(one, low=one.low - by, high=one.high + by, method=f"{one.method}, widened for failed rows")
