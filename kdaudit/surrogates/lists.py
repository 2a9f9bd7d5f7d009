"""A rule list that answers like a teacher: read from the top, the first rule that holds answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import Signal
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.conditions import Vocabulary
from kdaudit.surrogates.making import check, made, parted
from kdaudit.surrogates.sequences import grow, listed, revised
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Targets, TeacherAsk

COVER = 0.01
"""Share of the rows that a rule must cover at least."""
PATIENCE = (1.0, 0.6)
"""Weights of the rows left to later rules; see `kdaudit.surrogates.sequences.grow`."""


def rule_list(
    behaviour: Behaviour,
    samples: Samples,
    ask: TeacherAsk,
    *,
    rules: int = 16,
    select: Samples | None = None,
    slack: float = 0.5,
    rng: np.random.Generator,
) -> Surrogate:
    """Return a rule list that answers as the teacher does.

    Rules of at most three tests are taken greedily, each the best for the rows that no earlier one covers (separate and
    conquer: Fuernkranz, 1999), on the teacher's scores and on its decisions; then each is chosen anew with all others
    held.  Which list, and how many of its rules, is chosen on `select`.  A missing value passes a test only where the
    test says so.

    Parameters
    ----------
    behaviour : Behaviour
    samples : Samples
        Rows to make it from.
    ask : callable
        ``partial(behaviour.through(store.ask), teacher)``.
    rules : int
        Most rules, the default at the end included.
    select : Samples, optional
        Rows to choose on; without them a quarter of `samples`, by chance, is kept back.
    slack : float
        The smallest body within so many standard errors of the best is taken; 0 takes the best.
    rng : Generator

    Raises
    ------
    InvalidInput
        If `rules` is below 1 or `slack` below 0, no row was answered, or a field is neither a number nor a category.
    """
    check("rule list", "one rule, its default", rules, slack)
    fit, chosen_on = parted(behaviour, samples, select, ask, rng)
    without = () if behaviour.contrast is None else (behaviour.contrast.field,)
    vocabulary = Vocabulary.of(columns_of(fit.samples, without=without), fit.score)
    candidates = _candidates(vocabulary, fit, behaviour.outputs, rules)
    return made(behaviour, "rule list", candidates, (fit, chosen_on), slack)


def _candidates(vocabulary: Vocabulary, fit: Targets, outputs: tuple[str, ...], rules: int) -> list[Candidate]:
    cover = max(1, min(int(COVER * len(fit)), len(fit) // (4 * rules)))
    ways = {"scores": fit.score} if fit.numeric else {"scores": fit.score, "decisions": fit.classes}
    out = [Candidate("default alone", Rules("list", listed(vocabulary, (), fit), outputs))]
    for way, targets in ways.items():
        for patience in PATIENCE:
            conditions = grow(vocabulary, targets, rules - 1, cover, patience)
            name = f"grown on {way}, patience {patience:g}"
            bodies = [(name, conditions[:length]) for length in range(1, len(conditions) + 1)]
            if not fit.numeric and conditions:
                again = revised(vocabulary, conditions, fit, cover)
                bodies += [(f"{name}, revised", again[:length]) for length in range(1, len(again) + 1)]
            out += [Candidate(name, Rules("list", listed(vocabulary, body, fit), outputs)) for name, body in bodies]
    return out


@dataclass(frozen=True)
class RuleList:
    """Recipe of a rule list.

    Parameters
    ----------
    rules : int
        Most rules, the default included.
    slack : float
        The shortest list within so many standard errors of the best on ``select`` is taken; 0 takes the best.
    """

    rules: int = 16
    slack: float = 0.5

    def __post_init__(self) -> None:
        check("rule list", "one rule, its default", self.rules, self.slack)

    @property
    def signals(self) -> frozenset[Signal]:
        """None in particular: scores where the teacher gives them, else decisions."""
        return frozenset()

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the rule list; see `kdaudit.question.ProxyRecipe`."""
        return rule_list(
            behaviour,
            parts["fit"],
            partial(ask, teacher),
            rules=self.rules,
            select=parts.get("select"),
            slack=self.slack,
            rng=rng,
        )

    def words(self, subject: Surrogate | None = None) -> str:
        """Return what was made, in words; without it, what will be."""
        if subject is None:
            return f"list of at most {self.rules} rules"
        n = len(subject.rules.rules)
        return f"list of {n} {'rule' if n == 1 else 'rules'}"

    def size(self, subject: Surrogate) -> dict[str, int]:
        """Return how much there is to read."""
        return {"rules": len(subject.rules.rules), "terms": subject.rules.terms}
