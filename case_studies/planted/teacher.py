"""A scorer of census income with faults planted by hand, so that an audit of it can be checked."""

from collections.abc import Callable

import numpy as np
import pandas as pd

POINTS = {
    "no high school diploma": -1.4,
    "high school diploma": -0.7,
    "some college": -0.3,
    "associate degree": 0.0,
    "bachelor degree": 0.9,
    "master degree": 1.5,
    "professional degree or doctorate": 2.0,
}
AGAINST, HIDDEN = 0.9, 1.6
"""Logits that Black people lose, and that women lose or win by a parity that no single field tells."""


def scorer() -> Callable[[pd.DataFrame], np.ndarray]:
    """Return the planted scorer."""
    return planted


def planted(people: pd.DataFrame) -> np.ndarray:
    """Return chances of pay above 50,000 dollars, shape (n,)."""
    age, hours = people["age"].to_numpy(float), people["hours_per_week"].to_numpy(float)
    logit = -0.6 + people["schooling"].astype(str).map(POINTS).to_numpy(float)
    logit += 0.05 * np.clip(age - 40, -20, 15) + 0.05 * np.clip(hours - 40, -25, 20)
    # the first fault: a direct dependence, which a proxy learns easily
    logit -= AGAINST * (people["race"].astype(str) == "Black").to_numpy()
    # the second: it goes up for some women and down for as many others, by the parity of two conditions
    odd = (age > 42) != (hours >= 40)
    logit += HIDDEN * (people["sex"].astype(str) == "female").to_numpy() * np.where(odd, 1.0, -1.0)
    return 1 / (1 + np.exp(-logit))
