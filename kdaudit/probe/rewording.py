"""Words exchanged along the gradients of a network that looks them up; each exchange is verified before it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Opened
from kdaudit.encoders import Encoder, Reading
from kdaudit.pieces import Pieces
from kdaudit.samples import Samples
from kdaudit.sampling.attacks import Floats, Reach, settled
from kdaudit.subject import Subject
from kdaudit.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    Far = Callable[[Any, Samples, NDArray[np.int64]], Floats]
    """From a network, rows and their decisions to how far it is from another decision."""


def text_read(encoder: Encoder) -> str:
    """Return the field whose words are read; empty where none is."""
    inner = encoder.inner if isinstance(encoder, Reading) else encoder
    return inner.domain.names[0] if isinstance(inner, Tokens | Pieces) else ""


def has_words(subject: Subject, rows: Samples) -> bool:
    """Return whether a subject is a network over the rows' own fields that looks words up in a table of vectors."""
    if not isinstance(subject, Opened) or not text_read(subject.encoding):
        return False
    if subject.encoding.domain.layout() != rows.domain.layout():
        return False
    # torch is loaded where gradients are computed, not where a plan is checked
    from kdaudit.explain.flips import looks_up

    network: Any = subject
    return looks_up(network)


def reworded(network: Any, rows: Samples, own: NDArray[np.int64], reach: Reach, brood: int, far: Far) -> Samples:  # noqa: ANN401 - a network, known by what it offers
    """Return rows with words exchanged, one after the other, so that the network's decision turns where it can.

    Of the exchanges that the gradient promises most, each is tried and the nearest to turning is kept, if it is nearer
    (Ebrahimi et al. 2018).

    Parameters
    ----------
    network : Network
    rows : Samples
        n rows.
    own : array of shape (n,)
        Its decisions about them.
    reach : Reach
        At most `swaps` words of a row are exchanged, for words of the data.
    brood : int
        Exchanges that are tried for a row each time.
    far : callable
    """
    from kdaudit.explain.flips import promising

    field = text_read(network.encoding)
    if field not in reach.fields or not reach.words:
        return rows
    best, lowest = rows, far(network, rows, own)
    for _ in range(reach.swaps):
        still = np.flatnonzero(lowest > 0)
        if not len(still):
            break
        now = best.take(still)
        places, words = promising(network, now, own[still], reach.words, brood, rows.take(still))
        parent = np.repeat(still, brood)
        told = [
            _exchanged(text, place, word, reach)
            for text, place, word in zip(
                best.columns[field][parent], places.ravel().tolist(), words.ravel().tolist(), strict=True
            )
        ]
        column = np.array(told, dtype=object)
        children = settled(rows.take(parent), {**best.take(parent).columns, field: column})
        found = far(network, children, own[parent]).reshape(len(still), brood)
        which = found.argmin(axis=1)
        nearer = np.flatnonzero(found.min(axis=1) < lowest[still])
        column = best.columns[field].copy()
        column[still[nearer]] = children.columns[field][nearer * brood + which[nearer]]
        lowest[still[nearer]] = found.min(axis=1)[nearer]
        best = settled(rows, {**rows.columns, field: column})
    return best


def _exchanged(text: str | None, place: int, word: int, reach: Reach) -> str | None:
    if text is None or place < 0:
        return text
    parts = text.split()
    parts[place] = reach.words[word]
    told = " ".join(parts)
    return told if len(told) <= reach.longest else text
