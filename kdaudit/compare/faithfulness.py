"""Do a subject's reasons tell what moves an answer: its own (faithfulness), or the teacher's (crossed)?

Units are put in and taken away in the order of an attribution; what is taken away is replaced by background rows.  Only
answers are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Game = Callable[[NDArray[np.bool_]], Floats]
"""``game(masks (k, n, units)) -> (k, n)``: what each row's own coalitions are worth."""
SHARES = (0.01, 0.05, 0.10, 0.20, 0.50)
"""Shares of the units that count as the top ones (DeYoung et al. 2020)."""
FINE, STEPS = 24, 10
"""Of more units than the first, not every step of a curve is tried but so many, and the top ones of `SHARES`."""


@dataclass(frozen=True, eq=False)
class Curves:
    """What an order of units does to answers.

    Parameters
    ----------
    kept, left : array of shape (n, units + 1)
        Worth with only the first 0, 1, ... units of the order, and with all but them; in the direction in which the row
        lies from the background, so that more is more of the answer.  Of many units some steps are in between others.
    """

    kept: Floats
    left: Floats

    @property
    def insertion(self) -> Floats:
        """Area below `kept`, from 0 to 1 (Petsiuk et al. 2018), shape (n,)."""
        return _area(self.kept)

    @property
    def deletion(self) -> Floats:
        """Area below `left`; low where the order is faithful."""
        return _area(self.left)

    @property
    def span(self) -> Floats:
        """Insertion minus deletion: high where the order is faithful, shape (n,)."""
        return self.insertion - self.deletion

    @property
    def comprehensiveness(self) -> Floats:
        """Loss of worth without the top units, mean over `SHARES` (DeYoung et al. 2020), shape (n,)."""
        out: Floats = np.mean([self.left[:, 0] - self.left[:, k] for k in self._tops()], axis=0)
        return out

    @property
    def sufficiency(self) -> Floats:
        """Loss of worth with the top units alone, mean over `SHARES`; low where they suffice, shape (n,)."""
        out: Floats = np.mean([self.left[:, 0] - self.kept[:, k] for k in self._tops()], axis=0)
        return out

    def _tops(self) -> list[int]:
        return tops(self.kept.shape[1] - 1)


def tops(units: int) -> list[int]:
    """Return how many units count as the top ones."""
    return [max(1, round(share * units)) for share in SHARES]


def steps(units: int) -> NDArray[np.int64]:
    """Return after how many units of an order answers are looked at, rising from 0 to all of them."""
    if units <= FINE:
        return np.arange(units + 1)
    return np.unique([*np.round(np.linspace(0, units, STEPS + 1)).astype(np.int64), *tops(units)])


def _area(curve: Floats) -> Floats:
    out: Floats = (curve[:, 1:] + curve[:, :-1]).mean(axis=1) / 2
    return out


def curves(game: Game, values: Floats, sign: Floats) -> Curves:
    """Return what putting in and taking away units in the order of `values` does.

    Parameters
    ----------
    game : callable
        See `Game`.
    values : array of shape (n, units)
        Attributions that give the order, largest first, ties by position.
    sign : array of shape (n,)
        1 where the row's answer lies above the background's, -1 where below: there the most negative come first.
    """
    n, units = values.shape
    order = np.argsort(-values * sign[:, None], axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(units), (n, units)), axis=1)
    at = steps(units)
    masks = place[None] < at[:, None, None]
    kept, left = game(masks), game(~masks)
    return Curves(_between((kept * sign).T, at), _between((left * sign).T, at))


def _between(curve: Floats, at: NDArray[np.int64]) -> Floats:
    """Return a curve at all steps from some of them: straight lines between, whose area is that of the trapezoids."""
    whole = np.arange(at[-1] + 1)
    if len(at) == len(whole):
        return curve
    return np.stack([np.interp(whole, at, row) for row in curve]) if len(curve) else np.zeros((0, len(whole)))


def direction(game: Game, n: int, units: int) -> Floats:
    """Return whether each row's answer lies above (1) or below (-1) the background's, shape (n,)."""
    ends = game(np.stack([np.zeros((n, units), dtype=bool), np.ones((n, units), dtype=bool)]))
    return np.where(ends[1] >= ends[0], 1.0, -1.0)
