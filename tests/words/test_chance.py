"""Chance comes from a seed and a name, never from an order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.chance import rng, seed_of

seeds, names = st.integers(-(2**70), 2**70), st.text(max_size=12)


@given(seeds, names)
def test_the_same_seed_and_name_give_the_same_stream(seed, name):
    assert 0 <= seed_of(seed, name) < 2**63
    assert rng(seed, name).bytes(16) == rng(seed, name).bytes(16)


@given(st.sets(st.tuples(seeds, st.text("abc/", max_size=6)), min_size=2, max_size=9))
def test_others_give_others(streams):
    assert len({seed_of(*stream) for stream in streams}) == len(streams)


def test_a_further_name_or_another_order_changes_no_stream():
    alone = rng(7, "questions/parity/choice").random(5).tolist()
    drawn = {name: rng(7, name).random(5).tolist() for name in ("a", "questions/parity/choice", "z")}
    back = {name: rng(7, name).random(5).tolist() for name in reversed(drawn)}
    assert drawn == back and drawn["questions/parity/choice"] == alone


def test_nothing_global_is_touched_or_used():
    state = np.random.get_state()[1].copy()
    rng(0, "a").random(10)
    assert (np.random.get_state()[1] == state).all()


def test_streams_stay_what_they_are():
    """Written down, since saved runs are repeated by these numbers."""
    assert seed_of(0, "a") == 70371372590122459
    assert rng(0, "a").integers(10**6, size=3).tolist() == [959216, 44807, 777231]
