"""Rows on which gradients say that teacher and proxy part more: one field changed where it gains most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdaudit.compare.hunts import Climb, range_of
from kdaudit.compare.lines import MADE
from kdaudit.compare.smooth import open_pair
from kdaudit.compare.voices import Voices
from kdaudit.domain import Category, Real
from kdaudit.encoding import Encoding
from kdaudit.samples import Column, Samples

STEP = 0.5
"""Change of a number, in its standard deviations."""


def climb_of(voices: Voices, data: Samples) -> Climb | None:
    """Return a way to climb, where both are networks over numbers and levels; else None."""
    if not open_pair(voices):
        return None
    # torch is loaded where gradients are computed, not where a plan is checked
    from kdaudit.explain.planes import gradients_in

    space: Encoding = voices.cast.teacher.encoding  # type: ignore[attr-defined]
    teacher, proxy = (gradients_in(space, seat) for seat in (voices.cast.teacher, voices.cast.proxy))  # type: ignore[arg-type]

    def climb(rows: Samples) -> Samples:
        encoded = space.encode(rows)
        output = 0
        (a, slope_a), (b, slope_b) = (side(encoded, output) for side in (teacher, proxy))
        gap = np.asarray(a) - np.asarray(b)
        # the gap grows in the direction in which it already lies
        slope = np.sign(gap)[:, None] * (np.asarray(slope_a, dtype=np.float64) - slope_b)
        return raised(rows, slope, space, data)

    return climb


def raised(rows: Samples, slope: NDArray[np.float64], space: Encoding, data: Samples) -> Samples:
    """Return each row with the one field changed that raises a linear function most (HotFlip, Ebrahimi et al. 2018).

    Parameters
    ----------
    rows : Samples
        n rows.
    slope : array of shape (n, width)
        Of the function, by encoded column.
    space : Encoding
    data : Samples
        Numbers stay inside its ranges.
    """
    gains, values = [], []
    scales = iter(space.scales)
    for item, columns in zip(space.domain.fields, space.units.columns, strict=True):
        own = rows.columns[item.name]
        match item:
            case Real(integer=whole):
                scale, steep = next(scales), slope[:, columns[0]]
                low, high = range_of(item, data.columns[item.name])
                moved = own + np.sign(steep) * STEP * scale
                moved = np.clip(np.round(moved) if whole else moved, low, high)
                gains.append(np.nan_to_num(steep * (moved - own) / scale, nan=-np.inf))
                values.append(moved)
            case Category(levels=levels):
                each = slope[:, list(columns[: len(levels)])]
                best = each.argmax(axis=1)
                now = np.where(own >= 0, own, 0)
                rise = each[np.arange(len(own)), best] - each[np.arange(len(own)), now]
                gains.append(np.where(own >= 0, rise, -np.inf))
                values.append(best.astype(own.dtype))
            case _:
                gains.append(np.full(len(own), -np.inf))
                values.append(own)
    which = np.stack(gains, axis=1).argmax(axis=1)
    out: dict[str, Column] = {
        item.name: np.where(which == place, values[place], rows.columns[item.name])
        for place, item in enumerate(space.domain.fields)
    }
    return Samples(rows.domain, out, rows.ids, MADE)
