"""An additive model as rules that vote: each field adds points by where its value lies, and no field looks at another.

Fitted as an explainable boosting machine without interactions (Lou, Caruana and Gehrke, 2012), on the teacher's scores
themselves, so that the votes add up to a chance or a value and can be read as they stand.  The package `interpret-core`
fits it; what it found is written as rules, and the package is not needed to read or ask them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Samples
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.enquiry import NONE, Body, Trial
from kdaudit.surrogates.making import check
from kdaudit.surrogates.monotone import directions, isotonic
from kdaudit.surrogates.recipes import Family, RulesRecipe, distilled
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Floats, Targets

BAGS = 4
"""Boosted models whose mean is taken."""
TRIAL = 16
"""Most leaves of the trial trees that tell which new rows serve."""
LIGHT = 1e-6
"""What a part of a range without rows weighs, beside rows that weigh 1."""
DIGITS = 4
"""Decimals of points: what is evaluated is what is read."""


@dataclass(frozen=True, kw_only=True)
class Additive(RulesRecipe):
    """Recipe of an additive model; for further keys see `kdaudit.surrogates.recipes.RulesRecipe`.

    Where the domain calls a field monotone, the points of its parts rise, or fall, along it.

    Parameters
    ----------
    fields : int
        Most fields that it looks at; which and how many is chosen on ``select``.
    bins : int
        Most parts that a number's range is cut into.
    """

    fields: int = 5
    bins: int = 5

    def __post_init__(self) -> None:
        check("model", "one field", self.fields, self.slack)
        super().__post_init__()
        if not 2 <= self.bins <= 64:
            raise InvalidInput(f"a number is cut into 2 to 64 parts; {self.bins} were asked for")

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the model; see `kdaudit.question.ProxyRecipe`.

        Raises
        ------
        InvalidInput
            If there are several outputs, or the package is not installed.
        """
        if len(behaviour.outputs) > 1:
            raise InvalidInput(f"an additive model adds up one score; {behaviour.name!r} has {len(behaviour.outputs)}")
        # drawn when first needed, after the rows
        seed = cache(lambda: int(rng.integers(2**31)))
        family = Family("additive model", Trial(TRIAL), lambda body: self._candidates(behaviour, body, seed()))
        return distilled(behaviour, family, (parts["fit"], parts.get("select")), partial(ask, teacher), self.care, rng)

    def _candidates(self, behaviour: Behaviour, body: Body, seed: int) -> Iterator[Candidate]:
        start = "" if body.name == NONE else f"{body.name}, "
        names = _told_apart(body.rows, behaviour)
        ranked = _ranked(body.rows, names, self.bins, seed) if names else []
        for most in range(min(self.fields, len(ranked)) + 1):
            chosen = [name for name in names if name in ranked[:most]]
            again = None if body.whole is None else partial(_rules, behaviour, body.whole, chosen, self.bins, seed)
            rules = _rules(behaviour, body.rows, chosen, self.bins, seed)
            yield Candidate(f"{start}boosted on scores of {most} fields", rules, again)


def _told_apart(rows: Targets, behaviour: Behaviour) -> list[str]:
    """Return the fields with at least two values."""
    without = () if behaviour.contrast is None else (behaviour.contrast.field,)
    # raises on texts and pictures that nothing was read off
    columns = columns_of(rows.samples, without=without)
    return [column.field.name for column in columns if len(np.unique(column.codes)) > 1]


