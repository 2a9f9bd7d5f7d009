"""Do the proxy's reasons move the teacher's answer, as far as its own do?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.faithfulness import Curves, curves, direction
from kdaudit.compare.seats import Explained, Task, is_open, seats_of, strangers_of
from kdaudit.compare.ways import game_of
from kdaudit.errors import KdauditError
from kdaudit.evidence import Row
from kdaudit.explain.attributions import Attributions
from kdaudit.measure import Measure
from kdaudit.statistics.beside import Scored, evidence_rows, summary, together
from kdaudit.subject import Ask

Floats = NDArray[np.float64]
MAIN = ("teacher", "proxy", "stranger", "twin")
"""Seats whose orders are tried on themselves; on the teacher those of all seats are."""


@dataclass(frozen=True, eq=False)
class Crossed:
    """Orders of units tried on the teacher, and each subject's on itself.

    Parameters
    ----------
    on_teacher : mapping of str to Curves
        By whose order: each seat's, and "random".
    on_itself : mapping of str to (Curves, Curves)
        By subject: in its own order, and in random order.
    missing : mapping of str to str
        Why a subject has none.
    """

    on_teacher: dict[str, Curves]
    on_itself: dict[str, tuple[Curves, Curves]]
    missing: dict[str, str]


def crossed(cast: Cast, seats: Explained, task: Task, ask: Ask, rng: np.random.Generator) -> Crossed | Empty:
    """Return what each seat's order of units does to the teacher's answers, and to its own.

    Nothing is asked of a closed teacher here: it is tried on subjects that are evaluated in this process.

    Parameters
    ----------
    cast : Cast
    seats : mapping
    task : Task
        Of the first of the explained rows: those that are tried.
    ask : Ask
    rng : Generator
        Draws the random order.
    """
    teacher = seats["teacher"]
    if isinstance(teacher, Empty):
        return teacher
    if not is_open(cast.teacher):
        return Empty(f"{cast.teacher.identity.name} is closed; the test of orders would ask it many mixed rows")
    n = len(task.rows)
    chance = rng.random((n, len(teacher.names)))
    on_itself: dict[str, tuple[Curves, Curves]] = {}
    missing: dict[str, str] = {}
    for name in MAIN:
        who, seat = seats_of(cast)[name], seats[name]
        if isinstance(who, Empty) or isinstance(seat, Empty):
            missing[name] = who.reason if isinstance(who, Empty) else seat.reason if isinstance(seat, Empty) else ""
            continue
        try:
            game = game_of(who, task, ask)
            sign = direction(game, n, chance.shape[1])
            on_itself[name] = curves(game, seat.values[:n], sign), curves(game, chance, sign)
        except KdauditError as error:
            missing[name] = str(error)
    game = game_of(cast.teacher, task, ask)
    sign = direction(game, n, chance.shape[1])
    own, random = on_itself.get("teacher") or (curves(game, values, sign) for values in (teacher.values[:n], chance))
    others = {name: seat for name, seat in seats.items() if isinstance(seat, Attributions) and name != "teacher"}
    on_teacher = {name: curves(game, seat.values[:n], sign) for name, seat in others.items()}
    on_teacher |= {"teacher": own, "random": random}
    return Crossed(on_teacher, on_itself, missing)


def crossed_row(tried: Crossed, cast: Cast, asked: int) -> Row:
    """Return the evidence row: what the proxy's order does to the teacher's answers, beside the strangers'."""

    def span(name: str) -> Floats | Empty:
        found = tried.on_teacher.get(name)
        return Empty(tried.missing.get(name, "there is none")) if found is None else found.span

    kind = cast.control_kind
    control = together([span(name) for name in strangers_of(seats_of(cast))])
    if isinstance(control, Empty) or kind == "swapped_teacher":
        control, kind = span("random"), "permuted"
    return evidence_rows([summary(CROSSED_MEASURE, Scored(span("proxy"), control, span("twin"), kind), asked=asked)])[0]


def _never(*_: object) -> Floats:
    raise KdauditError("crossed_faithfulness compares orders of units, not answers")


CROSSED_MEASURE = Measure(
    "crossed_faithfulness",
    _never,
    "points",
    (-1.0, 1.0),
    "high",
    "area between the teacher's score as fields (words of texts, patches of pictures) are put in and as they are taken "
    "away, in the proxy's order",
    "Petsiuk et al. 2018 (insertion and deletion)",
    "The proxy's order of reasons, tried on the teacher",
)
