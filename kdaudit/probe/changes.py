"""Who changes rows, and how: along the gradient of a network or of its words, by search for all others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from kdaudit.abilities import Opened
from kdaudit.domain import Real
from kdaudit.encoding import Encoding
from kdaudit.pictures import Pictures
from kdaudit.probe.readings import ask_one
from kdaudit.probe.rewording import has_words, reworded
from kdaudit.samples import Samples, concat
from kdaudit.sampling.attacks import Floats, Reach, Slope, climbed, searched
from kdaudit.signal import GRADIENT, LOGIT, SCORE
from kdaudit.subject import Answers, Ask, Subject

if TYPE_CHECKING:
    from kdaudit.networks.network import Network

Method = Literal["pgd", "fgsm", "hotflip", "search"]
Labels = NDArray[np.int64]
SHORT: dict[Method, str] = {"pgd": "PGD", "fgsm": "FGSM", "hotflip": "HotFlip", "search": "search"}
WORDS: dict[Method, str] = {
    "pgd": "projected gradient descent in the max-norm (Madry et al. 2018)",
    "fgsm": "one step along the sign of the gradient (Goodfellow et al. 2015)",
    "hotflip": "words exchanged by the gradient of their vectors, each verified (HotFlip: Ebrahimi et al. 2018)",
    "search": "search: squares of pictures, steps of numbers, exchanged levels and words (Andriushchenko et al. 2020)",
}


@dataclass(frozen=True)
class Effort:
    """How changes are made.

    Parameters
    ----------
    method : {"pgd", "fgsm", "hotflip", "search"}
        Of words, the first two are HotFlip, as it is PGD of numbers.  Whoever has no gradient searches.
    steps, brood : int
        Steps of a climb or rounds of a search; changes that a search tries for a row in each round.
    """

    method: Method
    steps: int
    brood: int

    def of(self, subject: Subject, rows: Samples) -> Method:
        """Return how `subject` changes these rows."""
        if self.method == "search":
            return "search"
        if has_slope(subject, rows):
            return "pgd" if self.method == "hotflip" else self.method
        return "hotflip" if has_words(subject, rows) else "search"


def decided(ask: Ask, subject: Subject, rows: Samples) -> Labels:
    """Return decisions, shape (n,); `FAILED` where a row was not answered."""
    answers = ask_one(ask, subject, rows)
    return np.where(answers.answered, answers.label, FAILED)


FAILED = -9
"""Decision of a row that was not answered: no class, and no difference of two."""


def has_slope(subject: Subject, rows: Samples) -> bool:
    """Return whether a subject is a network over the rows' own fields whose gradients can be used."""
    return (
        GRADIENT in subject.offers
        and isinstance(subject, Opened)
        and isinstance(subject.encoding, (Encoding, Pictures))
        and subject.encoding.domain.layout() == rows.domain.layout()
    )


def changed(subject: Subject, rows: Samples, own: Labels, ask: Ask, reach: Reach, effort: Effort, seed: int) -> Samples:
    """Return rows that `subject` changed so that its own decision turns where it can.

    Parameters
    ----------
    subject : Subject
        Asked about many rows where it has no gradient.
    rows : Samples
        n rows.
    own : array of shape (n,)
        Its decisions about them.
    ask : Ask
    reach : Reach
    effort : Effort
    seed : int
        Of the search.
    """
    method = effort.of(subject, rows)
    if method == "hotflip":
        return reworded(subject, rows, own, reach, effort.brood, _distance)
    if method != "search":
        network: Any = subject
        steps = 1 if method == "fgsm" else effort.steps
        # the estimate that chooses levels holds near a row: where it errs, numbers alone are changed
        ways = (reach, replace(reach, swaps=0))[: 1 + bool(reach.swaps and isinstance(network.encoding, Encoding))]
        made = [climbed(rows, network.encoding, _slope(network, own), way, steps) for way in ways]
        far = np.stack([_distance(network, one, own) for one in made])
        return concat(made).take(far.argmin(axis=0) * len(rows) + np.arange(len(rows)))

    def margin(tried: Samples, origin: Labels) -> Floats:
        return margins(ask_one(ask, subject, tried), own[origin])

    chance = np.random.default_rng(seed)
    return searched(rows, margin, reach, chance, rounds=effort.steps, brood=effort.brood)


