"""What of everybody is explained: equal tasks have equal digests; large teachers take fewer rows beside a question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from kdaudit.compare import seats, ways
from kdaudit.compare.seats import Task, digest_of, some_rows
from kdaudit.encoding import Encoding
from kdaudit.networks.network import Network


@pytest.fixture
def task(people):
    rows = people(80)
    some = rows.take(np.arange(60))
    return Task(some, rows, np.zeros(60, dtype=np.int64), 4, np.zeros((60, 2), dtype=np.int64), rows)


@pytest.fixture
def network(people):
    encoding = Encoding.fitted(people(80))
    return Network("net", nn.Linear(encoding.width, 1), encoding, ("above",))


def test_whatever_a_task_holds_is_in_its_digest(task):
    changed = [
        replace(task, rows=task.rows.take(np.arange(1, 60))),
        replace(task, output=np.ones(60, dtype=np.int64)),
        replace(task, background=task.background.take(np.arange(9))),
        replace(task, lent=task.lent.take(np.arange(9))),
        replace(task, donors=task.donors + 1),
        *(replace(task, **{name: 3}) for name in ("nodes", "budget", "draws", "seed", "finest")),
        replace(task, scale="logit"),
        replace(task, asks=False),
    ]
    assert len({digest_of(one) for one in [task, *changed]}) == 1 + len(changed)
    assert digest_of(replace(task)) == digest_of(task)


def test_a_large_teacher_is_explained_on_fewer_rows_beside_a_question(task, network, monkeypatch):
    assert len(some_rows(task, network, 50).rows) == 50
    assert some_rows(task, network, 50).finest == task.finest
    monkeypatch.setattr(seats, "LARGE", 1)
    found = some_rows(task, network, 50)
    assert (len(found.rows), found.finest) == (10, 1)
    assert found.rows.ids.tolist() == task.rows.ids[:10].tolist()


def test_the_reasons_of_one_network_for_one_task_are_worked_out_once(task, network, monkeypatch):
    times = []
    inside = ways._inside
    monkeypatch.setattr(ways, "_inside", lambda *given: times.append(given) or inside(*given))
    first = ways.attributed("integrated_gradients", network, task, None)
    assert ways.attributed("integrated_gradients", network, replace(task), None) is first
    assert len(times) == 1
    other = ways.attributed("integrated_gradients", network, replace(task, seed=9), None)
    assert len(times) == 2
    assert np.array_equal(other.values, first.values)
    monkeypatch.setattr(ways, "KEPT", 1)
    ways.attributed("ablation", network, task, None)
    assert len(ways._kept) == 1
