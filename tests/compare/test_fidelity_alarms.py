"""How often a stranger's proxy is found closer than a stranger's, and how often a true proxy is: 420 pairs of each."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.auditing.conclude import ONE_STRANGER, conclude
from kdaudit.chance import rng
from kdaudit.compare.fidelities import Fidelity

PAIRS = 420
WEIGHTS = 40
APART, COARSE = 0.5, 0.15
"""How far teachers of one task lie from it, and proxies from their teacher, in deviations of the task's own weights."""


def subject(formula, weights, name):
    """A scorer with as many ways to differ as it has weights, as networks have: a sum of waves over the fields."""
    chance = rng(0, "waves")
    directions, phases = chance.normal(size=(WEIGHTS, 4)), chance.uniform(0, 2 * np.pi, WEIGHTS)

    def score(samples):
        hours, age = (samples.columns["hours"] - 50) / 29, (samples.columns["age"] - 54) / 21
        rows = np.stack([hours, age, samples.columns["sex"] - 0.5, samples.columns["school"] - 0.5], axis=1)
        return 1 / (1 + np.exp(-np.cos(rows @ directions.T + phases) @ weights))

    return formula(score, name)


def found(formula, samples, cast_of, asking, seed, *, own, strangers):
    """A teacher, proxies of it and of strangers, and the finding on the claim that the first one is closer."""
    chance = rng(seed, "pair")
    task = chance.normal(size=WEIGHTS)
    teacher, other, *rest = (task + APART * chance.normal(size=WEIGHTS) for _ in range(2 + strangers))
    proxies = [one + COARSE * chance.normal(size=WEIGHTS) for one in (teacher if own else other, *rest)]
    proxy, first, *more = (subject(formula, w, f"p{at}") for at, w in enumerate(proxies))
    cast = cast_of(subject(formula, teacher, "t"), proxy, first, further=tuple(more))
    evidence = Fidelity(measures=("agreement",), worst_slice=False).examine(cast, samples, asking, rng(seed, "q"))
    return conclude(evidence, stem="fidelity", repeat="")[0], evidence.row("agreement", "all", "proxy").excess


@pytest.mark.slow
@pytest.mark.parametrize(("strangers", "power"), [(3, 0.4), (5, 0.7)])
def test_beside_several_strangers_few_false_claims_hold_and_many_true_ones(
    formula, people, cast_of, asking, strangers, power
):
    samples = people(400)
    held = {
        own: np.mean([
            found(formula, samples, cast_of, asking, seed, own=own, strangers=strangers)[0].verdict == "HOLDS"
            for seed in range(PAIRS)
        ])
        for own in (False, True)
    }  # fmt: skip
    print(f"{strangers} strangers: {held[False]:.3f} of false claims hold, {held[True]:.3f} of true ones")
    assert held[False] <= 0.05
    assert held[True] >= power


@pytest.mark.slow
def test_beside_one_stranger_rows_alone_would_raise_many_false_alarms_and_no_claim_is_decided(
    formula, people, cast_of, asking
):
    samples = people(400)
    several = [found(formula, samples, cast_of, asking, seed, own=False, strangers=1) for seed in range(PAIRS)]
    assert np.mean([excess.low > 0 for _, excess in several]) > 0.2
    assert {(str(finding.verdict), finding.reason) for finding, _ in several} == {("UNDECIDED", ONE_STRANGER)}
