"""What is found inside the networks of a cast, seat by seat: in their layers, or in their attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kdaudit.abilities import Encoded
from kdaudit.cast import Cast, Empty
from kdaudit.compare.voices import like_teacher
from kdaudit.layers import Layers
from kdaudit.subject import Subject

Found = TypeVar("Found")
Names = tuple[str, ...]
"""Layers in a module tree, stars allowed."""


def inside(
    cast: Cast,
    seats: Mapping[str, Subject | Empty],
    names: tuple[Names, Names],
    look: Callable[[str, Any, Names], Found | Empty],
) -> dict[str, Found | Empty]:
    """Return what a look into each network gives, or why there is nothing to be looked at.

    Parameters
    ----------
    cast : Cast
    seats : mapping of str to Subject or Empty
    names : (tuple of str, tuple of str)
        Layers of those who are built as the teacher is, and of the proxy and its like.
    look : callable
        ``look(seat, network, names)``.
    """
    out: dict[str, Found | Empty] = {}
    for name, seat in seats.items():
        if isinstance(seat, Empty):
            out[name] = seat
        elif not isinstance(seat.form, Layers) or not isinstance(seat, Encoded):
            out[name] = Empty(f"{seat.identity.name} has no layers that could be looked at")
        else:
            out[name] = look(name, seat, names[0] if like_teacher(name, cast) else names[1])
    return out
