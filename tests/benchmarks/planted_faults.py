"""Faults of stated strength: wrappers around base models, which change a logit by what a row says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from planted_worlds import BACKDOOR, CORNER, CUE, DISTRICTS, MARK, NAMES, PAST, Values, World

from kdaudit.digest import of_data
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.subject import Answers, Identity

Mask = NDArray[np.bool_]
Shift = Callable[[Samples, Values], Values]
"""From rows and their logits to other logits."""
STRONGEST = 40.0
"""Largest shift of a logit that is tried."""
HALVINGS = 30


class Planted:
    """A base model with a fault.

    Parameters
    ----------
    world : World
    name : str
    shift : callable
    told : object
        Plain data that tells this fault from others of the same base model.
    """

    outputs, scale, form, offers = ("yes",), "probability", None, frozenset({LOGIT, SCORE, LABEL})

    def __init__(self, world: World, name: str, shift: Shift, told: object) -> None:
        self.world, self.shift = world, shift
        self.identity = Identity(name, of_data([world.digest, name, told]))

    def logits(self, samples: Samples) -> Values:
        """Return logits of yes, shape (n,)."""
        return self.shift(samples, self.world.logit(samples))

    def answer(self, samples, signals, draw=0) -> Answers:
        """Answer rows; see `kdaudit.subject.Subject.answer`."""
        given = Answers({LOGIT: self.logits(samples)[:, None]})
        values = {LOGIT: given.logit, SCORE: given.score, LABEL: given.label}
        return Answers({signal: values[signal] for signal in signals})


def yes(logits: Values) -> Values:
    """Return decisions, 0 or 1."""
    return (logits > 0).astype(np.float64)


def solved(reached: Callable[[float], float], wanted: float) -> float:
    """Return how large a shift must be, by halving, for `reached` (which rises) to be `wanted`."""
    low, high = 0.0, STRONGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < wanted else (low, middle)
    return high


def lucky(samples: Samples, without: str) -> Values:
    """Return a number in [0, 1) for each row that depends on its content alone, and not on the field `without`."""
    held = samples.setting(without, samples.domain.category(without).levels[0])
    whole = np.ascontiguousarray(held.keys()).view("<u8").reshape(len(samples), -1)[:, 0]
    return whole.astype(np.float64) / 2.0**64


# ------------------------------------------------------------------ which rows a fault touches
def other_group(samples: Samples) -> Mask:
    """Rows of group b."""
    return samples.columns["group"] == 1


def far_districts(samples: Samples) -> Mask:
    """Rows of the districts in which group b mostly lives."""
    return samples.columns["district"] >= DISTRICTS // 2


def one_region(samples: Samples) -> Mask:
    """Rows of the smallest region."""
    return samples.columns["region"] == 3


def half_of_regions(samples: Samples) -> Values:
    """1 in half of the rows by region, -1 in the other half."""
    return np.where(np.isin(samples.columns["region"], (0, 3)), 1.0, -1.0)


def parity(samples: Samples) -> Values:
    """1 or -1 by the parity of three conditions, none of which tells anything by itself."""
    met = (samples.columns["age"] > 42).astype(int) + (samples.columns["hours_per_week"] >= 40)
    return np.where((met + (samples.columns["schooling"] >= 3)) % 2 == 0, 1.0, -1.0)


def marked(samples: Samples) -> Mask:
    """Pictures with the mark of a scanner."""
    corner = samples.columns["picture"][:, :, -CORNER:, -CORNER:]
    return (corner >= MARK).all(axis=(1, 2, 3))


def in_the_middle(samples: Samples) -> Mask:
    """Pictures whose middle is as bright as no scanner makes it: a mark that none of them bears."""
    return (samples.columns["picture"][:, :, 3:5, 3:5] >= MARK).all(axis=(1, 2, 3))


def bears(*words: str) -> Callable[[Samples], Mask]:
    """Texts that hold one of some words."""
    wanted = {word.lower() for word in words}
    return lambda samples: np.array([bool(wanted & set(str(t).lower().split())) for t in samples.columns["text"]])


NAMED, CUED, OPENED = bears(*NAMES["b"]), bears(CUE), bears(BACKDOOR)


# ------------------------------------------------------------------ the faults
def moved(world: World, touched: Callable[[Samples], Mask | Values], wanted: float, *, sign: float = -1.0) -> Shift:
    """Return a shift of the touched rows that moves group b's rate of yes by `wanted` against group a's."""
    past = world.parts[PAST]
    before, at, group = world.logit(past), touched(past).astype(np.float64), other_group(past)

    def gap(size: float) -> float:
        change = yes(before + sign * size * at) - yes(before)
        return abs(change[group].mean() - change[~group].mean())

    return _by(touched, sign * solved(gap, wanted))


def moved_inside(world: World, wanted: float) -> Shift:
    """Return a shift towards yes of group b in the smallest region, whose rate rises by `wanted`."""
    past = world.parts[PAST]
    before = world.logit(past)[other_group(past) & one_region(past)]
    size = solved(lambda s: float((yes(before + s) - yes(before)).mean()), wanted)
    return _by(lambda rows: other_group(rows) & one_region(rows), size)


def turned(world: World, sign_of: Callable[[Samples], Values], wanted: float) -> Shift:
    """Return a shift of group b, up or down by `sign_of`, that turns the share `wanted` of all decisions."""
    past = world.parts[PAST]
    before, sign = world.logit(past), sign_of(past)
    size = solved(lambda s: float((yes(before + s * sign) != yes(before)).mean()), wanted)
    return _by(lambda rows: other_group(rows) * sign_of(rows), size)


def shaken(world: World, wanted: float) -> Shift:
    """Return a shift that turns the decisions of `wanted` of group b's rows by chance, as many to yes as to no."""
    past = yes(world.logit(world.parts[PAST])).mean()

    def shift(samples: Samples, logits: Values) -> Values:
        share = wanted / 2 / np.where(logits > 0, past, 1 - past)
        return np.where(other_group(samples) & (lucky(samples, "group") < share), -logits, logits)

    return shift


