"""Attributions of everybody in a cast, on the same rows and by the same rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.errors import NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.occlusions import occlusion
from kdaudit.samples import Samples
from kdaudit.signal import GRADIENT, SCORE
from kdaudit.subject import Answers, Ask, Subject

Method = Literal["integrated_gradients", "occlusion", "auto"]
Explained = Mapping[str, Attributions | Empty]


@dataclass(frozen=True, eq=False)
class Task:
    """What is explained, the same for all seats.

    Parameters
    ----------
    rows : Samples
        n rows to explain.
    background : Samples
        Rows that give the baseline, none of them explained.
    output : array of shape (n,)
        The output explained in each row: the teacher's predicted class, or 0 of a yes-or-no score.
    nodes : int
        Of the path rule.
    donors : array of shape (n, draws)
        Positions in `background` that lend values to occlusion.
    """

    rows: Samples
    background: Samples
    output: NDArray[np.int64]
    nodes: int
    donors: NDArray[np.int64]


def gives_gradients(subject: Subject) -> bool:
    """Return whether a subject can be asked for gradients here."""
    return GRADIENT in subject.offers and hasattr(subject, "encoding")


def chosen_method(method: Method, cast: Cast) -> Method:
    """Return the method, "auto" settled: gradients where teacher and proxy both give them."""
    if method != "auto":
        return method
    return "integrated_gradients" if gives_gradients(cast.teacher) and gives_gradients(cast.proxy) else "occlusion"


def explained(method: Method, cast: Cast, task: Task, ask: Ask) -> Explained:
    """Return the attributions of teacher, proxy, stranger and twin, or why there are none."""
    seats: dict[str, Subject | Empty] = {
        "teacher": cast.teacher,
        "proxy": cast.proxy,
        "stranger": cast.stranger,
        "twin": cast.twin,
    }
    return {name: who if isinstance(who, Empty) else _of(method, who, task, ask) for name, who in seats.items()}


def _of(method: Method, subject: Subject, task: Task, ask: Ask) -> Attributions | Empty:
    name = subject.identity.name
    if method == "integrated_gradients":
        if not gives_gradients(subject):
            return Empty(f"{name} gives no gradients; ask by the method occlusion")
        # torch is loaded where gradients are computed, not where a plan is checked
        from kdaudit.explain.reasons import integrated_gradients

        try:
            return integrated_gradients(
                subject,  # type: ignore[arg-type]
                task.rows,
                task.background,
                output=task.output,
                nodes=task.nodes,
            )
        except NoSuchSignal as error:
            return Empty(str(error))
    if subject.identity.by == "id":
        return Empty(f"{name} is a record of answers; it cannot answer rows of which one field was replaced")
    if SCORE not in subject.offers:
        return Empty(f"{name} answers with labels only; occlusion needs scores")

    def scores(samples: Samples) -> NDArray[np.float64]:
        return ask(subject, samples, {SCORE}).score

    return occlusion(scores, task.rows, task.background, output=task.output, donors=task.donors)


def values_of(seat: Attributions | Empty) -> NDArray[np.float64] | Empty:
    """Return the values, or why there are none."""
    return seat if isinstance(seat, Empty) else seat.values


def predicted(teacher: Answers, outputs: int) -> NDArray[np.int64]:
    """Return the output to explain in each row: the teacher's class, or 0 where there is one output."""
    return np.zeros(len(teacher), dtype=np.int64) if outputs == 1 else teacher.label


def exchanged(classes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return another row of the same class for each row, by chance; itself only where it is the only one.

    Reasons of rows of one class are alike whoever gives them, so rows of other classes would be a straw control.
    """
    out = np.arange(len(classes))
    for which in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == which))
        out[rows] = np.roll(rows, 1)
    return out