def margins(answers: Answers, own: Labels) -> Floats:
    """Return how far answers are from another decision than `own`, shape (n,); 0 and less: decided otherwise."""
    turned, rows = answers.label != own, np.arange(len(own))
    if not {SCORE, LOGIT} & set(answers.values):
        far = np.where(turned, 0.0, 1.0)
    elif answers.score.shape[1] == 1:
        # a rule may draw the line anywhere: scores tell who is nearer to it, the label whether it is crossed
        far = np.where(turned, 0.0, expit(np.where(own > 0, 1.0, -1.0) * answers.score[:, 0]))
    else:
        scores = answers.score.copy()
        mine = scores[rows, own]
        scores[rows, own] = -np.inf
        far = mine - scores.max(axis=1)
        far = np.where(turned, np.minimum(far, 0.0), np.maximum(far, TIED))
    return np.where(answers.answered, far, np.inf)


TIED = 1e-12
"""Margin of a tie that is decided as before."""


def cosines(first: Subject, second: Subject, rows: Samples, own: Labels) -> Floats:
    """Return the cosine of two networks' gradients towards another decision, shape (n,); NaN where one is flat.

    Both are taken in the units of the fields, whatever each network's encoding is (Demontis et al. 2019).
    """
    a, b = (_in_units(who, rows, own) for who in (first, second))
    length = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(length > 0, np.clip((a * b).sum(axis=1) / length, -1.0, 1.0), np.nan)


def _in_units(who: Any, rows: Samples, own: Labels) -> Floats:  # noqa: ANN401 - a network, known by what it offers
    """Return the gradient, numbers measured in standard deviations of `rows`, so that no unit decides the angle."""
    encoding = who.encoding
    slope = _slope(who, own)(encoding.encode(rows))
    if isinstance(encoding, Pictures):
        return slope
    scales = iter(encoding.scales)
    for item, columns in zip(encoding.domain.fields, encoding.units.columns, strict=True):
        if isinstance(item, Real):
            slope[:, columns[0]] *= np.nanstd(rows.columns[item.name]) / next(scales)
    return slope


def _distance(network: Network, rows: Samples, own: Labels) -> Floats:
    """Return how far a network is from another decision, in logits; nothing is asked."""
    logits, at = network.raw(network.encoding.encode(rows)), np.arange(len(own))
    if len(network.outputs) == 1:
        return np.where(own > 0, 1.0, -1.0) * logits[:, 0]
    mine = logits[at, own]
    logits[at, own] = -np.inf
    out: Floats = mine - logits.max(axis=1)
    return out


def _slope(network: Network, own: Labels) -> Slope:
    """Return how the margin of each row's own decision over the next falls with each encoded column."""
    # torch is loaded where gradients are computed, not where a plan is checked
    from kdaudit.networks.gradients import input_gradients

    count = len(network.outputs)

    def slope(encoded: NDArray[np.float32]) -> Floats:
        if count == 1:
            return np.where(own > 0, -1.0, 1.0)[:, None] * input_gradients(network, encoded)[1]
        logits, rows = network.raw(encoded), np.arange(len(own))
        logits[rows, own] = -np.inf
        other = logits.argmax(axis=1)
        out = np.zeros(encoded.shape)
        for sign, classes in ((1.0, other), (-1.0, own)):
            for one in np.unique(classes):
                at = np.flatnonzero(classes == one)
                out[at] += sign * input_gradients(network, encoded[at], int(one))[1]
        return out

    return slope
