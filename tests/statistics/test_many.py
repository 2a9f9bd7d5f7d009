import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from kdaudit.errors import InvalidInput
from kdaudit.statistics.many import bonferroni, holm, stepped
from kdaudit.statistics.rates import critical

P = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def stepwise(p, alpha):
    """Holm's procedure as told: from the smallest on, until the first that is too large."""
    rejected = [False] * len(p)
    for step, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        if p[i] * (len(p) - step) > alpha:
            break
        rejected[i] = True
    return rejected


@given(P, st.sampled_from((0.01, 0.05, 0.2)))
def test_adjusted_values_reject_what_the_steps_do(p, alpha):
    assert (holm(p) <= alpha).tolist() == stepwise(p, alpha)


@given(P)
def test_adjusted_values_lie_between_single_and_bonferroni(p):
    got = holm(p)
    assert (got >= p).all()
    assert (got <= np.minimum(np.array(p) * len(p), 1) + 1e-15).all()


def test_a_published_example():
    # Holm 1979: p = .01, .04, .03, .005
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_claims_that_could_not_be_tested_still_count():
    got = holm([0.02, math.nan])
    assert got[0] == 0.04
    assert math.isnan(got[1])
    assert holm([]).size == 0


def test_levels_leave_the_family_its_level():
    assert bonferroni(0.95, 1) == 0.95
    assert 1 - 10 * (1 - bonferroni(0.95, 10)) == pytest.approx(0.95)
    with pytest.raises(InvalidInput):
        bonferroni(0.95, 0)


def at_margin(level, estimate, margin, error=1.0):
    """What a usual interval of an effect says of "within the margin": fails, holds, or nothing."""
    half = critical(level) * error
    if abs(estimate) - half > margin:
        return "fails"
    return "holds" if abs(estimate) + half <= margin else ""


def test_claims_that_are_decided_leave_their_level_to_the_others():
    estimates = dict(zip("abcd", (9.0, 5.45, 5.25, 3.0), strict=True))
    levels = stepped(tuple(estimates), 0.95, lambda name, level: bool(at_margin(level, estimates[name], 3.0)))
    # a leaves at the level of four, b at that of three, c at that of two; d has no rival left, and is not decided
    assert [round(levels[x], 4) for x in "abcd"] == [0.9875, 0.9833, 0.975, 0.95]
    assert stepped((), 0.95, lambda *_: True) == {}


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_no_claim_of_a_family_is_decided_wrongly_more_often_than_was_said(shared):
    rng, margin, wrong = np.random.default_rng(0), 4.0, 0
    # on either side of either margin, where deciding wrongly and rightly are both likeliest, and far from it
    truth = dict(zip("abcdef", (4.001, -4.001, 3.999, 4.3, 9.0, 0.0), strict=True))
    for _ in range(3000):
        common = rng.standard_normal()
        found = {
            x: at + math.sqrt(shared) * common + math.sqrt(1 - shared) * rng.standard_normal()
            for x, at in truth.items()
        }
        levels = stepped(tuple(truth), 0.95, lambda x, level, found=found: bool(at_margin(level, found[x], margin)))
        said = {x: at_margin(levels[x], found[x], margin) for x in truth}
        wrong += any(said[x] == ("holds" if abs(truth[x]) > margin else "fails") for x in truth)
    assert binomtest(wrong, 3000).proportion_ci(0.99).low < 0.05
    # half the errors that are allowed, since an estimate errs towards one side only
    assert wrong / 3000 < 0.04
