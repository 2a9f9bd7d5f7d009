"""Boundaries of networks, along gradients and over planes through rows; no row is asked of anybody's budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Empty
from kdaudit.compare.borders import planes_beside
from kdaudit.compare.lines import Floats
from kdaudit.compare.seats import exchanged, gives_gradients
from kdaudit.compare.voices import Told, Voices
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.measures.borders import REACH
from kdaudit.pictures import Pictures
from kdaudit.samples import Samples
from kdaudit.statistics.beside import Beside
from kdaudit.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from kdaudit.networks.network import Network

RESOLUTION = 30
"""Points across a plane through three rows."""
THROUGH = "planes through three rows"


def open_pair(voices: Voices) -> bool:
    """Return whether both are networks over numbers and levels, or both over pictures, whose inside can be used."""
    pair = (voices.cast.teacher, voices.cast.proxy)
    if not all(gives_gradients(one) for one in pair):
        return False
    kinds = {type(one.encoding) for one in pair}  # type: ignore[attr-defined]
    return len(kinds) == 1 and kinds <= {Encoding, Pictures}


def reach_beside(voices: Voices, rows: Samples, labels: NDArray[np.int64], rng: np.random.Generator) -> Beside:
    """Return how alike the rows' distances to the boundary are, all measured in the teacher's encoding."""
    # torch is loaded where gradients are computed, not where a plan is checked
    from kdaudit.explain.planes import gradients_in
    from kdaudit.explain.reaches import reaches

    encoded = _space(voices).encode(rows)

    def question(network: Network) -> Floats:
        found = reaches(gradients_in(_space(voices), network), encoded, len(network.outputs))
        return found[:, None]

    told = _told(voices, question)
    teacher = told["teacher"]
    kept = np.arange(0) if isinstance(teacher, Empty) else np.flatnonzero(np.isfinite(teacher[:, 0]))
    cut = {name: seat if isinstance(seat, Empty) else seat[kept] for name, seat in told.items()}
    return voices.beside(REACH, cut, equally_far, exchanged(labels[kept], rng))


def equally_far(a: Floats, b: Floats) -> Floats:
    """Return the shorter over the longer distance, shape (n,): (n, 1), (n, 1); 0 where the other's never turns."""
    x, y = a[:, 0], b[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Floats = np.minimum(x, y) / np.maximum(x, y)
    return np.where(np.isnan(x), np.nan, np.where(np.isnan(y), 0.0, np.nan_to_num(out, nan=1.0)))


def rows_planes(voices: Voices, rows: Samples, triples: int, rng: np.random.Generator) -> list[Beside]:
    """Return how alike the decisions are over planes through three rows, the same planes for all seats."""
    from kdaudit.explain.planes import decisions_in, plane_points

    space = _space(voices)
    encoded = space.encode(rows).astype(np.float64)
    grids = []
    for _ in range(triples):
        chosen = rng.choice(len(encoded), 3, replace=False)
        try:
            grids.append(plane_points(encoded[chosen], RESOLUTION))
        except InvalidInput:
            continue  # two rows alike, or three on a line, span no plane
    if not grids:
        return []
    points = np.concatenate(grids)

    def question(network: Network) -> Floats:
        return decisions_in(space, network, points).reshape(len(grids), -1).astype(np.float64)

    return planes_beside(voices, _told(voices, question), THROUGH)


def _space(voices: Voices) -> Encoding | Pictures:
    space: Encoding | Pictures = voices.cast.teacher.encoding  # type: ignore[attr-defined]
    return space


def _told(voices: Voices, question: Callable[[Network], Floats]) -> Told:
    def answer(seat: Subject | Empty) -> Floats | Empty:
        if isinstance(seat, Empty):
            return seat
        if not gives_gradients(seat):
            return Empty(f"{seat.identity.name} is no network whose inside can be used")
        try:
            return question(seat)  # type: ignore[arg-type]
        except (NoSuchSignal, InvalidInput) as error:
            return Empty(str(error))

    return {name: answer(seat) for name, seat in voices.seats.items()}
