"""How a proxy does class by class, and how much of the teacher's scores its scores explain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kdaudit.evidence import Row
from kdaudit.interval import Interval, unknown
from kdaudit.signal import LOGIT, SCORE
from kdaudit.statistics.gaps import shifted
from kdaudit.statistics.rates import critical, mean
from kdaudit.subject import Answers

BY_CLASS, EXPLAINED = "agreement_by_class", "explained_variance"
NO_TWIN = "the twin is asked where agreement is compared"
FEWEST = 2


def class_rows(teacher: Answers, proxy: Answers, outputs: Sequence[str]) -> list[Row]:
    """Return for each decision of the teacher the share of its rows on which the proxy decides alike.

    The control is how often the proxy decides so over all rows: what it would reach if its answers were exchanged
    between rows by chance.  Classes are in the order of the outputs; of one output first no, then yes.

    Parameters
    ----------
    teacher, proxy : Answers
        To the same rows.
    outputs : sequence of str
    """
    both = teacher.answered & proxy.answered
    names = list(outputs) if len(outputs) > 1 else [f"not {outputs[0]}", outputs[0]]
    out = []
    for label, name in enumerate(names):
        said = np.where(both, (proxy.label == label).astype(np.float64), np.nan)
        control: Interval = mean(said)
        inside = both & (teacher.label == label)
        value = mean(said[inside]) if inside.any() else unknown("the teacher never decides so on these rows")
        out.append(
            Row(
                measure=BY_CLASS,
                group=f"teacher decides {name}",
                of="teacher-proxy",
                value=value,
                unit="percent",
                asked=int(inside.sum()),
                control=control if control.known else None,
                excess=shifted(value, control.value) if value.known and control.known else None,
                control_kind="permuted" if control.known else "none",
                no_control="" if control.known else control.method,
                no_ceiling=NO_TWIN,
                title=f"Decides alike where the teacher decides {name}",
            )
        )
    return out


def explained(teacher: Answers, proxy: Answers) -> Row | None:
    """Return how much of the variance of the teacher's scores the proxy's scores explain; None without scores.

    One minus the mean squared error over the variance (R squared, pooled over outputs).  The interval is that of a
    ratio of two means, by its linear part (Cochran, 1977, section 6.4).
    """
    if not all({SCORE, LOGIT} & set(answers.values) for answers in (teacher, proxy)):
        return None
    both = teacher.answered & proxy.answered
    a, b = teacher.score[both], proxy.score[both]
    n = len(a)
    error = ((a - b) ** 2).sum(axis=1) if n else np.zeros(0)
    around = ((a - a.mean(axis=0)) ** 2).sum(axis=1) if n else np.zeros(0)
    total = float(around.mean()) if n else 0.0
    value = unknown("the teacher's scores are all alike" if n else "no rows", n)
    if n > FEWEST and total > 0:
        ratio = float(error.mean()) / total
        spread = float((error - ratio * around).std(ddof=1)) / (total * math.sqrt(n))
        half = critical(0.95, n - 1) * spread
        value = Interval(1 - ratio, 1 - ratio - half, min(1.0, 1 - ratio + half), n, 0.95, "ratio of means")
    return Row(
        measure=EXPLAINED,
        group="all",
        of="teacher-proxy",
        value=value,
        asked=n,
        no_control="a proxy that always says the teacher's mean scores exactly 0",
        no_ceiling=NO_TWIN,
        title="Share of the variance of the teacher's scores that the proxy's explain",
    )
