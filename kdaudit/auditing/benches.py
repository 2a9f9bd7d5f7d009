"""Workbenches: a folder of its own for a maker that may be stopped, and instruments for one that keeps to limits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from kdaudit.abilities import Benched, Measuring
from kdaudit.auditing.items import ProxyItem
from kdaudit.auditing.plan import Plan
from kdaudit.digest import of_data
from kdaudit.durable import write_durably
from kdaudit.interval import Interval
from kdaudit.layers import Layers
from kdaudit.question import ProxyRecipe, Workbench
from kdaudit.samples import Samples
from kdaudit.subject import Subject

Meter = Callable[[Subject, Samples], Interval]
MEASURED = "measured.json"
"""What instruments told, kept in the proxy's folder."""
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


METERS: dict[str, Meter] = {"latency": latency, "memory": memory, "energy": energy}
"""What is measured and not counted: it may differ from machine to machine and from run to run."""


def at(item: ProxyItem, folder: Path) -> ProxyRecipe:
    """Return the recipe at a workbench of its own, below its folder; most recipes need none.

    Parameters
    ----------
    item : ProxyItem
    folder : Path
        The proxy's own, or that of one of its controls inside it.
    """
    if not isinstance(item.recipe, Benched):
        return item.recipe
    file = (folder if folder.name == item.name else folder.parent) / MEASURED
    meters = {name: _kept(name, meter, file) for name, meter in METERS.items()}
    return item.recipe.at(Workbench(folder / FOLDER, meters))


def _kept(name: str, meter: Meter, file: Path) -> Meter:
    """Return an instrument that measures a body once: a control is held to what its proxy was held to."""

    def read(subject: Subject, samples: Samples) -> Interval:
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        form = subject.form
        body = of_data([form.architecture, form.arguments]) if isinstance(form, Layers) else subject.identity.digest
        key = f"{name} of {body}"
        if key not in known:
            known[key] = meter(subject, samples).to_data()
            file.parent.mkdir(parents=True, exist_ok=True)
            write_durably(file, json.dumps(known, indent=1, sort_keys=True).encode() + b"\n")
        return Interval.from_data(known[key])

    return read


def measuring(plan: Plan) -> list[str]:
    """Return the items of a plan that measure time, memory or energy, and not only count."""
    items: dict[str, object] = {f"proxies/{p.name}": p.recipe for p in plan.proxies}
    items |= {q.key: q.recipe for q in plan.questions}
    return [name for name, recipe in items.items() if isinstance(recipe, Measuring) and recipe.measured_here]


def clear(folder: Path) -> None:
    """Remove what a maker left on its workbench: times and places have no part in a run."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
