"""What a subject is made of and what one row costs in it, counted: the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Opened, Rereading, Runnable
from kdaudit.cast import Empty
from kdaudit.digest import canonical
from kdaudit.interval import Interval, counted
from kdaudit.layers import Bulk, Layers
from kdaudit.rules import Rules, Test
from kdaudit.samples import Samples
from kdaudit.statistics.rates import mean
from kdaudit.subject import Subject

BYTES_A_WEIGHT = 4
"""Weights are kept and computed with in float32."""


@dataclass(frozen=True)
class Size:
    """What was counted.

    Parameters
    ----------
    parameters : Interval
        Weights of a network; tests and answers of rules.
    stored_bytes : Interval
        Bytes of the weights, or of the rules as plain JSON.
    operations : Interval or Empty
        Of one row: floating-point operations of a network (two a multiply-add), comparisons of rules (their mean over
        the rows).
    multiply_adds : Interval or Empty
        Of one row.
    operation : {"FLOPs", "comparisons"}
    """

    parameters: Interval
    stored_bytes: Interval
    operations: Interval | Empty
    multiply_adds: Interval | Empty
    operation: str


def size(subject: Subject, samples: Samples) -> Size | Empty:
    """Count what a subject is made of and what a row costs in it; no row is answered.

    Parameters
    ----------
    subject : Subject
    samples : Samples
        n rows over which comparisons are averaged; a network takes the same operations for each.

    Returns
    -------
    Size or Empty
        Empty where the subject shows no body and lies in no file that is run here.
    """
    match subject.form:
        case Layers() as layers:
            return _network(subject, layers, samples)
        case Rules() as rules:
            # rules over texts and pictures test what is read off them; the reading itself is not counted
            values = comparisons(rules, subject.seen(samples) if isinstance(subject, Rereading) else samples)
            n, told = len(samples), sum(len(rule.score) for rule in rules.rules)
            most = float(sum(_parts(test) for rule in rules.rules for test in rule.tests))
            return Size(
                counted(rules.terms + told, n),
                counted(len(canonical(rules.to_data()).encode()), n),
                mean(values, span=(0.0, most)),
                Empty("rules compare and do not multiply"),
                "comparisons",
            )
        case None if isinstance(subject, Runnable) and subject.bulk is not None:
            return _filed(subject.bulk, len(samples))
        case None:
            return Empty(f"{subject.identity.name} shows no body, so what it costs cannot be counted")


def _filed(bulk: Bulk, n: int) -> Size:
    """Return the size of a model in a file of another engine: its bytes are those of the file."""
    taken = bulk.multiply_adds
    products = Empty(bulk.uncounted) if taken is None else counted(taken, n)
    flops = Empty(bulk.uncounted) if taken is None else counted(2 * taken, n)
    return Size(counted(bulk.parameters, n), counted(bulk.stored_bytes, n), flops, products, "FLOPs")


def _network(subject: Subject, layers: Layers, samples: Samples) -> Size:
    n = len(samples)
    taken = _multiply_adds(subject, samples)
    products = taken if isinstance(taken, Empty) else counted(taken, n)
    flops = taken if isinstance(taken, Empty) else counted(2 * taken, n)
    weights = sum(prod(shape) for shape in layers.shapes.values())
    return Size(counted(layers.parameters, n), counted(BYTES_A_WEIGHT * weights, n), flops, products, "FLOPs")


def _multiply_adds(subject: Subject, samples: Samples) -> int | Empty:
    name = subject.identity.name
    if not isinstance(subject, Opened) or not len(samples):
        return Empty(f"{name} cannot be run here layer by layer, so its operations are not counted")
    # torch is loaded where operations are counted, not where a plan is checked
    from kdaudit.networks.operations import operations

    found = operations(subject.module, subject.encoding.encode(samples.take([0])))
    if found.uncounted:
        return Empty(f"the operations of {', '.join(found.uncounted)} in {name} cannot be counted")
    return found.multiply_adds


def comparisons(rules: Rules, samples: Samples) -> NDArray[np.float64]:
    """Return how many comparisons each row takes, shape (n,).

    A row of a tree takes the tests on the way to its leaf.  A row of a list takes the rules in their order until one
    holds, and of each rule the tests until one fails.  A test with two ends compares twice, membership counts once.
    """
    out = np.zeros(len(samples))
    if rules.family == "tree":
        depth = np.array([sum(_parts(test) for test in rule.tests) for rule in rules.rules], dtype=np.float64)
        way: NDArray[np.float64] = depth[rules.which(samples)]
        return way
    waiting = np.ones(len(samples), dtype=bool)
    for rule in rules.rules:
        passing = waiting.copy()
        for test in rule.tests:
            out[passing] += _parts(test)
            passing &= test.holds(samples)
        waiting &= ~passing
    return out


def _parts(test: Test) -> int:
    return max(1, (test.below is not None) + (test.above is not None) + (test.levels is not None))
