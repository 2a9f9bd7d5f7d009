"""A rule set that answers like a teacher: every rule that holds adds its points to the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import lsq_linear

from kdaudit.behaviour import Behaviour
from kdaudit.rules import Rule, Rules
from kdaudit.samples import Samples
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.conditions import Condition, Vocabulary, search
from kdaudit.surrogates.enquiry import NONE, Body, Trial
from kdaudit.surrogates.making import check
from kdaudit.surrogates.monotone import directions, lift
from kdaudit.surrogates.recipes import Family, RulesRecipe, distilled
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Floats, Targets
from kdaudit.surrogates.weighting import by_weight

COVER = 0.01
"""Share of the rows that a rule must cover at least."""
PRICE = 1e-3
"""What a further test must save, as a share of the squared error before any rule."""
RIDGE = 1.0
"""Rows of no points that each rule's points are fitted with, so that rare rules do not shout."""
DIGITS = 4
"""Decimals of a rule's points: what is evaluated is what is read."""


@dataclass(frozen=True, kw_only=True)
class RuleSet(RulesRecipe):
    """Recipe of a rule set with votes; for further keys see `kdaudit.surrogates.recipes.RulesRecipe`.

    Conditions of at most three tests are taken one after another, each the best for what the earlier ones leave over
    (boosting of rules: Cohen and Singer, 1999); after each the points of all are fitted anew by least squares, as in
    fully corrective boosting.  How many of them are kept is chosen on ``select``.  Where the domain calls a field
    monotone, no vote moves an answer the other way.

    Parameters
    ----------
    rules : int
        Most rules, the start of the votes included.
    """

    rules: int = 16

    def __post_init__(self) -> None:
        check("rule set", "one rule, its start", self.rules, self.slack)
        super().__post_init__()

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the rule set; see `kdaudit.question.ProxyRecipe`."""
        make = partial(by_weight, partial(_candidates, behaviour, rules=self.rules))
        rows = (parts["fit"], parts.get("select"))
        return distilled(
            behaviour, Family("rule set", Trial(self.rules), make), rows, partial(ask, teacher), self.care, rng
        )


def _candidates(behaviour: Behaviour, body: Body, rules: int) -> Iterator[Candidate]:
    start = "" if body.name == NONE else f"{body.name}, "
    for length, found in enumerate(_sets(behaviour, body.rows, rules)):
        again = None if body.whole is None else partial(_again, behaviour, body.whole, length)
        yield Candidate(f"{start}voted on scores", found, again)


def _again(behaviour: Behaviour, rows: Targets, length: int) -> Rules:
    return list(_sets(behaviour, rows, length + 1))[-1]


def _sets(behaviour: Behaviour, rows: Targets, rules: int) -> Iterator[Rules]:
    """Yield the sets of 1, 2, ... rules, each the one before with a condition more."""
    # votes on decisions would decide a little better, and their sum would be no score of the teacher's
    targets = rows.score
    without = () if behaviour.contrast is None else (behaviour.contrast.field,)
    vocabulary = Vocabulary.of(columns_of(rows.samples, without=without), rows.score)
    signs = _Signs.of(vocabulary, directions(behaviour))
    cover = max(1, int(COVER * len(rows)))
    price = PRICE * float(((targets - targets.mean(axis=0)) ** 2).sum())
    conditions: list[Condition] = []
    design = np.ones((len(rows), 1))
    points = _points(design, targets, [])
    yield _said(vocabulary, conditions, design, points, behaviour.outputs)
    while len(conditions) < rules - 1:
        # multiples of 2**-12 add up without rounding: the same sums in whatever order
        left = np.round((targets - design @ points) * 4096) / 4096
        found = signs.best(np.column_stack([np.ones(len(rows)), left]), cover, price)
        if found is None:
            return
        held = found.holds(vocabulary.columns)
        if any((held == column.astype(bool)).all() for column in design.T):
            return
        conditions.append(found)
        design = np.column_stack([design, held])
        points = _points(design, targets, [signs.of_condition(one) for one in conditions])
        yield _said(vocabulary, conditions, design, points, behaviour.outputs)


@dataclass(frozen=True, eq=False)
class _Signs:
    """The vocabulary, and the sign that the points of each of its literals may have.

    A vote of which every test goes one way moves answers one way: so votes that may add look at the tests that hold
    from some value up in fields where answers rise, votes that may take away at those that hold up to some value.
    """

    vocabulary: Vocabulary
    rising: dict[int, int]
    halves: tuple[tuple[int, Vocabulary], ...]

    @classmethod
    def of(cls, vocabulary: Vocabulary, rising: dict[str, int]) -> _Signs:
        """Return the signs by the fields' directions; one half of everything where no field has one."""
        columns = {at: rising[c.field.name] for at, c in enumerate(vocabulary.columns) if c.field.name in rising}
        if not columns:
            return cls(vocabulary, columns, ((0, vocabulary),))
        own = [lift(x.codes, columns[x.column]) if x.column in columns else 0 for x in vocabulary.literals]
        halves = []
        for sign in (1, -1):
            kept = [at for at, one in enumerate(own) if one in (0, sign)]
            literals = tuple(vocabulary.literals[at] for at in kept)
            halves.append((sign, Vocabulary(vocabulary.columns, literals, vocabulary.holds[kept])))
        return cls(vocabulary, columns, tuple(halves))

    def of_condition(self, condition: Condition) -> int:
        """Return the sign that a vote's points may have; 0 for any."""
        own = (lift(x.codes, self.rising[x.column]) for x in condition.literals if x.column in self.rising)
        return next((sign for sign in own if sign), 0)

    def best(self, values: Floats, cover: int, price: float) -> Condition | None:
        """Return the condition that saves most squared error of what is left over; None where none may be added."""
        every = np.arange(len(values))
        found = []
        for sign, half in self.halves:
            cost = partial(_cost, cover, len(values), sign)
            one = search(half, every, values, cost, price) if half.literals else None
            if one is not None:
                sums = values[one.holds(half.columns)].sum(axis=0, keepdims=True)
                found.append((float(cost(sums)[0]) + price * len(one.literals), one))
        return min(found, key=lambda item: item[0], default=(0.0, None))[1]


