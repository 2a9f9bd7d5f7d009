"""The process whose memory is measured: ``python -m kdaudit.cost.answering KIND PLACE ROWS SIGNALS STEP``."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from kdaudit.cost.memory import read_rows, signals_of
from kdaudit.subject import Subject

STATUS = Path("/proc/self/status")


def opener(kind: str, place: str) -> Callable[[], Subject]:
    """Import what opens the subject, and return it uncalled."""
    if kind == "address":
        module, _, name = place.partition(":")
        found: Callable[[], Subject] = getattr(import_module(module), name)
        return found
    folder = Path(place)
    if (folder / "rules.json").is_file():
        from kdaudit.surrogates.surrogate import load as read_rules

        return lambda: read_rules(folder)
    from kdaudit.networks.files import load as read_network

    return lambda: read_network(folder)


def peak() -> int:
    """Return the most memory that this process ever held, in bytes.

    Where the system tells it of the program itself, that is taken: what is told of the process alone counts the
    memory of the parent, as it was when this one split from it.
    """
    if STATUS.is_file():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def main(arguments: list[str]) -> int:
    """Answer rows, or load everything but the subject; return the peak."""
    kind, place, rows, signals, step = arguments
    open_subject, samples = opener(kind, place), read_rows(Path(rows))
    if step == "answer":
        open_subject().answer(samples, signals_of(signals))
    return peak()


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1:])}\n")
