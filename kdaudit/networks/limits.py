"""How large a network may be that a description asks for."""

from __future__ import annotations

from collections.abc import Sequence

from kdaudit.errors import InvalidInput

WIDEST, DEEPEST = 1 << 20, 64
"""Most units of a layer and most layers that a description may ask for."""


def check_sizes(kind: str, sizes: Sequence[object], layers: int) -> None:
    """Refuse sizes that no network of this kind can have.

    Raises
    ------
    InvalidInput
        If a size is no whole number from 1 to `WIDEST`, or there are `DEEPEST` layers or more.
    """
    if any(isinstance(s, bool) or not isinstance(s, int) or not 1 <= s <= WIDEST for s in sizes):
        raise InvalidInput(f"{kind} of sizes {list(sizes)} cannot be built; each is a whole number from 1 to {WIDEST}")
    if layers >= DEEPEST:
        raise InvalidInput(f"{kind} of {layers} layers cannot be built; at most {DEEPEST - 1} are allowed")
