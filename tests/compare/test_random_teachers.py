"""Beside teachers that forgot what they learned: a map that shows nothing is no likeness."""

from __future__ import annotations

import numpy as np

from kdaudit.compare import random_teachers
from kdaudit.compare.random_teachers import beside_random
from kdaudit.compare.seats import Task
from kdaudit.encoding import Encoding
from kdaudit.explain.attributions import Attributions
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network

NAMES = tuple("abcd")


def shares_of(values):
    nothing = np.full(len(values), np.nan)
    return Attributions(NAMES, values, np.zeros_like(values), nothing, nothing, "made", "none", "logit")


def test_random_maps_without_anything_count_as_unlike(people, cast_of, asking, monkeypatch):
    rows = people(40)
    encoding = Encoding.fitted(rows)
    module = build("mlp", {"inputs": encoding.width, "outputs": 1, "hidden": [4]}, 0)
    cast = cast_of(*(Network(name, module, encoding, ("above",)) for name in "tp"))
    values = np.random.default_rng(0).normal(size=(40, 4))
    seats = {"teacher": shares_of(values), "proxy": shares_of(values + 0.1)}
    task = Task(rows, rows, np.zeros(40, dtype=np.int64), 2, np.zeros((40, 1), dtype=np.int64), rows)
    # half of the rows of every random teacher show nothing; in the other half it is the teacher itself
    bare = values * (np.arange(40) % 2)[:, None]
    monkeypatch.setattr(random_teachers, "attributed", lambda *_: shares_of(bare))
    row = beside_random("grad_cam", cast, seats, task, asking)
    assert row.control is not None and row.control.known
    assert row.control.value == 0.5
    assert row.excess is not None and abs(row.excess.value - (row.value.value - 0.5)) < 1e-12
    # as many rows counted as there are, and none left out
    assert row.control.n == 40
