"""How much energy a call takes: measured where the machine has a counter, modelled from operations, or unknown.

An estimate is called one: the label stands beside every figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kdaudit.cast import Empty
from kdaudit.cost.sizes import Size
from kdaudit.errors import InvalidInput
from kdaudit.interval import Interval, unknown

Label = Literal["measured", "modelled", "unknown"]
COUNTERS = Path("/sys/class/powercap")
"""Where Linux offers the energy counters of the processor (RAPL)."""
PICOJOULES: Mapping[str, float] = {"float32": 4.6, "int8": 0.23}
"""Of one multiply-add, arithmetic alone and no memory traffic, at 45 nm (Horowitz 2014)."""


@dataclass(frozen=True)
class Energy:
    """Energy of a call or a row.

    Parameters
    ----------
    joule : float or None
        None where it is unknown.
    label : {"measured", "modelled", "unknown"}
    source : str
        The counter or the model in words, or why nothing is known.
    """

    joule: float | None
    label: Label
    source: str


def measured(call: Callable[[], object], *, calls: int = 1000, counters: Path = COUNTERS) -> Energy:
    """Measure the energy of one call by the processor's own counters; unknown where there are none to be read.

    The counters see the whole processor: whatever else runs is counted too.

    Parameters
    ----------
    call : callable
    calls : int
        Over which it is averaged.
    counters : Path
    """
    if calls < 1:
        raise InvalidInput(f"energy is averaged over calls; {calls} are none")
    packages = sorted(p for p in counters.glob("intel-rapl:*") if p.name.count(":") == 1)
    if not packages:
        return Energy(None, "unknown", "this machine offers no energy counter")
    try:
        before = [_read(p, "energy_uj") for p in packages]
        for _ in range(calls):
            call()
        after = [_read(p, "energy_uj") for p in packages]
        spans = [_read(p, "max_energy_range_uj") for p in packages]
    except (OSError, ValueError) as error:
        return Energy(None, "unknown", f"the processor's energy counter cannot be read: {error.__class__.__name__}")
    # a counter that has run full starts again from 0
    spent = sum((b - a) % span for a, b, span in zip(before, after, spans, strict=True))
    return Energy(spent * 1e-6 / calls, "measured", f"RAPL, {len(packages)} processor packages, {calls:,} calls")


def counter(call: Callable[[], object], *, calls: int = 1000, counters: Path = COUNTERS) -> Interval:
    """Return the millijoules of one call by the machine's own counter; unknown, with the reason, where it has none.

    It is counted twice, and unknown too where the two differ by more than a tenth: something else was counted.
    """
    first, second = (measured(call, calls=calls, counters=counters) for _ in range(2))
    if first.joule is None or second.joule is None:
        return unknown(first.source if first.joule is None else second.source)
    low, high = sorted((1e3 * first.joule, 1e3 * second.joule))
    if high > 1.1 * low:
        return unknown(f"counted twice, {low:.3g} and {high:.3g} mJ; the machine is too busy to tell", calls)
    return Interval((low + high) / 2, low, high, 2 * calls, method=first.source)


def modelled(size: Size, precision: str = "float32") -> Energy:
    """Return an estimate: multiply-adds of a row times the published energy of one.

    Parameters
    ----------
    size : Size
    precision : {"float32", "int8"}

    Raises
    ------
    InvalidInput
        On another precision.
    """
    if precision not in PICOJOULES:
        raise InvalidInput(f"no energy is printed for {precision!r}; precisions are {', '.join(PICOJOULES)}")
    if isinstance(size.multiply_adds, Empty):
        return Energy(None, "unknown", size.multiply_adds.reason)
    each = PICOJOULES[precision]
    source = (
        f"{size.multiply_adds.value:,.0f} multiply-adds of {each:g} pJ ({precision}, 45 nm, Horowitz 2014), "
        "no memory traffic"
    )
    return Energy(size.multiply_adds.value * each * 1e-12, "modelled", source)


def _read(package: Path, name: str) -> int:
    return int((package / name).read_text())
