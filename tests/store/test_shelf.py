"""A shelf reads each part once, and what it gave first stays."""

from __future__ import annotations

import numpy as np

from kdaudit.store.shelf import Shelf

KEYS = np.frombuffer(bytes(range(48)), dtype="S16")
BLANK = np.full(1, np.nan)


def test_parts_are_read_once(tmp_path):
    one, two = (Shelf(tmp_path, BLANK, {}) for _ in range(2))
    assert not one.refresh()
    one.add(KEYS[:2], np.array([[1.0], [2.0]]))
    assert not one.refresh()  # it wrote that part itself
    assert two.refresh() and not two.refresh()
    assert two.take(two.find(KEYS))[:, 0].tolist()[:2] == [1, 2] and two.find(KEYS)[2] == -1


def test_what_was_given_first_stays(tmp_path):
    shelf = Shelf(None, BLANK, {})
    shelf.add(KEYS[:1], np.array([[1.0]]))
    shelf.add(KEYS[:2], np.array([[9.0], [2.0]]))
    assert shelf.take(shelf.find(KEYS[:2]))[:, 0].tolist() == [1, 2]


def test_of_two_parts_with_one_key_the_same_one_counts_in_every_process(tmp_path):
    one, two = (Shelf(tmp_path, BLANK, {}) for _ in range(2))
    one.add(KEYS[:1], np.array([[1.0]]))
    two.add(KEYS[:1], np.array([[2.0]]))
    seen = {float(Shelf(tmp_path, BLANK, {}).take(np.array([0]))[0, 0]) for _ in range(3)}
    assert len(seen) == 1
