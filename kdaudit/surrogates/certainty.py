"""Trees whose every split is sure: the teacher is asked until the winning field beats every other, else it stops.

A greedy split is a contest: on other rows another field might have won, and the tree below it would be another tree.
So the winner's gain is set against that of each other field's best split, row by row, and new rows are asked inside the
node until it is larger at the stated level against all of them (Approximation Trees: Zhou, Zhou and Hooker, 2018; each
contest is a paired test, since all must be won no correction is due for their number: Berger, 1982, and one is made for
looking again after asking more: Bonferroni).  Where the questions end first
the node stays a leaf, and the card says which fields could not be told apart.  Where in its field a split cuts is not
part of the promise.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from kdaudit.behaviour import Behaviour
from kdaudit.errors import InvalidInput, OverBudget
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Samples
from kdaudit.sampling.pool import drawn
from kdaudit.surrogates.choice import Candidate
from kdaudit.surrogates.columns import Column, Mask, columns_of
from kdaudit.surrogates.limits import Limits
from kdaudit.surrogates.splits import Split, best_split
from kdaudit.surrogates.targets import Floats, Targets, TeacherAsk, answered, stacked

ROUNDS = 4
"""Times that more rows are asked for one split at most, and half of the questions that are left."""
GROWTH = 4
"""A round asks at most so many times the rows that are there."""
FEWEST = 20
"""Rows of a side at least: a contest of fewer is none."""
SAMPLER = "smear"
"""Draws rows around those of a node: most values are the row's own, the others are others'."""
CHANCE = 8
"""Draws for each row wanted, since rows drawn around a node may fall outside it."""


def check_sure(sure: float, queries: int) -> None:
    """Refuse a level that is none, or one that no question could reach.

    Raises
    ------
    InvalidInput
    """
    if not (sure == 0 or 0.5 < sure < 1):
        raise InvalidInput(
            f"sure is the level at which a split must win, above 0.5 and below 1; {sure:g} was asked for"
        )
    if sure and not queries:
        raise InvalidInput("sure splits are asked for until they win; give `queries`, new rows for each row given")


@dataclass(frozen=True)
class Aim:
    """How large a tree is grown, how surely, and what that may take.

    Parameters
    ----------
    leaves : int
        Most leaves.
    level : float
        At which a split must beat every other field.
    budget : int
        Most rows asked beyond those given.
    limits : Limits
        Each tree, of one leaf more than the one before, is a candidate.
    """

    leaves: int
    level: float
    budget: int
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Contest:
    """A split against every other field.

    Parameters
    ----------
    at : str
        Which rows were parted, in words.
    winner, rival : str
        The field of the split, and the one that came closest to it; empty where there is none.
    sure : float
        One minus the one-sided p-value against the rival, corrected for the looks that may be taken.
    rows, asked : int
        Rows that it rests on, and those of them that were asked for it.
    won : bool
    """

    at: str
    winner: str
    rival: str
    sure: float
    rows: int
    asked: int
    won: bool


_Offer = tuple[float, int, tuple[Test, ...], tuple[Test, Test]]
"""Minus the gain of a split, the number of its contest, its leaf, and the tests of both sides."""


class _Growing:
    """A tree while it grows: all rows that were answered, and the questions that are left."""

    def __init__(
        self, behaviour: Behaviour, rows: Targets, ask: TeacherAsk, aim: Aim, rng: np.random.Generator
    ) -> None:
        self.behaviour, self.rows, self.aim = behaviour, rows, aim
        self._ask, self._left, self._rng = ask, aim.budget, rng
        self._met = set(rows.asked.keys().tolist())
        self.asked, self.note = 0, ""
        self.contests: list[Contest] = []

    def trees(self) -> Iterator[tuple[tuple[Test, ...], ...]]:
        """Yield trees as the paths of their leaves, best split first, each the one before with a leaf parted."""
        paths: list[tuple[Test, ...]] = [()]
        yield tuple(paths)
        queue = self._offered([()])
        while queue and len(paths) < self.aim.leaves:
            _, _, path, sides = heapq.heappop(queue)
            at = paths.index(path)
            paths[at : at + 1] = [(*path, side) for side in sides]
            yield tuple(paths)
            if len(paths) < self.aim.leaves:
                for one in self._offered([(*path, side) for side in sides]):
                    heapq.heappush(queue, one)

    def _offered(self, paths: Sequence[tuple[Test, ...]]) -> list[_Offer]:
        """Return the splits of leaves that are won, to be taken the one of the largest gain first."""
        out: list[_Offer] = []
        for path in paths:
            found, split, columns = self.contest(path)
            self.contests.append(found)
            if found.won and split is not None:
                column = columns[split.column]
                sides = (column.test(split.left), column.test(~split.left))
                out.append((-split.gain, len(self.contests), path, sides))
        return out

    def inside(self, tests: tuple[Test, ...], samples: Samples) -> Mask:
        """Return which rows come to a node."""
        out = np.ones(len(samples), dtype=bool)
        for test in tests:
            out &= test.holds(samples)
        return out

    def contest(self, tests: tuple[Test, ...]) -> tuple[Contest, Split | None, tuple[Column, ...]]:
        """Ask until one field's split beats those of all others, or no more can be asked."""
        asked, most = 0, -(-self._left // 2)
        for round_ in range(ROUNDS + 1):
            here = self.rows.take(np.flatnonzero(self.inside(tests, self.rows.samples)))
            without = () if self.behaviour.contrast is None else (self.behaviour.contrast.field,)
            columns = columns_of(here.samples, without=without)
            found, split = _fought(columns, here, self.aim.level)
            found = replace(found, at=Rule(tests, ()).text(here.samples.domain), asked=asked)
            if split is None or found.won or round_ == ROUNDS:
                break
            more = self._more(tests, here, min(_wanted(found, self.aim.level), most - asked))
            if not more:
                break
            asked += more
        return found, split, columns

    def _more(self, tests: tuple[Test, ...], here: Targets, wanted: int) -> int:
        """Ask rows inside a node; return how many were answered."""
        wanted = min(wanted, self._left)
        if wanted < 1:
            return 0
        batch = drawn(SAMPLER, here.asked, CHANCE * wanted, self._rng, scope=self.behaviour.scope)
        seen = batch.samples if self.rows.reading is None else self.rows.reading.of(batch.samples)
        fresh = [key not in self._met for key in batch.samples.keys().tolist()]
        batch = batch.take(np.flatnonzero(self.inside(tests, seen) & np.array(fresh, dtype=bool))[:wanted])
        if not len(batch):
            return 0
        try:
            targets, kept = answered(self.behaviour, batch.samples, self._ask)
        except OverBudget as error:
            self.note, self._left = f"the budget ended: {error}", 0
            return 0
        self._met.update(batch.samples.keys().tolist())
        self._left -= len(batch)
        self.asked += len(kept)
        parents = batch.parents[kept]
        self.rows = stacked([self.rows, targets.read(self.rows.reading).weighing(here, parents)])
        return len(kept)


def _wanted(found: Contest, level: float) -> int:
    """Return how many more rows would let the winner win, if it leads by as much on them."""
    looks = ROUNDS + 1
    alone = 1.0 - (1.0 - found.sure) / looks
    lead, needed = float(ndtri(min(max(alone, 0.5 + 1e-9), 1 - 1e-12))), float(ndtri(1.0 - (1.0 - level) / looks))
    times = min((needed / max(lead, 1e-6)) ** 2, 1.0 + GROWTH)
    return max(FEWEST, int(np.ceil(found.rows * (times - 1.0))))


def _fought(columns: Sequence[Column], here: Targets, level: float) -> tuple[Contest, Split | None]:
    """Return the best split of some rows, and how surely it beats the best of every other field."""
    nobody = Contest("", "", "", 0.0, len(here), 0, won=False)
    rows, score = np.arange(len(here)), here.score
    weight = np.ones(len(here)) if here.weight is None else here.weight
    splits = [(at, best_split([column], rows, score, FEWEST)) for at, column in enumerate(columns)]
    found = [(at, split) for at, split in splits if split is not None]
    if len(here) < 2 * FEWEST or not found:
        return nobody, None
    errors = {at: _errors(columns[at], split, score, weight) for at, split in found}
    at, split = min(found, key=lambda one: (round(float((weight * errors[one[0]]).sum()), 9), one[0]))
    least, rival = 1.0, ""
    # a field without a split parts nothing: the winner must beat that as well
    plain = ((score - np.average(score, axis=0, weights=weight)) ** 2).sum(axis=1)
    for name, error in [("no split", plain), *((columns[other].field.name, errors[other]) for other, _ in found)]:
        if name != columns[at].field.name:
            surely = max(0.0, 1.0 - (ROUNDS + 1) * (1.0 - _surely(weight * (error - errors[at]))))
            if surely < least:
                least, rival = surely, name
    winner = Contest("", columns[at].field.name, rival, round(least, 9), len(here), 0, won=least >= level)
    return winner, replace(split, column=at)


def _errors(column: Column, split: Split, score: Floats, weight: Floats) -> Floats:
    left = split.left[column.codes]
    out = np.empty(len(score))
    for side in (left, ~left):
        middle = np.average(score[side], axis=0, weights=weight[side] if weight[side].any() else None)
        out[side] = ((score[side] - middle) ** 2).sum(axis=1)
    return out


def _surely(lead: Floats) -> float:
    """Return one minus the one-sided p-value of a mean lead above 0."""
    spread = float(lead.std(ddof=1)) / np.sqrt(len(lead))
    mean = float(lead.mean())
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return 1.0 if mean > 1e-12 else 0.5
    return float(ndtr(mean / spread))


@dataclass(frozen=True)
class Sure:
    """What came of growing surely.

    Parameters
    ----------
    candidates : tuple of Candidate
        Trees of 1, 2, ... leaves, each the one before with a leaf parted.
    contests : tuple of dict
        As `Contest`, in the order in which they were fought.
    asked : int
        Rows answered beyond those given.
    note : str
        Why fewer were asked than allowed; empty if they were not.
    cut : str
        Why there are no more trees, if a limit ended them.
    """

    candidates: tuple[Candidate, ...]
    contests: tuple[dict[str, Any], ...]
    asked: int
    note: str
    cut: str = ""


def surely_grown(behaviour: Behaviour, rows: Targets, ask: TeacherAsk, aim: Aim, rng: np.random.Generator) -> Sure:
    """Grow a tree best split first, each split asked for until it is sure.

    Parameters
    ----------
    behaviour : Behaviour
    rows : Targets
        Answered rows.
    ask : callable
    aim : Aim
    rng : Generator
    """
    growing = _Growing(behaviour, rows, ask, aim, rng)
    trees, cut, _ = aim.limits.met(growing.trees())
    found = tuple(_candidate(tree, growing.rows, behaviour.outputs, aim.level) for tree in trees)
    return Sure(found, tuple(vars(contest) for contest in growing.contests), growing.asked, growing.note, cut)


def _candidate(paths: Sequence[tuple[Test, ...]], rows: Targets, outputs: tuple[str, ...], level: float) -> Candidate:
    return Candidate(
        f"grown on scores, each split sure at {level:.0%}", Rules("tree", tuple(_rules(paths, rows)), outputs)
    )


def _rules(paths: Sequence[tuple[Test, ...]], rows: Targets) -> Iterator[Rule]:
    for tests in paths:
        inside = np.ones(len(rows), dtype=bool)
        for test in tests:
            inside &= test.holds(rows.samples)
        yield Rule(tests, rows.answer(np.flatnonzero(inside)), int(inside.sum()))
