"""Who sits in a cast, and what of everybody is explained: the same rows, outputs, lenders and draws."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Differing, Encoded, Opened, Rereading
from kdaudit.cast import Cast, Empty
from kdaudit.digest import of_data
from kdaudit.explain.attributions import Attributions
from kdaudit.layers import Layers
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import GRADIENT
from kdaudit.subject import Answers, Subject

Method = Literal[
    "integrated_gradients",
    "gradient",
    "gradient_input",
    "gradient_shap",
    "deeplift",
    "ablation",
    "grad_cam",
    "shapley",
    "interactions",
    "occlusion",
    "permutation",
    "auto",
]
SLOPES = ("integrated_gradients", "gradient", "gradient_input", "gradient_shap", "deeplift", "ablation", "grad_cam")
"""Methods that look inside, and so take networks only."""
LARGE = 1_000_000
"""Weights from which a pass through a network takes so long that tests beside a question count them."""
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
    lent : Samples
        Background rows that lend values to Shapley values, to all rows alike.
    budget : int
        Coalitions a row of Shapley values.
    draws : int
        Of gradient SHAP.
    scale : {"logit", "score"}
        In what networks' Shapley values are read: scores, where a seat has nothing else.
    seed : int
        Of the coalitions and draws, which all seats share.
    asks : bool
        Whether closed subjects may be asked about mixed rows.
    finest : int
        Times `nodes` up to which a path is refined where its gap asks for it.
    special : bool
        Of texts: whether special pieces are a unit.
    worded : bool
        Of texts: whether words are left out of the text itself, as for whoever is no network they must be; else they
        are left out of what a network makes of it.
    """

    rows: Samples
    background: Samples
    output: NDArray[np.int64]
    nodes: int
    donors: NDArray[np.int64]
    lent: Samples
    budget: int = 128
    draws: int = 64
    scale: Literal["logit", "score"] = "score"
    seed: int = 0
    asks: bool = True
    finest: int = 8
    special: bool = False
    worded: bool = False

    def rng(self) -> np.random.Generator:
        """Return the generator of coalitions and draws, in the same state for each seat."""
        return np.random.default_rng(self.seed)

    @property
    def shared(self) -> NDArray[np.int64]:
        """Positions in `lent`, the same for each row: shape (n, len(lent))."""
        return np.broadcast_to(np.arange(len(self.lent)), (len(self.rows), len(self.lent)))


def cut(task: Task, rows: NDArray[np.int64]) -> Task:
    """Return the task of some of its rows."""
    return replace(task, rows=task.rows.take(rows), output=task.output[rows], donors=task.donors[rows])


def digest_of(task: Task) -> str:
    """Return a digest of all that attributions of one subject hang on, so that equal tasks have equal ones."""
    rows = (task.rows.keys(), task.background.keys(), task.lent.keys(), task.output, task.donors)
    numbers = (task.nodes, task.budget, task.draws, task.scale, task.seed, task.asks, task.finest)
    words = (task.special, task.worded)
    return of_data([*(hashlib.sha256(part.tobytes()).hexdigest() for part in rows), *map(str, (*numbers, *words))])


def some_rows(task: Task, teacher: Subject, most: int) -> Task:
    """Return the task of its first rows, for a test that stands beside the question and takes many passes.

    Of a teacher of more than `LARGE` weights it is a fifth of `most`, at paths that are not refined: else the tests
    would take several times as long as what they stand beside.
    """
    large = isinstance(teacher.form, Layers) and teacher.form.parameters > LARGE
    found = cut(task, np.arange(min(most // 5 if large else most, len(task.rows))))
    return replace(found, finest=1) if large else found


def is_network(subject: Subject) -> bool:
    """Return whether a subject is a network that can be evaluated here, at points between rows too."""
    return isinstance(subject.form, Layers) and isinstance(subject, Opened)


def gives_gradients(subject: Subject) -> bool:
    """Return whether a subject can be asked for gradients by its columns here."""
    return GRADIENT in subject.offers and isinstance(subject, Encoded)


def has_slopes(subject: Subject) -> bool:
    """Return whether a subject has gradients: by its columns, or by the vectors of its words."""
    return gives_gradients(subject) or (
        is_network(subject) and isinstance(subject, Opened) and not subject.encoding.continuous
    )


def rules_of(subject: Subject) -> Rules | None:
    """Return the rules by which a subject answers rows, or None."""
    differs = isinstance(subject, Differing) and (subject.contrast is not None or subject.minus is not None)
    rereads = isinstance(subject, Rereading) and subject.reading is not None
    return subject.form if isinstance(subject.form, Rules) and not differs and not rereads else None


def is_open(subject: Subject) -> bool:
    """Return whether a subject is evaluated here, without asking it: a network or a body of rules."""
    return is_network(subject) or rules_of(subject) is not None


def chosen_method(method: Method, cast: Cast) -> Method:
    """Return the method, "auto" settled: gradients where teacher and proxy both give them."""
    if method != "auto":
        return method
    if has_slopes(cast.teacher) and has_slopes(cast.proxy):
        return "integrated_gradients"
    return "shapley" if is_open(cast.teacher) and is_open(cast.proxy) else "occlusion"


def seats_of(cast: Cast) -> dict[str, Subject | Empty]:
    """Return who sits where."""
    seats: dict[str, Subject | Empty] = {
        "teacher": cast.teacher,
        "proxy": cast.proxy,
        "stranger": cast.stranger,
        "twin": cast.twin,
    }
    return seats | {further_name(at): who for at, who in enumerate(cast.further)}


def further_name(at: int) -> str:
    """Return the name of a further stranger's seat."""
    return f"stranger {at + 2}"


def strangers_of(seats: Iterable[str]) -> list[str]:
    """Return the names of the seats in which strangers sit."""
    return [name for name in seats if name.split()[0] == "stranger"]


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
