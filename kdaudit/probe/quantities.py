"""What is compared between groups: one value a row, over which rows, and in which words.

Rates over recorded outcomes are rates over fewer rows: the true positive rate is the selection rate among rows whose
outcome is yes.  So one estimator serves all of them, and a group without such rows has no rate, rather than 0.
Definitions follow fairlearn 0.15 wherever that has the measure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples

Values = NDArray[np.float64]
Name = Literal[
    "selection_rate", "impact_ratio", "true_positive_rate", "false_positive_rate", "false_negative_rate",
    "true_negative_rate", "positive_predictive_value", "error_rate", "score", "score_quantile", "calibration_gap",
    "mean_error", "absolute_error", "r_squared", "ranking_exposure",
]  # fmt: skip


@dataclass(frozen=True)
class Quantity:
    """A measure of a group.

    Parameters
    ----------
    value : callable
        ``value(decisions or scores, outcomes)`` -> one number a row; also applied to chances, in which it is linear.
    reads : {"selection_rate", "score"}
        What is read of an answer.
    among : {None, 0, 1}
        The recorded outcome of the rows that count; None for all.
    yes : str
        What a row's 1 means, with ``{yes}`` for the plan's words; empty where values are no rates.
    noun : str
        What is averaged, where values are no rates.
    share : bool
        Whether it is the share of outcomes among rows decided yes: a ratio of two means.
    outcomes : bool
        Whether values need recorded outcomes.
    whole : bool
        Whether a row's value hangs on all other rows, so that all must be asked.
    spread : bool
        Whether outcomes come with the variance that they have in the row's group, shape (n, 2).
    """

    value: Callable[[Values, Values], Values]
    reads: Literal["selection_rate", "score"] = "selection_rate"
    among: int | None = None
    yes: str = "{yes}"
    noun: str = ""
    share: bool = False
    outcomes: bool = False
    whole: bool = False
    spread: bool = False

    @property
    def decides(self) -> bool:
        """Whether values are decisions, not scores."""
        return self.reads == "selection_rate"

    @property
    def needs_outcomes(self) -> bool:
        """Whether rows need recorded outcomes."""
        return self.outcomes or self.among is not None or self.share


def _itself(x: Values, _: Values) -> Values:
    return x


def _not(x: Values, _: Values) -> Values:
    return 1 - x


def _wrong(x: Values, outcome: Values) -> Values:
    return outcome + (1 - 2 * outcome) * x


def _short(x: Values, outcome: Values) -> Values:
    return outcome - x


def _over(x: Values, outcome: Values) -> Values:
    return x - outcome


def _apart(x: Values, outcome: Values) -> Values:
    return np.abs(x - outcome)


def _explained(x: Values, outcome: Values) -> Values:
    # its mean over a group is 1 - mean square error / variance of the outcomes, which are all known
    return 1 - (outcome[:, 0] - x) ** 2 / outcome[:, 1]


def exposure(x: Values, _: Values) -> Values:
    """Return each row's exposure in the ranking by score, highest first: ``1 / log2(1 + rank)``; ties share theirs."""
    if not len(x) or np.isnan(x).any():
        return np.full(len(x), np.nan)
    place = np.empty(len(x), dtype=np.int64)
    place[np.argsort(-x, kind="stable")] = np.arange(len(x))
    _, tied = np.unique(x, return_inverse=True)
    shown = np.bincount(tied, 1 / np.log2(2.0 + place)) / np.bincount(tied)
    out: Values = shown[tied]
    return out


QUANTITIES: dict[str, Quantity] = {
    "selection_rate": Quantity(_itself),
    "impact_ratio": Quantity(_itself),
    "true_positive_rate": Quantity(_itself, among=1),
    "false_positive_rate": Quantity(_itself, among=0),
    "false_negative_rate": Quantity(_not, among=1, yes="not {yes}"),
    "true_negative_rate": Quantity(_not, among=0, yes="not {yes}"),
    "positive_predictive_value": Quantity(_itself, share=True, yes="found with"),
    "error_rate": Quantity(_wrong, yes="decided against their outcome", outcomes=True),
    "score": Quantity(_itself, "score", yes="", noun="score"),
    "score_quantile": Quantity(_itself, "score", yes="", noun="score at the quantile"),
    "calibration_gap": Quantity(_short, "score", yes="", noun="outcome beyond the score", outcomes=True),
    "mean_error": Quantity(_over, "score", yes="", noun="score beyond the outcome", outcomes=True),
    "absolute_error": Quantity(_apart, "score", yes="", noun="distance of score and outcome", outcomes=True),
    "r_squared": Quantity(_explained, "score", yes="", noun="share of explained variance", outcomes=True, spread=True),
    "ranking_exposure": Quantity(exposure, "score", yes="", noun="exposure in the ranking", whole=True),
}


def outcomes(samples: Samples, measure: str, *, classes: bool) -> Values:
    """Return recorded outcomes, shape (n,); zeros where the measure needs none.

    Raises
    ------
    InvalidInput
        If it needs them and there are none, or they are no 0 and 1 where `classes`.
    """
    if not QUANTITIES[measure].needs_outcomes:
        return np.zeros(len(samples))
    if samples.labels is None:
        raise InvalidInput(f"{measure} needs recorded outcomes; name the label's column in the plan's `samples`")
    out = np.asarray(samples.labels, dtype=np.float64)
    if classes and not np.isin(out, (0, 1)).all():
        raise InvalidInput(f"{measure} needs outcomes 0 and 1; there are others in part {samples.origin.part!r}")
    return out


def with_variance(outcome: Values, place: NDArray[np.int64]) -> Values:
    """Return outcomes beside the variance that they have in their group, shape (n, 2); NaN where they do not vary."""
    inside = place >= 0
    count = np.bincount(place[inside])
    mean = np.bincount(place[inside], outcome[inside]) / np.maximum(count, 1)
    spread = np.bincount(place[inside], (outcome[inside] - mean[place[inside]]) ** 2) / np.maximum(count, 1)
    out = np.full((len(outcome), 2), np.nan)
    out[:, 0] = outcome
    out[inside, 1] = np.where(spread > 0, spread, np.nan)[place[inside]]
    return out


def conditional(groups: NDArray[np.int64], factor: NDArray[np.int64]) -> tuple[Values, float]:
    """Return factors that make all groups alike in a legitimate factor, and the share of rows that had to be left out.

    A group's mean of ``value * factor`` is its mean with the strata of the factor in the pool's shares (direct
    standardisation; conditional parity, Kamiran, Zliobaite and Calders 2013).

    Parameters
    ----------
    groups, factor : array of shape (n,)
        Group and stratum of each row; negative groups do not count.  A stratum that lacks a group is left out of all.

    Returns
    -------
    (array of shape (n,), float)
        0 for rows left out.
    """
    inside = groups >= 0
    n_groups, n_factor = int(groups.max(initial=0)) + 1, int(factor.max(initial=0)) + 1
    cells = np.bincount(groups[inside] * n_factor + factor[inside], minlength=n_groups * n_factor)
    table = cells.reshape(n_groups, n_factor)
    present = table.sum(axis=1) > 0
    whole = (table[present] > 0).all(axis=0)
    share = np.where(whole, table.sum(axis=0), 0) / max(table[:, whole].sum(), 1)
    out = np.zeros(len(groups))
    g, k = groups[inside], factor[inside]
    kept = whole[k]
    out[inside] = np.where(kept, table.sum(axis=1)[g] * share[k] / np.maximum(table[g, k], 1), 0.0)
    left_out = float((~kept).mean()) if len(kept) else 0.0
    return out, left_out
