"""What long work says of itself while it goes on, for whoever watches; nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(tell: Callable[[str], None]) -> Iterator[None]:
    """Inside this context `tell` hears what work in this thread says of itself.

    Examples
    --------
    >>> with listening(print):
    ...     say(lambda: "half done")
    half done
    """
    token = _LISTENER.set(tell)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def say(words: Callable[[], str]) -> None:
    """Tell how far work is; the words are made only where somebody listens."""
    tell = _LISTENER.get()
    if tell is not None:
        tell(words())
