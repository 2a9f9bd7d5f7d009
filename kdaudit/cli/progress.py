"""How long work is told: a line that moves on a terminal, plain lines elsewhere; and how it is stopped."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from kdaudit.errors import Cancelled
from kdaudit.live import listening


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield a function that is told each step in words; words go to standard error."""
    start = time.monotonic()
    if quiet:
        yield lambda _: None
    elif not sys.stderr.isatty():
        yield lambda words: print(f"[{time.monotonic() - start:5.1f} s] {words}", file=sys.stderr, flush=True)  # noqa: T201
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console(stderr=True)
        with console.status(Text("starting")) as status:
            now = "starting"

            def show(words: str) -> None:
                status.update(Text(f"{words} ({time.monotonic() - start:.0f} s)"))

            def tell(words: str) -> None:
                nonlocal now
                now = words
                show(words)

            with listening(lambda words: show(f"{now}: {words}")):
                yield tell


@contextmanager
def cancellable(sentence: Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into `Cancelled`, whose text `sentence` is asked for when it happens.

    Files are written by replacing whole ones, so there is no moment at which stopping loses an answer.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise Cancelled(sentence())

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
