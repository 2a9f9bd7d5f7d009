"""How far a proxy decides as its teacher, in each group and about the change that is asked about; never for all alike.

A proxy that agrees on nine rows of ten may still miss most flips: what it is worth for a question is told by its
answers to that question, beside a stranger's on the same rows.
"""

from __future__ import annotations

import numpy as np

from kdaudit.cast import Cast, Empty
from kdaudit.evidence import Row
from kdaudit.interval import Interval, unknown
from kdaudit.probe.figures import Heading
from kdaudit.probe.quantities import Values
from kdaudit.probe.readings import Pairs
from kdaudit.probe.surveys import Survey
from kdaudit.probe.telling import Telling
from kdaudit.probe.trials import Trial
from kdaudit.statistics.active import weighted
from kdaudit.statistics.rates import linearised
from kdaudit.statistics.ratios import ratio_of_means
from kdaudit.statistics.strangers import control_over, excess_over

AGREEMENT, FOUND, REAL = "group_agreement", "flip_recall", "flip_precision"
NO_CEILING = "agreement in every row is the best there is"


def group_rows(survey: Survey, telling: Telling, level: str) -> list[Row]:
    """Return how often the proxy decides as the teacher in a group, from the rows asked; nothing for scores."""
    at = survey.inside(level)
    if not survey.estimator.plain_decisions or not at.any():
        return []
    chosen, y = survey.design.chosen[at], survey.y[at]
    chance, size = survey.design.chance[chosen], survey.strata.count(level)
    same = [_same(y, of[chosen]) for of in (survey.pool.proxy, *survey.pool.strangers)]
    each = [_mean(values, chance, size) for values in same]
    title = f"{telling.who(level)}: how often the proxy decides as the teacher"
    heading = Heading(AGREEMENT, survey.strata.group(level), title, "percent")
    return [_row(heading, each, [linearised(values, 1 / chance) for values in same], survey.cast)]


def flip_rows(trial: Trial, group: str) -> list[Row]:
    """Return which of the teacher's changed decisions the proxy shows, and which that it shows are the teacher's."""
    if trial.teacher is None or not len(trial.design.chosen):
        return []
    chosen, chance = trial.design.chosen, trial.design.asked
    out = []
    for measure, title in (
        (FOUND, "share of the teacher's changed decisions that the proxy shows"),
        (REAL, "share of the decisions changed in the proxy that change in the teacher"),
    ):
        shown = [_shown(measure, trial.teacher, of, chosen) for of in (trial.proxy, *trial.strangers)]
        each = [_ratio(top, bottom, chance, len(trial.pool)) for top, bottom in shown]
        lines = [_line(one.value, top, bottom, 1 / chance) for one, (top, bottom) in zip(each, shown, strict=True)]
        out.append(_row(Heading(measure, group, title, "percent"), each, lines, trial.cast))
    return out


def _same(y: Values, other: Values) -> Values:
    return np.where(np.isnan(y) | np.isnan(other), np.nan, y == other)


def _mean(values: Values, chance: Values, size: int) -> Interval:
    return weighted(values, chance, np.zeros(len(values)), np.zeros(size), span=(0.0, 1.0)).interval


def _shown(measure: str, teacher: Pairs, proxy: Pairs, chosen: np.typing.NDArray[np.int64]) -> tuple[Values, Values]:
    """Return which changes of decisions both show, and which are shown by the one that is counted."""
    own, other = teacher.change, proxy.change[chosen]
    both = np.where((own != 0) & (own == other), 1.0, 0.0)
    both[np.isnan(own) | np.isnan(other)] = np.nan
    return both, np.abs(own if measure == FOUND else other)


def _ratio(top: Values, bottom: Values, chance: Values, size: int) -> Interval:
    nothing = (np.zeros(len(chance)), np.zeros(len(chance))), (np.zeros(size), np.zeros(size))
    return ratio_of_means(top, bottom, chance, *nothing).interval


def _line(ratio: float, top: Values, bottom: Values, weights: Values) -> Values:
    """Return numbers whose plain mean, and its variance, are those of a ratio of weighted means (Woodruff 1971)."""
    rows = ~np.isnan(top) & ~np.isnan(bottom)
    out = np.full(len(top), np.nan)
    if rows.any() and (bottom[rows] > 0).any():
        below = np.average(bottom[rows], weights=weights[rows])
        out[rows] = ratio + weights[rows] / weights[rows].mean() * (top[rows] - ratio * bottom[rows]) / below
    return out


def _row(heading: Heading, each: list[Interval], lines: list[Values], cast: Cast) -> Row:
    """Return the proxy's row beside those of strangers that are known.

    Parameters
    ----------
    heading : Heading
    each : list of Interval
        The proxy's value, then that of each stranger.
    lines : list of arrays of shape (n,)
        Values of rows whose means these are, as far as they vary.
    cast : Cast
    """
    value, known = each[0], [at for at, one in enumerate(each) if at and one.known]
    reason = cast.stranger.reason if isinstance(cast.stranger, Empty) else (*each[1:2], unknown("none"))[0].method
    control, excess = (each[known[0]] if known else None), None
    if len(known) > 1 and value.known:
        theirs = np.stack([lines[at] for at in known])
        control = control_over(theirs, span=(0.0, 1.0))
        excess = excess_over(lines[0], theirs, span=(0.0, 1.0))[0]
    told = control is not None and control.known
    return Row(
        measure=heading.measure,
        group=heading.group,
        of="proxy",
        value=value,
        unit=heading.unit,
        asked=value.n,
        control=control if told else None,
        excess=excess if told and excess is not None and excess.known else None,
        control_kind=cast.control_kind if told else "none",
        no_control="" if told else reason if not known else "strangers' rows cannot be told together",
        no_ceiling=NO_CEILING,
        title=heading.title,
        strangers=len(known) if told and excess is not None else int(told),
    )
