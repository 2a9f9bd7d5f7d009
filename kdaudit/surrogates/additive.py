"""An additive model as rules that vote: each field adds points by where its value lies, and no field looks at another.

Fitted as an explainable boosting machine without interactions (Lou, Caruana and Gehrke, 2012), on the teacher's scores
themselves, so that the votes add up to a chance or a value and can be read as they stand.  The package `interpret-core`
fits it; what it found is written as rules, and the package is not needed to read or ask them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.enquiry import NONE, Body, enquire
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.making import check, check_enquiry, made, parted
from kdaudit.surrogates.making import read as reading_of
from kdaudit.surrogates.readings import Wanted
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Floats, Targets

BAGS = 4
"""Boosted models whose mean is taken."""
DIGITS = 4
"""Decimals of points: what is evaluated is what is read."""


@dataclass(frozen=True)
class Additive:
    """Recipe of an additive model.

    Parameters
    ----------
    fields : int
        Most fields that it looks at; which and how many is chosen on ``select``.
    bins : int
        Most parts that a number's range is cut into.
    slack : float
        The smallest model within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    queries : int
        New rows that are asked beyond ``fit`` and ``select``, for each of their rows.
    read : dict
        What to read off texts and pictures; see `kdaudit.surrogates.readings.Wanted`.
    tries, seconds
        Limits on the making, as of a tree.
    """

    fields: int = 5
    bins: int = 5
    slack: float = 0.5
    queries: int = 0
    read: dict[str, Any] = field(default_factory=dict)
    tries: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        check("model", "one field", self.fields, self.slack)
        check_enquiry(self.queries)
        Wanted.parse(self.read)
        Limits(self.tries, self.seconds)
        if not 2 <= self.bins <= 64:
            raise InvalidInput(f"a number is cut into 2 to 64 parts; {self.bins} were asked for")

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else decisions."""
        return frozenset()

    def extra(self, parts: Mapping[str, Samples]) -> int:
        """Return how many rows are asked at most beyond ``fit`` and ``select``."""
        return self.queries * sum(len(parts[name]) for name in ("fit", "select") if name in parts)

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
        to_teacher = partial(ask, teacher)
        rows = parted(behaviour, parts["fit"], parts.get("select"), to_teacher, rng)
        fit, chosen_on = reading_of(rows, self.read)
        enquiry = enquire(behaviour, fit, chosen_on, to_teacher, queries=self.queries, leaves=16, rng=rng)
        seed = int(rng.integers(2**31))
        every = (each for body in enquiry.ways(fit, chosen_on) for each in self._candidates(behaviour, body, seed))
        found, cut = Limits(self.tries, self.seconds).taken(every)
        return made(behaviour, "additive model", found, (fit, chosen_on), self.slack, enquiry, cut)

    def words(self, subject: Surrogate | None = None) -> str:
        """Return what was made, in words; without it, what will be."""
        n = self.fields if subject is None else len(subject.rules.fields)
        return f"additive model of {'at most ' if subject is None else ''}{n} {'field' if n == 1 else 'fields'}"

    def size(self, subject: Surrogate) -> dict[str, int]:
        """Return how much there is to read."""
        return {"rules": len(subject.rules.rules), "terms": subject.rules.terms}

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
    machine = _machine(rows, names, bins, seed)
    start = float(np.ravel(machine.intercept_)[0])
    out: list[Rule] = []
    for at, name in enumerate(names):
        points: NDArray[np.float64] = np.asarray(machine.term_scores_[at], dtype=np.float64)
        missing = rows.samples.domain[name].missing
        # a row without the value gets the start alone: so what it would get is moved there
        absent = float(points[0]) if missing else 0.0
        start += absent
        for test, worth in _tests(rows.samples.domain[name], machine.bins_[at][0], points):
            held = int(test.holds(rows.samples).sum())
            value = round(worth - absent, DIGITS) + 0.0
            if held and value:
                out.append(Rule((test,), (value,), held))
    return Rules("set", (*out, Rule((), (round(start, DIGITS) + 0.0,), len(rows))), behaviour.outputs)


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
