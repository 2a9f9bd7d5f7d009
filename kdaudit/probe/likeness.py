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
from kdaudit.statistics.ratios import ratio_of_means

AGREEMENT, FOUND, REAL = "group_agreement", "flip_recall", "flip_precision"
NO_CEILING = "agreement in every row is the best there is"


def group_rows(survey: Survey, telling: Telling) -> list[Row]:
    """Return how often the proxy decides as the teacher in each group, from the rows asked; nothing for scores."""
    if not survey.estimator.plain_decisions or not len(survey.design.chosen):
        return []
    out = []
    for level in (survey.reference, *survey.others):
        at = survey.inside(level)
        if not at.any():
            continue
        chosen, y = survey.design.chosen[at], survey.y[at]
        chance, size = survey.design.chance[chosen], survey.strata.count(level)
        ours, theirs = (
            None if of is None else _mean(_same(y, of[chosen]), chance, size)
            for of in (survey.pool.proxy, survey.pool.stranger)
        )
        title = f"{telling.who(level)}: how often the proxy decides as the teacher"
        assert ours is not None
        out.append(_row(Heading(AGREEMENT, survey.strata.group(level), title, "percent"), ours, theirs, survey.cast))
    return out


def flip_rows(trial: Trial, group: str) -> list[Row]:
    """Return which of the teacher's changed decisions the proxy shows, and which that it shows are the teacher's."""
    if trial.teacher is None or not len(trial.design.chosen):
        return []
    chosen, chance = trial.design.chosen, trial.design.asked
    theirs = trial.stranger
    out = []
    for measure, title in (
        (FOUND, "share of the teacher's changed decisions that the proxy shows"),
        (REAL, "share of the decisions changed in the proxy that change in the teacher"),
    ):
        ours, control = (
            None if of is None else _shown(measure, trial.teacher, of, (chosen, chance), len(trial.pool))
            for of in (trial.proxy, theirs)
        )
        assert ours is not None
        out.append(_row(Heading(measure, group, title, "percent"), ours, control, trial.cast))
    return out


def _same(y: Values, other: Values) -> Values:
    return np.where(np.isnan(y) | np.isnan(other), np.nan, y == other)


def _mean(values: Values, chance: Values, size: int) -> Interval:
    return weighted(values, chance, np.zeros(len(values)), np.zeros(size), span=(0.0, 1.0)).interval


def _shown(
    measure: str, teacher: Pairs, proxy: Pairs, asked: tuple[np.typing.NDArray[np.int64], Values], size: int
) -> Interval:
    chosen, chance = asked
    own, other = teacher.change, proxy.change[chosen]
    both = np.where((own != 0) & (own == other), 1.0, 0.0)
    both[np.isnan(own) | np.isnan(other)] = np.nan
    bottom = np.abs(own if measure == FOUND else other)
    nothing = (np.zeros(len(chosen)), np.zeros(len(chosen))), (np.zeros(size), np.zeros(size))
    return ratio_of_means(both, bottom, chance, *nothing).interval


def _row(heading: Heading, value: Interval, control: Interval | None, cast: Cast) -> Row:
    known = control is not None and control.known
    reason = cast.stranger.reason if isinstance(cast.stranger, Empty) else (control or unknown("none")).method
    return Row(
        measure=heading.measure,
        group=heading.group,
        of="proxy",
        value=value,
        unit=heading.unit,
        asked=value.n,
        control=control if known else None,
        control_kind=cast.control_kind if known else "none",
        no_control="" if known else reason,
        no_ceiling=NO_CEILING,
        title=heading.title,
        strangers=1 if known else 0,
    )
