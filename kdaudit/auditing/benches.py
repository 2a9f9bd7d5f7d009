"""Workbenches: a folder of its own for a maker that may be stopped, and instruments for one that keeps to limits."""

from __future__ import annotations

import shutil
from pathlib import Path

from kdaudit.auditing.items import ProxyItem
from kdaudit.interval import Interval
from kdaudit.question import ProxyRecipe, Workbench
from kdaudit.samples import Samples
from kdaudit.subject import Subject

FOLDER = "making"
"""Below the proxy's own folder, until the proxy is made; nothing in it is evidence."""


def latency(subject: Subject, samples: Samples) -> Interval:
    """Return the milliseconds that one row takes, its median; unknown on a machine that does not agree with itself."""
    from kdaudit.cost.latency import passing, settled
    from kdaudit.cost.measured import scaled

    return scaled(settled(passing(subject, samples.take([0]))).p50, 1e-3)


def memory(subject: Subject, samples: Samples) -> Interval:
    """Return the megabytes that a process takes to hold the subject and to answer the rows at once."""
    from kdaudit.cost.memory import settled

    return settled(subject, samples)


def energy(subject: Subject, samples: Samples) -> Interval:
    """Return the millijoules that one row takes; unknown where the machine has no counter of its own."""
    from kdaudit.cost.energy import counter
    from kdaudit.cost.latency import passing

    return counter(passing(subject, samples.take([0])))


METERS = {"latency": latency, "memory": memory, "energy": energy}
"""What is measured and not counted: it may differ from machine to machine and from run to run."""


def at(item: ProxyItem, folder: Path) -> ProxyRecipe:
    """Return the recipe at a workbench of its own, below the proxy's folder; most recipes need none."""
    placed = getattr(item.recipe, "at", None)
    if placed is None:
        return item.recipe
    recipe: ProxyRecipe = placed(Workbench(folder / FOLDER, METERS))
    return recipe


def clear(folder: Path) -> None:
    """Remove what a maker left on its workbench: times and places have no part in a run."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
