"""What a comparison of reasons says beside its table: errors, nulls, sanity, and sentences for the report."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.cast import Cast, Empty
from kdaudit.compare.crossing import Crossed
from kdaudit.compare.seats import Explained, Method, Task, exchanged, is_network, some_rows, strangers_of
from kdaudit.compare.vocabulary import by_unit
from kdaudit.compare.ways import attributed
from kdaudit.compare.words import ONE_STRANGER, capital, rival
from kdaudit.errors import KdauditError
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.omissions import BASELINE
from kdaudit.finding import Claim
from kdaudit.interval import Interval, unknown
from kdaudit.measures.ranks import LIKENESS, among, spearman
from kdaudit.samples import Samples
from kdaudit.statistics.beside import Beside
from kdaudit.statistics.gaps import paired
from kdaudit.statistics.rates import critical, mean
from kdaudit.statistics.strangers import excess_over
from kdaudit.subject import Ask

SPECIAL = {
    "in": "Special pieces (such as those at both ends of a text) and those of a prompt count as one unit; to whoever "
    "reads none it is worth nothing.",
    "out": "Special pieces (such as those at both ends of a text) and those of a prompt stay where they are, without a "
    "share.",
}
DRAWS = 99
"""Exchanges of rows by chance."""
Floats = NDArray[np.float64]


def claim(cast: Cast, item: Beside, margin: float, *, units: str = "fields") -> Claim:
    """Return the claim that the proxy has more of the teacher's reasons than whoever is beside it."""
    beside = rival(item, "its reasons for other rows")
    more = "" if item.excess is None else f", {item.excess.text(signed=True)} beside {beside}"
    return Claim(
        text=capital(f"the {cast.proxy_name} has more of this teacher's reasons than {beside}"),
        measure=item.measure.name,
        group=item.group,
        form="above control",
        margin=margin,
        about="proxy",
        found=capital(
            f"the {cast.proxy_name} orders the {units} as the teacher does with a rank correlation of "
            f"{item.value.text()}{more}."
        ),
        minimum=30,
    )


def context(
    samples: Samples,
    task: Task,
    seats: Explained,
    null: NDArray[np.int64],
    apart: bool,  # noqa: FBT001
) -> dict[str, Any]:
    """Return population, method, baseline, errors and each field's mean weight, as plain data."""
    known = {name: seat for name, seat in seats.items() if isinstance(seat, Attributions)}
    first = next(iter(known.values()), None)
    rest = "the rows of this part that are not explained" if apart else "all rows of this part"
    out: dict[str, Any] = {
        "population": samples.origin.name,
        "rows": len(task.rows),
        "background_rows": len(task.background),
        "units": list(samples.domain.names if first is None else by_unit(first)),
        "missing": {name: seat.reason for name, seat in seats.items() if isinstance(seat, Empty)},
        "errors": dict(_errors(known)),
        "null": dict(_exchanged(known, null)),
        "mean_absolute": {
            name: {unit: _average(np.abs(values)).to_data() for unit, values in by_unit(seat).items()}
            for name, seat in known.items()
        },
        "mean_signed": {
            name: {unit: _average(values).to_data() for unit, values in by_unit(seat).items()}
            for name, seat in known.items()
        },
        "methods": {name: seat.method for name, seat in known.items()},
    }
    if first is not None:
        if first.words and first.baseline != BASELINE:
            out["special"] = "in" if task.special else "out"
        baseline = first.baseline if first.words else f"{first.baseline}: {rest}"
        out |= {"method": first.method, "scale": first.scale, "baseline": baseline}
    return out


def _average(values: Floats) -> Interval:
    """Return the mean of shares; where all are alike, as those of a field never tested, nothing is open."""
    if len(values) and np.ptp(values) == 0:
        return Interval(float(values[0]), float(values[0]), float(values[0]), len(values), 0.95, "the same in all rows")
    return mean(values, span=(-math.inf, math.inf))