def _cost(cover: int, n: int, sign: int, sums: Floats) -> Floats:
    """Return minus what the squared error falls by where a condition covers rows with these sums.

    With a sign, conditions whose points would have the other one are not allowed.
    """
    count = sums[:, 0]
    gain = (sums[:, 1:] ** 2).sum(axis=1) / (count + RIDGE)
    allowed = (count >= cover) & (n - count >= cover)
    return np.where(allowed & (sign * sums[:, 1] >= 0), -gain, np.inf)


def _points(design: Floats, targets: Floats, signs: list[int]) -> Floats:
    """Return the points of each rule, the start first: ridge regression that leaves the start free.

    Points of a rule with a sign are not of the other sign: least squares within bounds (Stark and Parker, 1995), by the
    Cholesky factor of the normal equations.
    """
    gram = design.T @ design
    gram[np.arange(1, len(gram)), np.arange(1, len(gram))] += RIDGE
    if not any(signs):
        free: Floats = np.round(np.linalg.solve(gram, design.T @ targets), DIGITS) + 0.0
        return free
    factor = np.linalg.cholesky(gram)
    right = np.linalg.solve(factor, design.T @ targets[:, 0])
    low = [-np.inf, *(0.0 if sign > 0 else -np.inf for sign in signs)]
    high = [np.inf, *(0.0 if sign < 0 else np.inf for sign in signs)]
    bounded: Floats = np.round(lsq_linear(factor.T, right, (low, high), method="bvls").x, DIGITS)[:, None] + 0.0
    return bounded


def _said(
    vocabulary: Vocabulary, conditions: list[Condition], design: Floats, points: Floats, outputs: tuple[str, ...]
) -> Rules:
    rules = [
        Rule(condition.tests(vocabulary.columns), tuple(map(float, points[at + 1])), int(design[:, at + 1].sum()))
        for at, condition in enumerate(conditions)
        if points[at + 1].any()
    ]
    return Rules("set", (*rules, Rule((), tuple(map(float, points[0])), len(design))), outputs)
