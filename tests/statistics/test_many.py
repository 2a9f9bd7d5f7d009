import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.errors import InvalidInput
from kdaudit.statistics.many import bonferroni, holm

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
