"""Rules that set apart the rows on which two subjects part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, merged
from kdaudit.samples import Samples
from kdaudit.signal import SCORE, Signals
from kdaudit.subject import Answers
from kdaudit.surrogates.trees import tree

TIMES = 1.5
"""A rule belongs to the region where the rows it was made from part so many times as often as all of them."""
FEWEST = 10
"""Rows without which no rule is looked for: those that part, and those that do not."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where two subjects part more often than elsewhere.

    Parameters
    ----------
    rules : tuple of Rule
        The rows of any of them lie inside; no row lies in two.
    reason : str
        Why there is none, where there is none.
    """

    rules: tuple[Rule, ...]
    reason: str = ""

    def each(self, samples: Samples) -> list[NDArray[np.bool_]]:
        """Return which rows each rule holds for."""
        out = []
        for rule in self.rules:
            inside = np.ones(len(samples), dtype=bool)
            for test in rule.tests:
                inside &= test.holds(samples)
            out.append(inside)
        return out

    def holds(self, samples: Samples) -> NDArray[np.bool_]:
        """Return which rows lie inside, shape (n,)."""
        each = self.each(samples)
        out: NDArray[np.bool_] = np.any(each, axis=0) if each else np.zeros(len(samples), dtype=bool)
        return out

    def text(self, samples: Samples) -> str:
        """Return the rules in plain words."""
        return "; or ".join(rule_text(rule, samples.domain) for rule in self.rules)


def rule_text(rule: Rule, domain: Domain) -> str:
    """Return a rule in plain words, the shorter way: what a level is, or what it is not."""
    words = []
    for test in merged(rule.tests):
        item = domain[test.field]
        if isinstance(item, Category) and test.levels is not None and 2 * len(test.levels) > len(item.levels):
            others = [level for level in item.levels if level not in test.levels]
            missing = "" if test.missing or not item.missing else " and not missing"
            words.append(f"{test.field.replace('_', ' ')} is not {' or '.join(others)}{missing}")
        else:
            words.append(test.text(domain))
    return " and ".join(words)


def region_of(samples: Samples, parted: NDArray[np.bool_], leaves: int, rng: np.random.Generator) -> Region:
    """Return the rules that set parting rows apart (as in DeltaXplainer, Rida et al. 2023).

    Parameters
    ----------
    samples : Samples
        Rows that were searched, mined ones among them: what a rule says is not how often they part inside it.
    parted : array of shape (n,), bool
    leaves : int
        Most leaves of the tree from which the rules are read.
    rng : Generator
    """
    hits = int(parted.sum())
    if min(hits, len(samples) - hits) < FEWEST:
        few = f"{hits} of {len(samples)} rows searched part; rules need {FEWEST} of each kind"
        return Region((), few)
    value = dict(zip(samples.keys().tolist(), parted.astype(np.float64).tolist(), strict=True))

    def ask(rows: Samples, signals: Signals) -> Answers:  # noqa: ARG001 - there is one thing to be said
        return Answers({SCORE: np.array([[value[key]] for key in rows.keys().tolist()])})

    behaviour = Behaviour("they part", ("parted",), samples.domain, scale="value")
    try:
        found = tree(behaviour, samples, ask, leaves=leaves, rng=rng)
    except InvalidInput as error:
        return Region((), str(error))
    rules = _more_often(found.rules.rules, hits / len(samples))
    return Region(rules, "" if rules else "inside no rule do the rows searched part more often")


def _more_often(rules: Sequence[Rule], rate: float) -> tuple[Rule, ...]:
    if len(rules) < 2:
        return ()
    chosen = [rule for rule in rules if rule.score[0] >= TIMES * rate]
    return tuple(sorted(chosen, key=lambda rule: -rule.score[0]))
