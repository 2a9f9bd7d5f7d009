"""Laws of error: planted ones lie in their bands."""

import numpy as np

from kdaudit.statistics.laws import fit_law

SIZES = (50, 100, 200, 400, 800, 1600)


def law(size, e=0.05, a=4.0, b=0.8):
    return e + a * size**-b


def test_bands_hold_the_planted_law_about_as_often_as_they_say():
    held = []
    for start in range(25):
        rng = np.random.default_rng(start)
        errors = [law(s) + rng.normal(0, 0.01, 8) for s in SIZES]
        found = fit_law(SIZES, errors, rng=rng, draws=60)
        inside = found.sizes <= 1600
        truth = law(found.sizes[inside])
        held.append(np.mean((found.low[inside] <= truth) & (truth <= found.high[inside])))
    assert 0.8 < np.mean(held) <= 1.0
