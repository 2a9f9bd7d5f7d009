"""How much of a surrogate stays when the data are drawn again: refits on rows drawn with replacement.

No question is asked for them: rows that were drawn around a row come and go with it.  Every refit goes the whole way,
its size chosen anew, so that what moves is what a reader of another draw would have read (Breiman, 1996).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kdaudit.errors import InvalidInput
from kdaudit.rules import Rules
from kdaudit.surrogates.enquiry import NONE, Enquiry
from kdaudit.surrogates.targets import Floats, Positions, Targets

MOST = 50
Make = Callable[[Targets, Targets], Rules]
"""From rows to grow on and rows to choose on to the rules that are chosen."""


def check_refits(refits: int) -> None:
    """Refuse a number of refits that is none.

    Raises
    ------
    InvalidInput
    """
    if isinstance(refits, bool) or not 0 <= refits <= MOST or refits == 1:
        raise InvalidInput(f"refits are 2 to {MOST} trees grown again, or 0 for none; {refits} was asked for")


def parents_of(name: str, enquiry: Enquiry, fit: Targets) -> Positions:
    """Return the given row that each row of a body belongs to: itself, or the one that it was drawn around."""
    pools = () if name == NONE else enquiry.pools
    sampler = name.removeprefix("with ")
    own = [pool.parents for pool in pools if sampler in ("all samplers", pool.sampler)]
    return np.concatenate([np.arange(len(fit)), *own]).astype(np.int64)


def steadiness(
    make: Make,
    rows: tuple[Targets, Positions],
    select: Targets,
    chosen: Rules,
    refits: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return how alike refits are, as plain data for a card.

    Parameters
    ----------
    make : callable
    rows : (Targets, array of shape (n,))
        Rows to grow on, and the given row that each belongs to.
    select : Targets
        Rows to choose on; what refits answer is compared on these and on the given ones.
    chosen : Rules
        The rules that stand in the report.
    refits : int
    rng : Generator

    Returns
    -------
    dict
        ``refits``; ``agreement`` of two refits, its mean, and ``least`` and ``most`` of all pairs (where the score is a
        number: the share of its variance that one explains of another); ``fields`` -> share of the refits that test it;
        ``alike``, the mean share of fields that two refits have in common (Jaccard); ``cuts``: field -> the chosen
        rules' first cut, and the fifth and ninety-fifth percentile of the nearest cuts of the refits that have one.
    """
    grown, parents = rows
    given = int(parents.max()) + 1
    bodies = []
    for _ in range(refits):
        counts = np.bincount(rng.integers(given, size=given), minlength=given)
        drawn = grown.take(np.repeat(np.arange(len(grown)), counts[parents]))
        bodies.append(make(drawn, select.take(rng.integers(len(select), size=len(select)))))
    where = grown.take(np.arange(given)).samples
    answers = [np.vstack([body.evaluate(where), body.evaluate(select.samples)]) for body in bodies]
    pairs = [(a, b) for a in range(refits) for b in range(a)]
    alike = [_alike(answers[a], answers[b], select) for a, b in pairs]
    used = [set(body.fields) for body in bodies]
    names = sorted(set(chosen.fields).union(*used))
    return {
        "refits": refits,
        "agreement": _told(np.mean(alike)),
        "least": _told(min(alike)),
        "most": _told(max(alike)),
        "rows": len(answers[0]),
        "alike": _told(np.mean([len(used[a] & used[b]) / max(1, len(used[a] | used[b])) for a, b in pairs])),
        "fields": {name: _told(np.mean([name in one for one in used])) for name in names},
        "cuts": _cuts(chosen, bodies),
    }


def _told(value: float | np.floating[Any]) -> float:
    return round(float(value), 6)


def _alike(a: Floats, b: Floats, targets: Targets) -> float:
    if not targets.numeric:
        return float((targets.decided(a) == targets.decided(b)).mean())
    around = ((a - a.mean(axis=0)) ** 2).sum()
    return float(1.0 - ((a - b) ** 2).sum() / around) if around > 0 else float(np.allclose(a, b))


def _cuts(chosen: Rules, bodies: list[Rules]) -> dict[str, list[float]]:
    out = {}
    for name, cuts in _cuts_of(chosen).items():
        nearest = [
            min(own, key=lambda cut: abs(cut - cuts[0])) for own in (_cuts_of(b).get(name) for b in bodies) if own
        ]
        if nearest:
            low, high = np.quantile(nearest, [0.05, 0.95])
            out[name] = [_told(cuts[0]), _told(low), _told(high)]
    return out


def _cuts_of(rules: Rules) -> dict[str, list[float]]:
    """Return the cuts of each field, in the order in which rules name them."""
    out: dict[str, list[float]] = {}
    for rule in rules.rules:
        for test in rule.tests:
            ends = [end for end in (test.below, test.above) if end is not None and not test.terms]
            out.setdefault(test.field, []).extend(ends)
    return {name: ends for name, ends in out.items() if ends}
