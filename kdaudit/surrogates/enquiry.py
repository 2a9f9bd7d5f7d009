"""Rows asked beyond those given: drawn by several samplers, most of them by the one that proves best on held-out rows.

Which sampler serves depends on the data: jitter that helps on one set harms on another.  So each draws a small batch
first; trees are grown with each batch, on part of the rows, and must agree with the teacher on the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.behaviour import Behaviour
from kdaudit.errors import OverBudget
from kdaudit.samples import Samples
from kdaudit.sampling.pool import Drawn, bisected, drawn
from kdaudit.sampling.samplers import SAMPLERS
from kdaudit.surrogates.columns import columns_of
from kdaudit.surrogates.growth import decided, grow
from kdaudit.surrogates.targets import Floats, Positions, Targets, TeacherAsk, answered, decisions, stacked

BISECTION = "bisection"
NONE = "the rows given"
EVERY = "with all samplers"
FOLDS = 3
"""Parts of the rows that trial trees are tested on in turn."""
PLENTY = 20
"""New rows for each row given that serve; with more, little is gained."""
MOST_NEW = 10_000
"""New rows in all that serve: with many rows given, fewer new ones for each do."""
SURE = 1.0
"""Standard errors by which trial trees with new rows must be better than without: then new rows serve."""
SURER = 3.0
"""The same for trees that test one field a split and tell more than two classes apart.  New rows gain them nothing,
and cost where chance lets them in: over 20 cells of digits such trees lay 0.2 points above plain CART at 1, 0.5 at 2
and 0.8 where no new row ever served."""
MANY = 2_000
"""With so many rows to choose on, trial trees are tested on these alone."""


def usual(rows: int) -> int:
    """Return how many new rows are asked for each of so many, where nobody says how many and the budget allows."""
    return min(PLENTY, MOST_NEW // max(1, rows))


@dataclass(frozen=True, eq=False)
class Pool:
    """Answered rows of one sampler, and the row that each was drawn around."""

    sampler: str
    targets: Targets
    parents: Positions

    def __len__(self) -> int:
        return len(self.parents)


@dataclass(frozen=True, eq=False)
class Body:
    """Rows that a surrogate is made from.

    Parameters
    ----------
    name : str
    rows : Targets
        Without those that are chosen on.
    whole : Targets or None
        With them, to make the chosen one again; None where it is left as it was chosen.
    """

    name: str
    rows: Targets
    whole: Targets | None


@dataclass(frozen=True, eq=False)
class Enquiry:
    """What was asked beyond the rows given.

    Parameters
    ----------
    pools : tuple of Pool
    sampler : str
        The one that proved best; `NONE` where no batch was surely better than none.
    trials : dict of str to float
        Agreement of trial trees on rows held out, by sampler.
    near : Pool, optional
        Rows drawn around those that are chosen on, to choose on as well.
    note : str
        Why fewer rows were asked than allowed; empty if they were not.
    """

    pools: tuple[Pool, ...] = ()
    sampler: str = NONE
    trials: tuple[tuple[str, float], ...] = ()
    near: Pool | None = None
    note: str = ""

    @property
    def rows(self) -> int:
        """Rows that were asked beyond those given, and answered."""
        return sum(len(pool) for pool in self.pools) + (0 if self.near is None else len(self.near))

    def answers(self, fit: Targets, select: Targets) -> tuple[Targets, ...]:
        """Return what a surrogate made from all rows must meet: the rows given, and new ones where these serve."""
        given = fit if select is fit else stacked([fit, select])
        if self.sampler == NONE:
            return (given,)
        return given, stacked([pool.targets for pool in (*self.pools, self.near) if pool is not None])

    def ways(self, fit: Targets, select: Targets) -> tuple[Body, ...]:
        """Return the bodies of rows that surrogates are made from: those with new ones, most first, and those given."""
        both = [fit] if select is fit else [fit, select]
        if self.sampler == NONE:
            return (Body(NONE, fit, stacked(both) if select is not fit else None),)
        near = [] if self.near is None else [self.near.targets]
        best = [pool.targets for pool in self.pools if pool.sampler == self.sampler]
        bodies = {EVERY: [pool.targets for pool in self.pools], f"with {self.sampler}": best, NONE: []}
        return tuple(
            Body(name, stacked([fit, *parts]), stacked([*both, *parts, *(near if parts else [])]))
            for name, parts in bodies.items()
        )


class _Asking:
    """Draws and asks, until the budget ends."""

    def __init__(
        self, behaviour: Behaviour, fit: Targets, ask: TeacherAsk, met: set[bytes], rng: np.random.Generator
    ) -> None:
        self._behaviour, self._fit, self._ask, self._rng = behaviour, fit, ask, rng
        self._met = met
        met.update(fit.asked.keys().tolist())
        self.note = ""
        self.paired = bool(fit.asked.domain.protected) and behaviour.contrast is None

    def pool(self, sampler: str, n: int) -> Pool:
        """Return n newly asked rows of a sampler, fewer where the domain or the budget holds fewer."""
        scope = self._behaviour.scope
        if sampler == BISECTION:
            batches = self._bisected(n)
        else:
            batches = [drawn(sampler, self._fit.asked, n, self._rng, scope=scope, paired=self.paired)]
        parts = [self._answers(self._unmet(batch)) for batch in batches]
        targets = [targets for targets, _ in parts]
        if not targets:
            return Pool(sampler, self._fit.take(np.arange(0)), np.arange(0))
        return Pool(sampler, stacked(targets), np.concatenate([parents for _, parents in parts]))

    def _unmet(self, batch: Drawn) -> Drawn:
        keys = batch.samples.keys().tolist()
        kept = np.array([key not in self._met for key in keys], dtype=bool)
        self._met.update(keys)
        return batch.take(kept)

    def _bisected(self, n: int) -> list[Drawn]:
        def decide(samples: Samples) -> NDArray[np.int64]:
            try:
                return decisions(self._behaviour, samples, self._ask)
            except OverBudget as error:
                self.note = _short(error)
                return np.full(len(samples), -1, dtype=np.int64)

        fit, scope = self._fit, self._behaviour.scope
        return bisected(fit.asked, fit.label, n, decide, self._rng, scope=scope)

    def _answers(self, batch: Drawn) -> tuple[Targets, Positions]:
        nothing = (self._fit.take(np.arange(0)), np.arange(0))
        for _ in range(2):
            if not len(batch):
                return nothing
            try:
                targets, kept = answered(self._behaviour, batch.samples, self._ask)
                parents = batch.parents[kept]
                return targets.read(self._fit.reading).weighing(self._fit, parents), parents
            except OverBudget as error:
                self.note = _short(error)
                batch = batch.take(np.arange(len(batch) * error.left // error.needed))
        return nothing


def _short(error: OverBudget) -> str:
    return f"the budget ended: {error}"


@dataclass(frozen=True)
class Trial:
    """What new rows are tried on.

    Parameters
    ----------
    leaves : int
        Most leaves of a trial tree.
    sure : float
        Standard errors by which trial trees with new rows must be better than without: then new rows serve.
    """

    leaves: int
    sure: float = SURE


def enquire(
    behaviour: Behaviour,
    fit: Targets,
    select: Targets,
    ask: TeacherAsk,
    *,
    queries: int,
    trial: Trial,
    rng: np.random.Generator,
) -> Enquiry:
    """Ask about at most ``queries`` new rows for each row of `fit`, and for each of `select`.

    Around `fit`, half of them are spread over all samplers, the other half goes to the one whose batch proved best.

    Parameters
    ----------
    behaviour : Behaviour
    fit : Targets
        Rows to draw around.
    select : Targets
        Rows to prove samplers on.
    ask : callable
    queries : int
        Per row; 0 asks nothing.
    trial : Trial
    rng : Generator
    """
    total = queries * len(fit)
    names = [*SAMPLERS, *([] if fit.numeric or len(np.unique(fit.label)) < 2 else [BISECTION])]
    if total < 2 * len(names) or len(fit) < 2 * FOLDS:
        return Enquiry()
    met: set[bytes] = set()
    asking = _Asking(behaviour, fit, ask, met, rng)
    pools = [asking.pool(name, total // (2 * len(names))) for name in names]
    # as many rows a fold, and none empty
    folds = rng.permutation(np.arange(len(fit)) % FOLDS)
    merits = {NONE: _trial(fit, select, None, folds, trial.leaves)}
    merits |= {pool.sampler: _trial(fit, select, pool, folds, trial.leaves) for pool in pools if len(pool)}
    trials = {name: float(merit.mean()) for name, merit in merits.items()}
    serving = max(trials.keys() - {NONE}, key=lambda name: (trials[name], name), default=NONE)
    if serving != NONE and not _better(merits[serving], merits[NONE], trial.sure):
        serving = NONE
    if serving != NONE:
        pools.append(asking.pool(serving, total - sum(len(pool) for pool in pools)))
    around = _Asking(behaviour, select, ask, met, rng)
    plain = max(trials.keys() & SAMPLERS.keys(), key=lambda name: (trials[name], name), default=NONE)
    near = around.pool(plain, queries * len(select)) if serving != NONE != plain and select is not fit else None
    told = tuple((name, round(float(value), 6)) for name, value in trials.items())
    return Enquiry(tuple(pool for pool in pools if len(pool)), serving, told, near, asking.note or around.note)


def _better(merit: Floats, other: Floats, sure: float) -> bool:
    """Return whether one merit a row is above another by more than so many standard errors."""
    gained = merit - other
    error = gained.std(ddof=1) / np.sqrt(len(gained)) if len(gained) > 1 else 0.0
    return bool(gained.mean() > sure * error)


def _trial(fit: Targets, select: Targets, pool: Pool | None, folds: Positions, leaves: int) -> Floats:
    """Return the merit a row of trees grown with a pool, on rows that they were not grown on.

    Rows drawn around a row that is held out are held out with it.
    """
    if len(select) >= MANY or select is fit:
        grown = fit if pool is None else stacked([fit, pool.targets])
        return _merit(grown, select, leaves)
    merits: list[Floats] = []
    for fold in range(FOLDS):
        inside = fit.take(np.flatnonzero(folds != fold))
        held = fit.take(np.flatnonzero(folds == fold))
        if pool is not None:
            inside = stacked([inside, pool.targets.take(np.flatnonzero(folds[pool.parents] != fold))])
        merits.append(_merit(inside, stacked([held, select]), leaves))
    return np.concatenate(merits)


def _merit(grown: Targets, held: Targets, leaves: int) -> Floats:
    both = stacked([grown, held])
    columns = columns_of(both.samples)
    rows, rest = np.arange(len(grown)), np.arange(len(grown), len(both))
    tree = grow(columns, grown.score if grown.numeric else grown.classes, leaves, max(1, len(grown) // (8 * leaves)))[
        -1
    ]
    score = decided(tree, rest, columns, grown.take(rows))
    return held.merit(score)
