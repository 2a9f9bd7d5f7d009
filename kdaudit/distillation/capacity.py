"""How large a student has to be: fidelity of students of growing size, and the law that it follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.chance import rng as chance
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence, Row
from kdaudit.interval import Interval, unknown
from kdaudit.statistics.laws import Law, fit_law
from kdaudit.statistics.rates import mean

Floats = NDArray[np.float64]
FEWEST_SIZES, FEWEST_SEEDS = 4, 3
"""Three numbers make a law, so fewer than four sizes test none; fewer than three seeds give no band."""


@dataclass(frozen=True)
class Point:
    """Students of one size.

    Parameters
    ----------
    parameters : int
    values : array of shape (seeds,)
        Fidelity of each, such as agreement with the teacher.
    control : array of shape (seeds,), optional
        The same of a control student of each seed.
    """

    parameters: int
    values: Floats
    control: Floats | None = None


@dataclass(frozen=True)
class Capacity:
    """What growing students show.

    Parameters
    ----------
    points : tuple of Point
        By rising size.
    law : Law or None
        None where there are too few sizes or seeds; `reason` says so.
    smallest : int
        Position of the smallest student within one standard error of the best.
    reason : str
    """

    points: tuple[Point, ...]
    law: Law | None
    smallest: int
    reason: str = ""


def capacity(
    sizes: Sequence[Any],
    fidelity: Callable[[Any, int], tuple[int, float, float | None]],
    *,
    seeds: int = 5,
    rng: np.random.Generator | None = None,
) -> Capacity:
    """Make students of growing size, several of each, and fit the law of their errors.

    Parameters
    ----------
    sizes : sequence
        What `fidelity` takes: hidden layers, say.
    fidelity : callable
        ``(size, seed) -> (parameters, fidelity from 0 to 1, the same of a control or None)``: makes a student and
        measures it on rows that it did not learn.
    seeds : int
        Students of each size.
    rng : Generator, optional
        Of the bootstrap; None stands for the stream "capacity" of seed 0.

    Raises
    ------
    InvalidInput
        If there is no size or no seed, or two sizes have the same number of parameters.
    """
    if not sizes or seeds < 1:
        raise InvalidInput(f"{len(sizes)} sizes and {seeds} seeds; a curve needs at least one of each")
    points = sorted((_point(size, fidelity, seeds) for size in sizes), key=lambda p: p.parameters)
    counts = [p.parameters for p in points]
    if len(set(counts)) < len(counts):
        raise InvalidInput(f"students of {', '.join(map(str, counts))} parameters; sizes must differ")
    reason = _too_few(points, seeds)
    errors = [1 - p.values for p in points]
    law = None if reason else fit_law(counts, errors, rng=rng or chance(0, "capacity"))
    return Capacity(tuple(points), law, smallest_within(points), reason)


def _point(size: Any, fidelity: Callable[[Any, int], tuple[int, float, float | None]], seeds: int) -> Point:  # noqa: ANN401
    found = [fidelity(size, seed) for seed in range(seeds)]
    control = [c for _, _, c in found if c is not None]
    return Point(found[0][0], np.array([v for _, v, _ in found]), np.array(control) if len(control) == seeds else None)


def _too_few(points: Sequence[Point], seeds: int) -> str:
    if len(points) < FEWEST_SIZES:
        return f"{len(points)} sizes; a law of three numbers needs at least {FEWEST_SIZES}"
    if seeds < FEWEST_SEEDS:
        return f"{seeds} students of each size; a band needs at least {FEWEST_SEEDS}"
    return ""


def smallest_within(points: Sequence[Point]) -> int:
    """Return the position of the smallest student whose mean is within one standard error of the best (Breiman 1984).

    The standard error is that of the best; with one seed the best itself is taken.
    """
    means = np.array([p.values.mean() for p in points])
    best = int(means.argmax())
    n = len(points[best].values)
    error = points[best].values.std(ddof=1) / math.sqrt(n) if n > 1 else 0.0
    return int(np.flatnonzero(means >= means[best] - error)[0])


def evidence(found: Capacity, *, name: str, title: str, about: str = "rows that chose among them") -> Evidence:
    """Return a curve as evidence: a row for each size, the law and the picture's numbers.

    Parameters
    ----------
    found : Capacity
    name : str
        Of the proxy in the plan.
    title : str
        The question in words.
    about : str
        On which rows fidelity was measured.
    """
    rows = tuple(_row(point) for point in found.points)
    arrays = {"parameters": np.array([p.parameters for p in found.points], dtype=np.float64)}
    context: dict[str, Any] = {
        "population": about,
        "smallest": int(found.points[found.smallest].parameters),
        "sentences": [sentence(found), *([] if found.law is None else [law_words(found.law)])],
        "law": None,
        "reason": found.reason,
    }
    if found.law is not None:
        law = found.law
        arrays |= {
            "law_parameters": law.sizes,
            "law": 1 - law.error,
            "law_low": 1 - law.high,
            "law_high": 1 - law.low,
        }
        context["law"] = {key: getattr(law, key).to_data() for key in ("e", "a", "b")}
        context["gain"] = [interval.to_data() for interval in law.gain]
    return Evidence("", title, rows, (), context, arrays, "curve", name)


def sentence(found: Capacity) -> str:
    """Return what the curve says in words."""
    point, largest = found.points[found.smallest], found.points[-1]
    text = (
        f"The smallest student within one standard error of the best has {point.parameters:,} parameters "
        f"(tried: up to {largest.parameters:,})"
    )
    if found.law is None:
        return f"{text}; no law is fitted: {found.reason}"
    doubled = found.law.gain[found.smallest]
    return f"{text}; doubling it would add {doubled.text('points')} of agreement by the fitted law"


def law_words(law: Law) -> str:
    """Return the fitted law with its numbers."""
    left, steep = law.e.text("percent"), law.b.text()
    return f"By the law e + a N^-b, {left} of rows would be left at any size, and the rest falls with b = {steep}"


def _row(point: Point) -> Row:
    span = (0.0, 1.0)
    value = _over_seeds(point.values, span)
    control = None if point.control is None else _over_seeds(point.control, span)
    excess = None if point.control is None else _over_seeds(point.values - point.control, (-1.0, 1.0))
    return Row(
        "agreement",
        f"{point.parameters:,} parameters",
        "proxy",
        value,
        "percent",
        control=control,
        excess=excess,
        control_kind="none" if control is None else "label_only",
        no_control="" if control is not None else "there are no recorded outcomes to make a control from",
        no_ceiling="a student has no twin",
        title="Agreement with the teacher by size",
    )


def _over_seeds(values: Floats, span: tuple[float, float]) -> Interval:
    if len(values) < FEWEST_SEEDS:
        return unknown(f"{len(values)} students; a band needs at least {FEWEST_SEEDS}", len(values))
    return mean(values, span=span)
