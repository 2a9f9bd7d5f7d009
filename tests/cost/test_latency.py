"""Percentiles against their law, ratios on clocks that are made to lie."""

import itertools

import numpy as np
import pytest

from kdaudit.cost.latency import TRIES, WARM_UP, answering, beside, latency, passing, percentile, settled
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.signal import SCORE


class Stage:
    """A clock that goes on by as much as each call takes."""

    def __init__(self, seed=0):
        self.now, self.rng, self.load, self.calls = 0, np.random.default_rng(seed), itertools.repeat(1.0), 0

    def clock(self):
        return self.now

    def call(self, mean):
        def go():
            self.calls += 1
            self.now += int(next(self.load) * mean * self.rng.lognormal(0, 0.1))

        return go


def test_a_percentile_lies_in_its_interval_as_often_as_it_says():
    rng, truth = np.random.default_rng(0), -np.log(1 - 0.9)
    hits = [(p := percentile(rng.exponential(size=300), 0.9)).low <= truth <= p.high for _ in range(2000)]
    assert 0.94 < np.mean(hits) < 0.98


def test_too_few_values_hold_no_percentile():
    assert not percentile(np.arange(50), 0.99).known
    assert not percentile([], 0.5).known
    assert percentile(np.arange(1, 102), 0.5).value == 51


def test_latency_is_measured_after_the_warm_up():
    stage = Stage()
    slow = itertools.chain(itertools.repeat(1000.0, WARM_UP), itertools.repeat(1.0))
    stage.load = slow
    found = latency(stage.call(40_000), calls=1000, clock=stage.clock)
    assert stage.calls == WARM_UP + 1000 and found.calls == 1000
    assert found.p50.value == pytest.approx(40, rel=0.05)
    assert found.p50.value < found.p90.value < found.p99.value <= found.largest < 80


def test_a_ratio_survives_a_machine_that_slows_down():
    stage = Stage()
    stage.load = (1 + n / 20_000 for n in itertools.count())
    found = beside(stage.call(40_000), stage.call(10_000), clock=stage.clock)
    assert found.value.low < 4.1 and found.value.high > 3.9
    assert found.value.high - found.value.low < 0.3
    assert 0.95 < found.itself.value < 1.05
    assert [found.at_least(t).verdict for t in (3, 4, 5)] == [Verdict.HOLDS, Verdict.UNDECIDED, Verdict.FAILS]


def test_a_subject_unlike_itself_leaves_the_ratio_undecided():
    stage = Stage()
    # a machine that is busy whenever the first seat is at its turn
    turns = ((block + turn) % 3 for block in itertools.count() for turn in range(3))
    busy = (1.3 if seat == 0 else 1.0 for seat in turns for _ in range(20))
    stage.load = itertools.chain(itertools.repeat(1.0, 2 * WARM_UP), busy)
    found = beside(stage.call(40_000), stage.call(10_000), clock=stage.clock)
    assert found.itself.value == pytest.approx(1.3, rel=0.02)
    assert not found.value.known and "too busy" in found.value.method
    assert found.at_least(2).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("keys", [{"calls": 100}, {"warm_up": 10}])
def test_few_calls_are_refused(keys):
    with pytest.raises(InvalidInput, match="are needed"):
        latency(lambda: None, **keys)
    with pytest.raises(InvalidInput, match="are needed"):
        beside(lambda: None, lambda: None, blocks=3)


def test_subjects_are_measured_as_they_answer(rows, network):
    small, large = network((4,)), network((1024, 1024), name="large")
    one = rows(64)
    found = beside(answering(large, one, {SCORE}), answering(small, one, {SCORE}), blocks=12, calls=5)
    assert found.itself.known
    assert not found.value.known or found.value.value > 1.5


def test_what_agrees_with_itself_is_told_and_what_does_not_is_unknown():
    stage = Stage()
    found = settled(stage.call(40_000), clock=stage.clock)
    assert found.p50.value == pytest.approx(40, rel=0.02) and found.p50.low <= found.p50.value <= found.p50.high
    assert found.p99.value > found.p90.value and stage.calls == WARM_UP + found.calls
    # a machine that is busy whenever the first seat is at its turn
    turns = ((block + turn) % 2 for block in itertools.cycle(range(40)) for turn in range(2))
    busy = (1.3 if seat == 0 else 1.0 for seat in turns for _ in range(63))
    stage = Stage()
    stage.load = itertools.chain(itertools.repeat(1.0, WARM_UP), busy)
    found = settled(stage.call(40_000), clock=stage.clock)
    assert not found.p50.known and "1.3" in found.p50.method and "too busy" in found.p50.method
    assert stage.calls == WARM_UP + TRIES * 5040 and found.calls == 0


def test_a_slow_subject_is_called_less_often():
    stage = Stage()
    found = settled(stage.call(10_000_000), clock=stage.clock)
    assert found.calls == 560 == stage.calls - WARM_UP and found.p99.known


def test_a_machine_that_calms_down_is_believed():
    stage = Stage()
    turns = ((block + turn) % 2 for block in range(40) for turn in range(2))
    busy = (1.3 if seat == 0 else 1.0 for seat in turns for _ in range(63))
    stage.load = itertools.chain(itertools.repeat(1.0, WARM_UP), busy, itertools.repeat(1.0))
    assert settled(stage.call(40_000), clock=stage.clock).p50.value == pytest.approx(40, rel=0.02)


def test_a_pass_is_that_of_the_module_and_of_as_many_rows(rows, network):
    import torch

    who, few = network((8,)), rows(3)
    threads = torch.get_num_threads()
    given = passing(who, few)()
    assert given.shape == (3, 1) and not given.requires_grad and torch.get_num_threads() == threads
    assert np.allclose(given.numpy(), who.raw(who.encoding.encode(few)), atol=1e-6)

    class Closed:
        def answer(self, samples, signals, draw=0):
            return len(samples), tuple(signals)

    assert passing(Closed(), few)() == (3, (SCORE,))
