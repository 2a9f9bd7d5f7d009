"""What is averaged over rows: fields, or of texts the words that come back, wherever they stand."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from kdaudit.explain.attributions import Attributions

LEAST = 5
"""Texts in which a word must stand for its mean to be shown."""
Floats = NDArray[np.float64]


def by_unit(seat: Attributions) -> dict[str, Floats]:
    """Return what each unit was given: of fields one value a row, of a word one value a text that holds it.

    The third word of one text and of another have nothing in common but their place, so that texts are averaged over
    the words themselves; of a word that stands twice in a text it is the mean.  Which words are shown hangs on the
    texts alone and is the same for all whose reasons are compared.
    """
    if not seat.words:
        return {unit: seat.values[:, i] for i, unit in enumerate(seat.names)}
    told: defaultdict[str, list[float]] = defaultdict(list)
    for words, values in zip(seat.words, seat.values, strict=True):
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(words):
            places[word].append(place)
        for word, at in places.items():
            told[word].append(float(values[at].mean()))
    return {word: np.array(told[word]) for word in sorted(told) if len(told[word]) >= LEAST}