def _errors(known: dict[str, Attributions]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each seat's median relative error and, where the method promises a sum, the mean gap to it."""
    for name, seat in known.items():
        numbers = {"relative_error": seat.relative_error, "mean_gap": seat.mean_gap}
        yield name, {key: value for key, value in numbers.items() if np.isfinite(value)}


def _exchanged(known: dict[str, Attributions], null: NDArray[np.int64]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the teacher's reasons for one row are worth beside the proxy's for another row of the same class."""
    if {"teacher", "proxy"} <= set(known):
        for likeness in LIKENESS:
            teacher = known["teacher"]
            values = among(likeness.function, teacher.counts)(teacher.values, known["proxy"].values[null])
            yield likeness.name, mean(values).to_data()


def nulls(
    seats: Explained, null: NDArray[np.int64], told: NDArray[np.int64], items: list[Beside], rng: np.random.Generator
) -> dict[str, Any]:
    """Return value, null with its spread, excess and p of the rank correlation, against each null.

    "rows": the proxy's reasons for another row of the same decision, exchanged anew `DRAWS` times; p counts how often
    that is as high as the value.  "stranger": the excess over strangers; of one stranger the signs of the rows' excess
    are turned by chance, and p speaks of these rows and not of other strangers.
    """
    teacher, proxy = seats["teacher"], seats["proxy"]
    if isinstance(teacher, Empty) or isinstance(proxy, Empty) or not len(teacher):
        return {}
    alike = among(spearman, teacher.counts)
    value = alike(teacher.values, proxy.values)
    if np.isnan(value).all():
        return {}
    chance = [null, *(exchanged(told, rng) for _ in range(DRAWS - 1))]
    means = np.array([np.nanmean(alike(teacher.values, proxy.values[rows])) for rows in chance])
    level = float(np.nanmean(value))
    out: dict[str, Any] = {
        "rows": {
            "value": level,
            "null": float(means.mean()),
            "low": float(np.quantile(means, 0.025)),
            "high": float(np.quantile(means, 0.975)),
            "excess": level - float(means.mean()),
            "p": float((1 + (means >= level).sum()) / (1 + len(means))),
        }
    }
    if items[0].excess is not None and items[0].excess.known and items[0].strangers:
        others = [seats[name] for name in strangers_of(seats)]
        likeness = [alike(teacher.values, one.values) for one in others if isinstance(one, Attributions)]
        out["stranger"] = _beside_strangers(value, np.stack(likeness), items[0].excess, rng)
    return out


def _beside_strangers(value: Floats, others: Floats, excess: Interval, rng: np.random.Generator) -> dict[str, Any]:
    level = float(np.nanmean(value))
    out = {"value": level, "null": level - excess.value, "excess": excess.value, "low": excess.low, "high": excess.high}
    if len(others) > 1:
        return out | {"p": excess_over(value, others)[1]}
    more = value - others[0]
    more = more[~np.isnan(more)]
    signs = rng.choice([-1.0, 1.0], (999, len(more)))
    return out | {"p": (1 + int((signs @ more >= more.sum() - 1e-12).sum())) / 1000}


def crossing(tried: Crossed | Empty) -> dict[str, Any]:
    """Return faithfulness of each subject on itself, and of each order on the teacher, as plain data."""
    if isinstance(tried, Empty):
        return {"reason": tried.reason}
    own = {
        name: {
            "insertion": mean(curve.insertion).to_data(),
            "deletion": mean(curve.deletion).to_data(),
            "comprehensiveness": mean(curve.comprehensiveness).to_data(),
            "sufficiency": mean(curve.sufficiency).to_data(),
            "span": mean(curve.span).to_data(),
            "random_span": mean(chance.span).to_data(),
            "excess": paired(curve.span, chance.span).to_data(),
        }
        for name, (curve, chance) in tried.on_itself.items()
    }
    chance = tried.on_teacher["random"].span
    whole = tried.on_teacher["teacher"].span - chance
    shares = {
        name: share(curve.span - chance, whole).to_data()
        for name, curve in tried.on_teacher.items()
        if name != "random"
    }
    spans = {name: mean(curve.span).to_data() for name, curve in tried.on_teacher.items()}
    return {"own": own, "on_teacher": spans, "share_of_own": shares, "missing": tried.missing}


def share(some: Floats, whole: Floats, level: float = 0.95) -> Interval:
    """Return the ratio of two means over the same rows (Fieller 1954).

    Parameters
    ----------
    some, whole : array of shape (n,)
        What one order gains over a random one, and what the teacher's own gains.
    level : float

    Returns
    -------
    Interval
        Unknown where the second mean's interval holds 0.
    """
    n = len(some)
    if n < 2:
        return unknown("fewer than two rows", n, level)
    a, b = float(some.mean()), float(whole.mean())
    (vaa, vab), (_, vbb) = np.cov(some, whole) / n
    q = critical(level, n - 1) ** 2
    if b * b <= q * vbb:
        return unknown("the teacher's own order gains no more than a random one", n, level)
    # ends are the ratios r for which a - r b is as far from 0 as the level allows
    middle, edge = a * b - q * vab, b * b - q * vbb
    root = float(np.sqrt(max(middle**2 - edge * (a * a - q * vaa), 0.0)))
    return Interval(a / b, (middle - root) / edge, (middle + root) / edge, n, level, "Fieller")


def sanity(method: Method, cast: Cast, task: Task, ask: Ask, most: int) -> dict[str, Any]:
    """Return how alike the teacher's reasons stay while its weights are made random from the output downwards."""
    if not is_network(cast.teacher):
        return {"reason": f"{cast.teacher.identity.name} has no weights that could be made random"}
    from kdaudit.explain.forgetting import forgetting

    some = some_rows(task, cast.teacher, most)
    counts: list[NDArray[np.int64] | None] = []

    def attribute(network: Any) -> Floats:  # noqa: ANN401 - a network; naming it here would load torch
        found = attributed(method, network, some, ask)
        if isinstance(found, Empty):
            raise KdauditError(found.reason)
        counts.append(found.counts)
        return found.values

    def alike(a: Floats, b: Floats) -> Floats:
        return among(spearman, counts[0])(a, b)

    if method in ("occlusion", "permutation"):
        return {"reason": f"{method} asks the teacher through the store, which has no answers of a random one"}
    try:
        stages = forgetting(cast.teacher, attribute, alike, task.rng())  # type: ignore[arg-type]
    except KdauditError as error:
        return {"reason": str(error)}
    return {
        "stages": [{"layers": s.layers, "of": s.of, "spearman": mean(s.likeness).to_data()} for s in stages],
        "rows": len(some.rows),
    }


def sentences(found: dict[str, Any], cast: Cast, item: Beside) -> Iterator[str]:
    """Yield what a reader must know below the numbers."""
    if "method" in found:
        ways = dict.fromkeys(found["methods"].values())
        ends = f"scale: {found['scale']}; baseline: {found['baseline']}"
        yield f"Reasons by {'; '.join(ways)}; output: {found['output']}; {ends}."
    if "special" in found:
        yield SPECIAL[found["special"]]
    beside = rival(item, "its reasons for other rows")
    theirs = beside if item.control_kind == "permuted" else f"those of {beside}"
    if item.excess is not None and item.excess.known and item.excess.low <= 0 <= item.excess.high:
        yield (
            f"The {cast.proxy_name}'s reasons are no more alike to this teacher's than {theirs}: the excess "
            f"{item.excess.text(signed=True)} holds 0. That it answers alike says nothing of its reasons."
        )
    elif item.excess is not None and item.strangers == 1:
        yield ONE_STRANGER
    rows = found["nulls"].get("rows")
    if rows:
        yield (
            f"With the {cast.proxy_name}'s reasons exchanged between rows of one decision, the rank correlation is "
            f"{rows['null']:.3f} ({rows['low']:.3f} to {rows['high']:.3f}) instead of {rows['value']:.3f} "
            f"(p = {rows['p']:.2g}).".replace("-", "−")
        )
    share = found["crossed"].get("share_of_own", {}).get("proxy")
    if share is not None:
        words = Interval.from_data(share)
        yield (
            f"Tried on the teacher, the {cast.proxy_name}'s order of {found['unit']} gains "
            f"{words.text('percent')} of what the teacher's own order gains over a random one."
            if words.known
            else f"The teacher's own order of {found['unit']} gains no more than a random one; orders cannot be "
            "compared on it."
        )
    stages = found["sanity"].get("stages")
    if stages:
        last = Interval.from_data(stages[-1]["spearman"])
        yield (
            f"With all its weights in random order, the teacher's reasons have a rank correlation of {last.text()} "
            "with those of the trained teacher: the method "
            + ("notices what was learned." if last.known and last.high < 0.5 else "hardly notices it.")
        )
