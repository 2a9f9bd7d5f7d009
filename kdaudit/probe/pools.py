"""What most probes have in common: they ask about rows of the pool, and read nothing but answers."""

from __future__ import annotations

from typing import Literal

from kdaudit.signal import Signal


class OfPool:
    """A question about the pool."""

    @property
    def needs(self) -> frozenset[Signal]:
        """Nothing but answers."""
        return frozenset()

    @property
    def part(self) -> Literal["judge", "pool"]:
        """The pool."""
        return "pool"
