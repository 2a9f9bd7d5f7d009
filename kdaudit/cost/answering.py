"""The process whose memory is measured: ``python -m kdaudit.cost.answering KIND PLACE ROWS SIGNALS STEP``."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from kdaudit.cost.memory import read_rows, signals_of
from kdaudit.subject import Subject

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


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
    if (folder / "found.json").is_file():
        from kdaudit.teachers.existing import fetched

        return lambda: fetched(folder)
    from kdaudit.networks.files import load as read_network

    return lambda: read_network(folder)


def peak() -> int:
    """Return the most memory that this process ever held, in bytes.

    Where the system tells it of the program itself, that is taken: what is told of the process alone counts the
    memory of the parent, as it was when this one split from it.
    """
    if STATUS.is_file():
        return _told("VmHWM")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _told(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def forgotten() -> bool:
    """Let the system forget the peak so far and give back what is free; False where it cannot."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        CLEAR.write_text("5")
    except (OSError, AttributeError):
        return False
    return True


def main(arguments: list[str]) -> tuple[int, int]:
    """Answer rows, or load everything but the subject; return the peak, and what was held before where that is told.

    A proxy of ours is opened and answers once beforehand, so that libraries are loaded by then.
    """
    kind, place, rows, signals, step = arguments
    open_subject, samples = opener(kind, place), read_rows(Path(rows))
    wanted, before = signals_of(signals), 0
    if step == "answer":
        if kind == "folder":
            open_subject().answer(samples, wanted)
            before = _told("VmRSS") if forgotten() else 0
        open_subject().answer(samples, wanted)
    return peak(), before


if __name__ == "__main__":
    sys.stdout.write("{} {}\n".format(*main(sys.argv[1:])))
