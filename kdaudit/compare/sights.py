"""Pictures that were explained, with the shares of their patches: to be looked at, not counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Empty
from kdaudit.compare.seats import Explained, Task, strangers_of
from kdaudit.domain import Image
from kdaudit.explain.attributions import Attributions
from kdaudit.pictures import corners

MOST = 10
"""Pictures shown, one an output that the teacher decides for: so many stand in one row of a page."""
FINEST = 28
"""Pixels along the longer side of what is shown; finer pictures are thinned out to it."""

Arrays = dict[str, NDArray[np.float32]]


def sights(
    task: Task, seats: Explained, outputs: Sequence[str]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Return arrays and words with which a report shows where teacher, proxy and a stranger's proxy look.

    The first picture of each of the teacher's decisions is taken (of a single output the first ones), so that none is
    picked for what it shows.

    Parameters
    ----------
    task : Task
    seats : mapping
        From `kdaudit.compare.ways.explained`.
    outputs : sequence of str
        Of the teacher.

    Returns
    -------
    arrays : dict
        ``"pictures"`` of shape (k, height, width), grey from 0 to 1, and for each of ``"sight_teacher"``,
        ``"sight_proxy"`` and ``"sight_stranger"`` that was explained, shares of shape (k, patches).  Empty where what
        is explained are no patches of one picture.
    words : dict
        ``"sights"``: the teacher's ``"decisions"``, and the corners of each patch as shares of height and width; empty
        where nothing is shown.
    """
    fields, teacher = task.rows.domain.fields, seats["teacher"]
    if isinstance(teacher, Empty) or len(fields) != 1 or not isinstance(fields[0], Image):
        return {}, {}
    places = corners(teacher.names, fields[0])
    if not places:
        return {}, {}
    several = len(outputs) > 1
    rows = np.unique(task.output, return_index=True)[1] if several else np.arange(len(task.output))
    firsts = rows[:MOST]
    arrays = {"pictures": _grey(task.rows.columns[fields[0].name][firsts])}
    shown: dict[str, Attributions | Empty] = {"teacher": teacher, "proxy": seats["proxy"]}
    for name in strangers_of(seats)[:1]:
        shown["stranger"] = seats[name]
    for name, seat in shown.items():
        if isinstance(seat, Attributions):
            arrays[f"sight_{name}"] = seat.values[firsts].astype(np.float32)
    decided = [outputs[task.output[row]] if several else f"picture {row + 1}" for row in firsts]
    return arrays, {"sights": {"decisions": decided, "patches": [list(place) for place in places]}}


def _grey(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return pictures (k, channels, height, width) as the mean over channels, thinned out, missing pixels black."""
    grey = np.nan_to_num(np.asarray(pixels, dtype=np.float64)).mean(axis=1)
    step = max(1, -(-max(grey.shape[1:]) // FINEST))
    out: NDArray[np.float32] = np.clip(grey[:, ::step, ::step], 0.0, 1.0).astype(np.float32)
    return out