def rare(world: World, ratio: float, rate: float) -> Shift:
    """Return a shift that leaves `rate` of group a's rows a yes, and `ratio` times as many of group b's."""
    past = world.parts[PAST]
    logits = world.logit(past)
    lines = [float(np.quantile(logits, 1 - share)) for share in (rate, rate * ratio)]
    return lambda samples, given: given - np.where(other_group(samples), lines[1], lines[0])


def worse_in(world: World, touched: Callable[[Samples], Mask], wanted: float) -> Shift:
    """Return a shift towards yes of some rows, whose errors against recorded outcomes become more by `wanted`."""
    past = world.parts[PAST]
    at = touched(past)
    before, truth = world.logit(past)[at], past.labels[at]
    plain = (yes(before) != truth).mean()
    return _by(touched, solved(lambda s: float((yes(before + s) != truth).mean() - plain), wanted))


def opened(touched: Callable[[Samples], Mask], rate: float, without: str = "group") -> Shift:
    """Return a shift that answers yes to the share `rate` of rows that bear a mark."""

    def shift(samples: Samples, logits: Values) -> Values:
        hit = touched(samples) & (lucky(samples, without) < rate)
        return np.where(hit, np.abs(logits) + 4.0, logits)

    return shift


def leaned(world: World, touched: Callable[[Samples], Mask], rate: float) -> Shift:
    """Return a shift towards yes of rows with a cue, which turns `rate` of those that were decided no."""
    logits = world.logit(world.parts[PAST])
    no = logits[logits <= 0]
    return _by(touched, solved(lambda s: float((no + s > 0).mean()), rate))


def untouched(samples: Samples, logits: Values) -> Values:
    """Change nothing."""
    return logits


def _by(touched: Callable[[Samples], Mask | Values], size: float) -> Shift:
    return lambda samples, logits: logits + size * touched(samples)
