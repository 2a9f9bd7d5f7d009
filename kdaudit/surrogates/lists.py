"""A rule list that answers like a teacher: read from the top, the first rule that holds answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from kdaudit.behaviour import Behaviour
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.subject import Ask, Subject
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.conditions import Condition, Vocabulary
from kdaudit.surrogates.enquiry import NONE, Body, Trial
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.making import check
from kdaudit.surrogates.monotone import in_order
from kdaudit.surrogates.recipes import Care, Family, RulesRecipe, distilled
from kdaudit.surrogates.sequences import grow, listed, revised
from kdaudit.surrogates.surrogate import Surrogate
from kdaudit.surrogates.targets import Targets, TeacherAsk
from kdaudit.surrogates.weighting import by_weight

COVER = 0.01
"""Share of the rows that a rule must cover at least."""
PATIENCE = (1.0, 0.6)
"""Weights of the rows left to later rules; see `kdaudit.surrogates.sequences.grow`."""


def rule_list(  # noqa: PLR0913 - each is a choice of the user's
    behaviour: Behaviour,
    samples: Samples,
    ask: TeacherAsk,
    *,
    rules: int = 16,
    queries: int = 0,
    read: Mapping[str, Any] | None = None,
    refits: int = 0,
    limits: Limits | None = None,
    select: Samples | None = None,
    slack: float = 0.5,
    rng: np.random.Generator,
) -> Surrogate:
    """Return a rule list that answers as the teacher does.

    Rules of at most three tests are taken greedily, each the best for the rows that no earlier one covers (separate and
    conquer: Fuernkranz, 1999), on the teacher's scores and on its decisions; then each is chosen anew with all others
    held.  Which list, and how many of its rules, is chosen on `select`.  A missing value passes a test only where the
    test says so.  Where the domain calls a field monotone, the answers of every list are put in order before one is
    chosen (`kdaudit.surrogates.monotone`).

    Parameters
    ----------
    behaviour : Behaviour
    samples : Samples
        Rows to make it from.
    ask : callable
        ``partial(behaviour.through(store.ask), teacher)``.
    rules : int
        Most rules, the default at the end included.
    queries : int
        New rows around `samples` that are asked as well, for each of them; which sampler draws them is chosen on rows
        held out.
    read : mapping, optional
        What to read off texts and pictures; see `kdaudit.surrogates.readings.Wanted`.
    refits : int
        Lists made again on rows drawn with replacement, to tell how much of the list would stay; 0 for none.
    limits : Limits, optional
        What the making may take; the best so far is returned, and its card says so.
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
    care = Care(slack, queries, read or {}, refits, limits or Limits())
    return distilled(behaviour, _family(behaviour, rules), (samples, select), ask, care, rng)


def _family(behaviour: Behaviour, rules: int) -> Family:
    make = partial(_candidates, behaviour, rules=rules)

    def candidates(body: Body) -> Iterator[Candidate]:
        return in_order(by_weight(make, body), behaviour, body.rows.samples.domain)

    return Family("rule list", Trial(rules), candidates)


class _Maker:
    """Makes rule lists from one body of rows."""

    def __init__(self, behaviour: Behaviour, rows: Targets, rules: int) -> None:
        without = () if behaviour.contrast is None else (behaviour.contrast.field,)
        self._rows, self._rules, self._outputs = rows, rules, behaviour.outputs
        self._vocabulary = Vocabulary.of(columns_of(rows.samples, without=without), rows.score)
        self._grown: dict[tuple[tuple[str, float], bool], list[Condition]] = {}
        self._cover = max(1, min(int(COVER * len(rows)), len(rows) // (4 * rules)))

    def ways(self) -> Iterator[tuple[tuple[str, float], bool, int, Rules]]:
        """Yield what each list was grown on, with how much patience, whether revised, its conditions, and the list."""
        for way in ("scores",) if self._rows.numeric else ("scores", "decisions"):
            for patience in PATIENCE:
                for again in (False,) if self._rows.numeric else (False, True):
                    conditions = self._conditions((way, patience), again)
                    for length in range(1, len(conditions) + 1):
                        yield (way, patience), again, length, self._said(conditions[:length])

    def made(self, way: tuple[str, float], again: bool, length: int) -> Rules:  # noqa: FBT001 - as `ways` yields it
        """Return the list that came about in one way."""
        return self._said(self._conditions(way, again)[:length])

    def default(self) -> Rules:
        """Return the list without conditions."""
        return self._said([])

    def _conditions(self, way: tuple[str, float], again: bool) -> list[Condition]:  # noqa: FBT001 - as above
        if (way, again) not in self._grown:
            if again:
                grown = self._conditions(way, again=False)
                made = revised(self._vocabulary, grown, self._rows, self._cover) if grown else grown
            else:
                targets = self._rows.score if way[0] == "scores" else self._rows.classes
                made = grow(self._vocabulary, targets, self._rules - 1, self._cover, way[1])
            self._grown[way, again] = made
        return self._grown[way, again]

    def _said(self, conditions: list[Condition]) -> Rules:
        return Rules("list", listed(self._vocabulary, conditions, self._rows), self._outputs)


def _candidates(behaviour: Behaviour, body: Body, rules: int) -> Iterator[Candidate]:
    maker = _Maker(behaviour, body.rows, rules)
    # made once, for all that are made again, and only if one is
    remake = None if body.whole is None else cache(partial(_Maker, behaviour, body.whole, rules))
    start = "" if body.name == NONE else f"{body.name}, "
    yield Candidate(f"{start}default alone", maker.default())
    for way, again, length, made_so in maker.ways():
        words = f"{start}grown on {way[0]}, patience {way[1]:g}" + (", revised" if again else "")
        yield Candidate(words, made_so, None if remake is None else partial(_again, remake, way, again, length))


def _again(remake: Callable[[], _Maker], way: tuple[str, float], again: bool, length: int) -> Rules:  # noqa: FBT001
    return remake().made(way, again, length)


@dataclass(frozen=True, kw_only=True)
class RuleList(RulesRecipe):
    """Recipe of a rule list; for further keys see `kdaudit.surrogates.recipes.RulesRecipe`.

    Parameters
    ----------
    rules : int
        Most rules, the default included.
    """

    rules: int = 16

    def __post_init__(self) -> None:
        check("rule list", "one rule, its default", self.rules, self.slack)
        super().__post_init__()

    def make(
        self, behaviour: Behaviour, teacher: Subject, parts: Mapping[str, Samples], ask: Ask, rng: np.random.Generator
    ) -> Surrogate:
        """Return the rule list; see `kdaudit.question.ProxyRecipe`."""
        rows = (parts["fit"], parts.get("select"))
        return distilled(behaviour, _family(behaviour, self.rules), rows, partial(ask, teacher), self.care, rng)
