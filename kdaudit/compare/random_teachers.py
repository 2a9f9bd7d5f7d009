"""What the proxy's likeness is worth beside a teacher that has forgotten all it learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.seats import Explained, Method, Task, is_network, some_rows
from kdaudit.compare.ways import attributed
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Row
from kdaudit.explain.attributions import Attributions
from kdaudit.interval import Interval
from kdaudit.measure import Measure
from kdaudit.measures.ranks import among, spearman
from kdaudit.statistics.beside import Scored, evidence_rows, summary
from kdaudit.subject import Ask

Floats = NDArray[np.float64]
DRAWS = 8
"""Random teachers: so many that their spread is seen."""
ROWS = 50
"""Rows on which they are explained."""
ASKING = ("occlusion", "permutation")
"""Methods that ask through the store, which has no answers of a random teacher."""


def beside_random(method: Method, cast: Cast, seats: Explained, task: Task, ask: Ask) -> Row:
    """Return the proxy's rank correlation with the teacher, beside what teachers with random weights have with it.

    What a network's build and its inputs alone make alike is in the control; all that was learned is not (Adebayo et
    al. 2018).  Each random teacher has the teacher's weights in another order, layer by layer.

    Parameters
    ----------
    method : str
    cast : Cast
    seats : mapping
        From `kdaudit.compare.ways.explained`.
    task : Task
    ask : Ask
    """
    teacher, proxy = seats["teacher"], seats["proxy"]
    some = some_rows(task, cast.teacher, ROWS)
    rows = np.arange(len(some.rows))
    value: Floats | Empty
    if isinstance(teacher, Empty) or isinstance(proxy, Empty):
        value = teacher if isinstance(teacher, Empty) else proxy if isinstance(proxy, Empty) else Empty("")
        control: Floats | Empty = value
    else:
        counts = None if teacher.counts is None else teacher.counts[rows]
        alike = among(spearman, counts)
        value = alike(teacher.values[rows], proxy.values[rows])
        control = _random(method, cast, partial(alike, teacher.values[rows]), some, ask)
    twin = Empty("how alike teachers are that were trained again stands at the rank correlation itself")
    found = summary(MEASURE, Scored(value, control, twin, "randomised_teacher"), asked=len(rows))
    return evidence_rows([replace(found, control=_said(found.control), excess=_said(found.excess))])[0]


def _said(interval: Interval | None) -> Interval | None:
    if interval is None:
        return None
    return replace(interval, method=interval.method.replace("strangers", "random teachers"))


def _random(method: Method, cast: Cast, alike: Callable[[Floats], Floats], task: Task, ask: Ask) -> Floats | Empty:
    name = cast.teacher.identity.name
    if not is_network(cast.teacher):
        return Empty(f"{name} has no weights that could be made random")
    if method in ASKING:
        return Empty("the method asks through the store, which has no answers of a random teacher")
    from kdaudit.explain.forgetting import shuffled, weighted

    rng = np.random.default_rng([task.seed, 1])
    out = []
    for _ in range(DRAWS):
        forgot = shuffled(cast.teacher, weighted(cast.teacher), rng)  # type: ignore[arg-type]
        found = attributed(method, forgot, task, ask)
        if not isinstance(found, Attributions):
            return found
        # Grad-CAM of random weights often shows nothing at all: that is no likeness, and not a row without a value
        bare = np.ptp(found.values, axis=1) == 0
        out.append(np.where(bare, 0.0, alike(found.values)))
    return np.stack(out)


def _never(*_: object) -> Floats:
    raise InvalidInput("reasons are compared, not answers")


MEASURE = Measure(
    "spearman_beside_random",
    _never,
    "",
    (-1.0, 1.0),
    "high",
    f"rank correlation of the signed shares on up to {ROWS} rows, beside that of the teacher with its weights in "
    "random order",
    "Adebayo et al. 2018 (randomised parameters)",
    "Order of reasons, beside a teacher that learned nothing",
)
