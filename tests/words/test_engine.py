"""Pieces: one after another or side by side, the same results in the same order."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.engine import map_pieces, slices


@given(st.integers(0, 50), st.integers(1, 12))
def test_slices_cover_all_rows_once_in_order(n, size):
    parts = [list(range(n))[piece] for piece in slices(n, size)]
    assert [row for part in parts for row in part] == list(range(n))
    assert all(len(part) == size for part in parts[:-1])


@given(st.lists(st.integers(), max_size=20), st.integers(1, 4))
def test_results_come_in_the_order_of_pieces(pieces, workers):
    assert list(map_pieces(lambda x: x * 2, pieces, workers=workers)) == [x * 2 for x in pieces]


def test_a_piece_that_is_late_still_comes_in_its_place():
    second_done = threading.Event()

    def work(piece):
        if piece == 0:
            assert second_done.wait(10)  # ends only if the other piece is worked off beside it
        else:
            second_done.set()
        return piece

    assert list(map_pieces(work, [0, 1], workers=2)) == [0, 1]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_fault_in_a_piece_is_not_swallowed(workers):
    def work(piece):
        if piece == 2:
            raise RuntimeError("piece 2")
        return piece

    with pytest.raises(RuntimeError, match="piece 2"):
        list(map_pieces(work, range(5), workers=workers))
