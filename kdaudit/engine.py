"""Long work in pieces: the same bytes whether the pieces are worked off one by one or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def map_pieces(function: Callable[[Piece], Result], pieces: Iterable[Piece], *, workers: int = 1) -> Iterator[Result]:
    """Yield ``function(piece)`` for each piece, in the order of the pieces.

    Parameters
    ----------
    function : callable
        Must not depend on other pieces.
    pieces : iterable
        Of fixed size, whatever the number of workers.
    workers : int
        1 works them off here; more uses threads.
    """
    if workers <= 1:
        yield from map(function, pieces)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(function, pieces)


def slices(n: int, size: int) -> Sequence[slice]:
    """Return the slices of at most `size` that cover n rows, in order."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
