"""What many trees agree on, as rows to grow one tree from: it stays when the answered rows are drawn again.

One small tree follows the accidents of the rows that it is grown on: of two fields that part them almost alike, one
draw prefers this, another that.  A bag of large trees averages over such accidents; one tree grown on what the bag
says, of the given rows and of many more around them, hangs less on the draw (Breiman and Shang, 1996: born-again trees;
Zhou and Hooker, 2016).  The bag answers for nothing: the teacher is asked nothing more, and bodies of rules made so
are chosen, judged and reported by the teacher's own answers like all others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kdaudit.chance import rng
from kdaudit.samples import Samples, concat
from kdaudit.sampling.pool import drawn
from kdaudit.surrogates.columns import Column, columns_of
from kdaudit.surrogates.targets import Floats, Targets

TREES = 30
"""Trees of a bag; it moves little with more."""
SMALLEST = 5
"""Fewest rows of a leaf in the bag."""
SHARE = 0.5
"""Share of the columns that each split of the bag looks at."""
AROUND = ("smear", "jitter")
"""Samplers of the rows that the bag alone is asked about: those that need no neighbours."""
TIMES = 4
"""Rows that the bag alone is asked about, for each given one."""
MOST = 20_000
"""Such rows in all."""
VALUES = 600_000
"""Values of such rows in all: with many fields there are fewer rows."""
FEWEST = 200
"""With fewer rows a bag knows no more than a tree."""


def consensus(rows: Targets, scope: str = "") -> Targets | None:
    """Return the rows, and new ones around them, with what a bag of trees says of them instead of the teacher.

    The draw is the same for the same rows: what should stay when the rows are drawn again must not hang on chance of
    its own.

    Parameters
    ----------
    rows : Targets
        n rows; repeated ones count as often.
    scope : str
        Condition that new rows fulfil beside the domain's constraints, about the fields of `rows`.

    Returns
    -------
    Targets or None
        At most ``n + min(4 * n, 20,000)`` rows without sampling weights; None where there are fewer than 200, where all
        are decided alike, and of numbers.
    """
    if rows.numeric or len(rows) < FEWEST or (rows.label == rows.label[0]).all():
        return None
    from sklearn.ensemble import ExtraTreesRegressor

    given = rows.samples
    every = concat([_plain(given), *_around(given, scope)])
    table = _table(columns_of(every))
    bag = ExtraTreesRegressor(TREES, min_samples_leaf=SMALLEST, max_features=SHARE, random_state=0, n_jobs=1)
    score = rows.score[:, 0] if rows.score.shape[1] == 1 else rows.score
    bag.fit(table[: len(given)], score, sample_weight=rows.weight)
    said = np.asarray(bag.predict(table), dtype=np.float64).reshape(len(every), -1)
    return replace(rows, samples=every, score=said, label=rows.decided(said), raw=None)


def _around(given: Samples, scope: str) -> list[Samples]:
    # a row that was drawn several times is one place to draw around
    _, first = np.unique(given.keys(), return_index=True)
    places = given.take(np.sort(first))
    each = min(TIMES * len(given), MOST, VALUES // len(given.domain.fields)) // len(AROUND)
    paired = bool(given.domain.protected)
    pools = [drawn(name, places, each, rng(0, f"consensus/{name}"), scope=scope, paired=paired) for name in AROUND]
    return [_plain(pool.samples) for pool in pools]


def _plain(samples: Samples) -> Samples:
    return replace(samples, labels=None, weights=None)


def _table(columns: tuple[Column, ...]) -> Floats:
    """Return codes as numbers, one column a level where levels have no order; missing values come last."""
    parts = []
    for column in columns:
        codes = column.codes
        parts.append(codes[:, None] if column.cuts is not None else np.eye(column.size + 1)[codes])
    return np.ascontiguousarray(np.hstack(parts), dtype=np.float64)
