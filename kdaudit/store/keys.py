"""Under which keys a subject's answers are kept, and which signals have to be asked for."""

from __future__ import annotations

import numpy as np

from kdaudit.errors import NoSuchSignal
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.store.index import Keys
from kdaudit.subject import Identity, Subject

HEX = 32
"""Characters of a content key in hex."""


def row_keys(identity: Identity, samples: Samples) -> Keys:
    """Return what answers to each row are kept under, shape (n,).

    Subjects that answer by content: the content key, dtype ``S16``.  Recorded subjects: content key in hex and id, one
    text of dtype ``U``, so that two recorded rows with the same content stay two, and a recorded row that somebody
    changed is never given the answer to the row as it was.
    """
    content = samples.keys() if len(samples) else np.empty(0, dtype="S16")
    if identity.by == "content":
        return content
    if not len(content):
        return np.empty(0, dtype=f"U{HEX + 1}")
    in_hex = np.frombuffer(content.tobytes().hex().encode(), dtype=f"S{HEX}").astype(f"U{HEX}")
    return np.char.add(in_hex, samples.ids.astype(str))


def sources(subject: Subject, wanted: Signals) -> tuple[Signal, ...]:
    """Return the signals to be asked for, so that all `wanted` ones can be read off; sorted.

    Scores come from logits, and labels from either, wherever the subject offers them.  That depends on what it offers
    and never on what is on disk: the same question has the same answer in a first audit and in a second.

    Raises
    ------
    NoSuchSignal
        If a signal is neither offered nor to be read off one that is.
    """
    out = set()
    for signal in wanted:
        ways = [way for way in _ways(signal, subject) if way in subject.offers]
        if not ways:
            offered = ", ".join(sorted(map(str, subject.offers))) or "nothing"
            raise NoSuchSignal(f"{subject.identity.name} cannot give {signal}; it offers {offered}")
        out.add(ways[0])
    return tuple(sorted(out))


def _ways(signal: Signal, subject: Subject) -> tuple[Signal, ...]:
    numbers = subject.scale == "value"  # no sigmoid makes a number out of a logit, and no threshold a label
    if signal == SCORE:
        return (SCORE,) if numbers else (LOGIT, SCORE)
    if signal == LABEL:
        return (LABEL, SCORE) if numbers else (LOGIT, SCORE, LABEL)
    return (signal,)