def _machine(rows: Targets, names: list[str], bins: int, seed: int) -> Any:  # noqa: ANN401 - a class of the package
    try:
        from interpret.glassbox import ExplainableBoostingRegressor
    except ImportError as error:
        raise InvalidInput("additive models need a further package: pip install kdaudit[additive]") from error
    items = [rows.samples.domain[name] for name in names]
    kinds = ["nominal" if isinstance(item, Category) and not item.ordered else "continuous" for item in items]
    columns = [_column(rows.samples, name) for name in names]
    machine = ExplainableBoostingRegressor(
        feature_names=names,
        feature_types=kinds,
        interactions=0,
        max_bins=bins + 2,
        outer_bags=BAGS,
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # it warns of missing values, which its pictures cannot show; the rules below say them
        warnings.simplefilter("ignore")
        return machine.fit(np.stack(columns, axis=1), rows.score[:, 0], sample_weight=rows.weight)


def _column(samples: Samples, name: str) -> Floats:
    column = samples.columns[name].astype(np.float64)
    return np.where(column == -1, np.nan, column) if isinstance(samples.domain[name], Category) else column


def _ranked(rows: Targets, names: list[str], bins: int, seed: int) -> list[str]:
    """Return the fields, those that move the answer most first."""
    weight = [float(x) for x in _machine(rows, names, bins, seed).term_importances()]
    return [
        name
        for _, _, name in sorted(
            (-round(w, 9), at, name) for at, (w, name) in enumerate(zip(weight, names, strict=True))
        )
    ]


def _rules(behaviour: Behaviour, rows: Targets, names: list[str], bins: int, seed: int) -> Rules:
    if not names:
        return Rules("set", (Rule((), rows.answer(np.arange(len(rows))), len(rows)),), behaviour.outputs)
    machine, rising = _machine(rows, names, bins, seed), directions(behaviour)
    start = float(np.ravel(machine.intercept_)[0])
    out: list[Rule] = []
    for at, name in enumerate(names):
        points: NDArray[np.float64] = np.asarray(machine.term_scores_[at], dtype=np.float64)
        missing = rows.samples.domain[name].missing
        # a row without the value gets the start alone: so what it would get is moved there
        absent = float(points[0]) if missing else 0.0
        start += absent
        told = list(_tests(rows.samples.domain[name], machine.bins_[at][0], points))
        held = [test.holds(rows.samples) for test, _ in told]
        worths = np.array([worth for _, worth in told])
        if name in rising:
            worths = _rising(worths, rising[name], [_weight(rows, some) for some in held])
        for (test, _), some, worth in zip(told, held, worths, strict=True):
            value = round(float(worth) - absent, DIGITS) + 0.0
            # a part of a range that must rise is kept where no row lies: without it the answer would fall there
            if value and (some.any() or name in rising):
                out.append(Rule((test,), (value,), int(some.sum())))
    return Rules("set", (*out, Rule((), (round(start, DIGITS) + 0.0,), len(rows))), behaviour.outputs)


def _weight(rows: Targets, some: NDArray[np.bool_]) -> float:
    return float(some.sum() if rows.weight is None else rows.weight[some].sum())


def _rising(worths: Floats, direction: int, weights: list[float]) -> Floats:
    """Return the points nearest to those of the parts of a range that rise, or fall, along it.

    What is put in order after boosting cannot be made up for by another field (so the package's own manual advises).
    """
    chain = [(at, at + 1) for at in range(len(worths) - 1)]
    return direction * isotonic(direction * worths, np.maximum(weights, LIGHT), chain)


def _tests(item: object, bins: Any, points: Floats) -> Iterator[tuple[Test, float]]:  # noqa: ANN401 - as the package has them
    """Yield the test of each part of a field, and its points."""
    if isinstance(item, Category) and not item.ordered:
        by_points: dict[float, list[str]] = {}
        for code, level in enumerate(item.levels):
            place = bins.get(str(float(code)), bins.get(str(code)))
            if place is not None:
                by_points.setdefault(round(float(points[place]), DIGITS), []).append(level)
        for worth, levels in by_points.items():
            yield Test(item.name, levels=tuple(levels)), worth
        return
    assert isinstance(item, Real | Category)
    ends = [None, *(_below(float(cut), item) for cut in bins), None]
    for place, (low, high) in enumerate(pairwise(ends), 1):
        if low is not None or high is not None:
            yield Test(item.name, above=low, below=high), float(points[place])


def _below(cut: float, item: Real | Category) -> float:
    """Return a cut such that a value equal to the machine's lies above it, as there, and not at most it."""
    whole = isinstance(item, Category) or item.integer
    return float(np.ceil(cut)) - 0.5 if whole else float(np.nextafter(cut, -np.inf))
