"""A rule set that answers like a teacher: every rule that holds adds its points to the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.rules import Rule, Rules
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.conditions import Condition, Vocabulary, search
from kdaudit.surrogates.enquiry import NONE, Body, enquire
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.making import check, check_enquiry, made, parted
from kdaudit.surrogates.making import read as reading_of
from kdaudit.surrogates.readings import Wanted
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


@dataclass(frozen=True)
class RuleSet:
    """Recipe of a rule set with votes.

    Conditions of at most three tests are taken one after another, each the best for what the earlier ones leave over
    (boosting of rules: Cohen and Singer, 1999); after each the points of all are fitted anew by least squares, as in
    fully corrective boosting.  How many of them are kept is chosen on ``select``.

    Parameters
    ----------
    rules : int
        Most rules, the start of the votes included.
    slack : float
        The smallest set within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    queries : int
        New rows that are asked beyond ``fit`` and ``select``, for each of their rows.
    read : dict
        What to read off texts and pictures; see `kdaudit.surrogates.readings.Wanted`.
    tries, seconds
        Limits on the making, as of a tree.
    """

    rules: int = 16
    slack: float = 0.5
    queries: int = 0
    read: dict[str, Any] = field(default_factory=dict)
    tries: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        check("rule set", "one rule, its start", self.rules, self.slack)
        check_enquiry(self.queries)
        Wanted.parse(self.read)
        Limits(self.tries, self.seconds)

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
        """Return the rule set; see `kdaudit.question.ProxyRecipe`."""
        to_teacher = partial(ask, teacher)
        rows = parted(behaviour, parts["fit"], parts.get("select"), to_teacher, rng)
        fit, chosen_on = reading_of(rows, self.read)
        enquiry = enquire(behaviour, fit, chosen_on, to_teacher, queries=self.queries, leaves=self.rules, rng=rng)
        make = partial(_candidates, behaviour, rules=self.rules)
        every = (each for body in enquiry.ways(fit, chosen_on) for each in by_weight(make, body))
        found, cut = Limits(self.tries, self.seconds).taken(every)
        return made(behaviour, "rule set", found, (fit, chosen_on), self.slack, enquiry, cut)

    def words(self, subject: Surrogate | None = None) -> str:
        """Return what was made, in words; without it, what will be."""
        if subject is None:
            return f"set of at most {self.rules} rules that vote"
        n = len(subject.rules.rules)
        return f"set of {n} {'rule' if n == 1 else 'rules'} that vote"

    def size(self, subject: Surrogate) -> dict[str, int]:
        """Return how much there is to read."""
        return {"rules": len(subject.rules.rules), "terms": subject.rules.terms}


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
    every, cover = np.arange(len(rows)), max(1, int(COVER * len(rows)))
    price = PRICE * float(((targets - targets.mean(axis=0)) ** 2).sum())
    conditions: list[Condition] = []
    design = np.ones((len(rows), 1))
    points = _points(design, targets)
    yield _said(vocabulary, conditions, design, points, behaviour.outputs)
    while len(conditions) < rules - 1:
        # multiples of 2**-12 add up without rounding: the same sums in whatever order
        left = np.round((targets - design @ points) * 4096) / 4096
        values = np.column_stack([np.ones(len(rows)), left])
        found = search(vocabulary, every, values, partial(_cost, cover, len(rows)), price)
        if found is None:
            return
        held = found.holds(vocabulary.columns)
        if any((held == column.astype(bool)).all() for column in design.T):
            return
        conditions.append(found)
        design = np.column_stack([design, held])
        points = _points(design, targets)
        yield _said(vocabulary, conditions, design, points, behaviour.outputs)


def _cost(cover: int, n: int, sums: Floats) -> Floats:
    """Return minus what the squared error falls by where a condition covers rows with these sums."""
    count = sums[:, 0]
    gain = (sums[:, 1:] ** 2).sum(axis=1) / (count + RIDGE)
    return np.where((count >= cover) & (n - count >= cover), -gain, np.inf)


def _points(design: Floats, targets: Floats) -> Floats:
    """Return the points of each rule, the start first: ridge regression that leaves the start free."""
    gram = design.T @ design
    gram[np.arange(1, len(gram)), np.arange(1, len(gram))] += RIDGE
    out: Floats = np.round(np.linalg.solve(gram, design.T @ targets), DIGITS) + 0.0
    return out


def _said(
    vocabulary: Vocabulary, conditions: list[Condition], design: Floats, points: Floats, outputs: tuple[str, ...]
) -> Rules:
    rules = [
        Rule(condition.tests(vocabulary.columns), tuple(map(float, points[at + 1])), int(design[:, at + 1].sum()))
        for at, condition in enumerate(conditions)
    ]
    return Rules("set", (*rules, Rule((), tuple(map(float, points[0])), len(design))), outputs)
