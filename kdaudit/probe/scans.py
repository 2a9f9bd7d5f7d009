"""Which marks move the teacher itself?  Several are tried in one row, and halved where something moves: group testing.

A proxy made on clean rows does not know a mark that stands in none of them, so that its answers bring up no such mark.
Here the teacher is asked, in few rows: groups of marks are set on the same few rows, and those that move answers most
are split until single marks are left (after Dorfman 1943).  What comes out is a guess that fresh rows must confirm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.probe.readings import ask_one
from kdaudit.samples import Samples, concat
from kdaudit.sampling.triggers import Stamp
from kdaudit.signal import LOGIT, SCORE
from kdaudit.subject import Answers, Ask, Subject

CARRIERS, MORE = 5, 10
"""Rows on which each group of marks is set, at least and at most."""
FOLLOWED = 3
"""Groups that are split at most; at least one less, if there are rows for any."""
FAR = 8.0
"""Largest change of a logit that counts, so that no single row decides."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scan:
    """What was tried on the teacher itself.

    Parameters
    ----------
    found : tuple of (Stamp, int)
        Single marks that turned a decision, with the target, those that move most first.
    tried, asked : int
        Marks, and teacher rows.
    """

    found: tuple[tuple[Stamp, int], ...]
    tried: int
    asked: int


def scanned(teacher: Subject, ask: Ask, rows: Samples, groups: Sequence[Sequence[Stamp]], most: int) -> Scan:
    """Return the marks that turn decisions of the teacher, found by asking it about at most `most` rows.

    Parameters
    ----------
    teacher : Subject
    ask : Ask
    rows : Samples
        Of the data; a few of them bear the marks.
    groups : sequence of sequence of Stamp
        Marks that can stand on one row; groups that come first are tried first.
    most : int
        Teacher rows.
    """
    first = rows.take(np.arange(min(len(rows), 3 * CARRIERS)))
    levels = math.ceil(math.log2(max(map(len, groups), default=1)))
    # to halve a group until one mark is left, and to look at that once more
    asks, left = 2 * levels + 1, most - len(first)
    carriers = min(max(left // (len(groups) + FOLLOWED * asks), CARRIERS), MORE, len(first))
    each = asks * carriers
    spare = each * (FOLLOWED - 1 if left >= 2 * FOLLOWED * each - each else 1)
    count = min((left - spare) // carriers, len(groups))
    if len(first) < CARRIERS or count < FOLLOWED:
        return Scan((), 0, 0)
    before = _read(ask_one(ask, teacher, first), teacher)
    chosen = _mixed(before.argmax(axis=1), carriers)
    trial = _Trial(teacher, ask, first.take(chosen), before[chosen])
    score, target = trial.moved([list(group) for group in groups[:count]])
    followed = np.argsort(-score, kind="stable")[: min(FOLLOWED, (left - trial.asked) // each)]
    singles = trial.split([(list(groups[i]), int(target[i])) for i in followed])
    found = tuple(trial.turning(singles))
    return Scan(found, sum(len(group) for group in groups[:count]), len(first) + trial.asked)


def _mixed(decisions: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return positions of `count` rows, as many of each decision as can be: nobody knows which one is a target."""
    seen: dict[int, int] = {}
    turns = np.empty(len(decisions), dtype=np.int64)
    for at, decision in enumerate(decisions.tolist()):
        turns[at] = seen[decision] = seen.get(decision, -1) + 1
    return np.sort(np.lexsort((decisions, turns))[:count])


class _Trial:
    """Rows that bear marks."""

    def __init__(self, teacher: Subject, ask: Ask, rows: Samples, before: Values) -> None:
        self.teacher, self._ask, self._rows = teacher, ask, rows
        self._own = before.argmax(axis=1)
        self._usual = before
        self.asked = 0

    def _answers(self, groups: list[list[Stamp]]) -> Values:
        made = []
        for group in groups:
            rows = self._rows
            for mark in group:
                rows = mark.on(rows)
            made.append(rows)
        self.asked += len(groups) * len(self._rows)
        told = _read(ask_one(self._ask, self.teacher, concat(made)), self.teacher)
        return told.reshape(len(groups), len(self._rows), -1)

    def moved(self, groups: list[list[Stamp]]) -> tuple[Values, NDArray[np.int64]]:
        """Return how far each group moves rows towards some decision that they did not have, and towards which.

        Counted is what a group does beyond the middle one: any marks, however empty, change how a row is read.
        """
        told = self._answers(groups)
        self._usual = np.median(told, axis=0)
        means = np.stack([self._towards(told, target) for target in range(told.shape[2])], axis=1)
        return means.max(axis=1), means.argmax(axis=1)

    def _towards(self, told: Values, target: int) -> Values:
        counted = self._own != target
        if not counted.any():
            return np.full(len(told), -np.inf)
        out: Values = np.clip(told - self._usual, -FAR, FAR)[:, counted, target].mean(axis=1)
        return out

    def split(self, parents: list[tuple[list[Stamp], int]]) -> list[list[Stamp]]:
        """Return the single marks that are left when groups are halved and the half that moves more is kept."""
        alive = [group for group, _ in parents]
        while any(len(group) > 1 for group in alive):
            halves = [_halves(group) for group in alive]
            told = self._answers([half for pair in halves for half in pair])
            kept, at = [], 0
            for pair, (_, target) in zip(halves, parents, strict=True):
                kept.append(pair[int(self._towards(told[at : at + len(pair)], target).argmax())])
                at += len(pair)
            alive = kept
        return alive

    def turning(self, singles: list[list[Stamp]]) -> list[tuple[Stamp, int]]:
        """Return the single marks that turn a row, with the target to which most turn; strongest first."""
        if not singles:
            return []
        told = self._answers(singles)
        after, out = told.argmax(axis=2), []
        for at, (mark,) in enumerate(singles):
            hit = after[at][after[at] != self._own]
            if len(hit):
                target = int(np.bincount(hit).argmax())
                out.append((int((hit == target).sum()), float(self._towards(told, target)[at]), mark, target))
        out.sort(key=lambda one: (-one[0], -one[1]))
        return [(mark, target) for _, _, mark, target in out]


def _halves(group: list[Stamp]) -> list[list[Stamp]]:
    middle = -(-len(group) // 2)
    return [group[:middle], group[middle:]] if len(group) > 1 else [group]


def _read(answers: Answers, teacher: Subject) -> Values:
    """Return how far each decision is chosen, shape (n, decisions): logits, or 1 and -1 where there are labels only."""
    count = max(len(teacher.outputs), 2)
    if {SCORE, LOGIT} & set(answers.values) and teacher.scale == "probability":
        logits = answers.logit
        out = np.column_stack([-logits[:, 0], logits[:, 0]]) if logits.shape[1] == 1 else logits.copy()
        # a rule may draw the line elsewhere than at one half: the decision stays the largest
        label = np.clip(answers.label, 0, count - 1)
        largest = out.max(axis=1)
        rows = np.arange(len(out))
        out[rows, label] = np.where(out[rows, label] < largest, largest + TIED, out[rows, label])
    else:
        out = np.where(np.arange(count) == answers.label[:, None], 1.0, -1.0)
    return np.where(answers.answered[:, None], out, 0.0)


TIED = 1e-9
"""By how much the decision leads where scores say otherwise."""
