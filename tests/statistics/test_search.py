"""Search: the worst subgroup is found, and chance alone raises few alarms."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import chisquare

from kdaudit.errors import InvalidInput
from kdaudit.statistics.search import Limits, search


def rows(rng, n=4000, columns=8, levels=4, base=0.08, lift=0.0):
    x = rng.integers(0, levels, (n, columns))
    planted = (x[:, 0] == 0) & (x[:, 1] == 1)
    v = (rng.random(n) < base + lift * planted).astype(float)
    masks = np.stack([x[:, j] == k for j in range(columns) for k in range(levels)])
    return masks, [j for j in range(columns) for _ in range(levels)], v


def test_scores_are_those_of_all_pairs_one_by_one():
    masks, fields, v = rows(np.random.default_rng(0), 600, 3, 3, 0.3)
    found, tried = search(masks, fields, v, np.random.default_rng(1), Limits(least=40, most=200, draws=1))
    by_hand = {}
    singles = [(i,) for i in range(9)]
    pairs = [(i, j) for i, j in itertools.combinations(range(9), 2) if fields[i] != fields[j]]
    for pair in singles + pairs:
        inside = masks[list(pair)].all(axis=0)
        k = inside.sum()
        if 40 <= k <= 560:
            gap = v[inside].mean() - v[~inside].mean()
            by_hand[pair] = gap / math.sqrt(v.var() * (1 / k + 1 / (600 - k)))
    assert tried == len(by_hand) == len(found)
    for one in found:
        assert one.z == pytest.approx(by_hand[one.conditions], rel=1e-4, abs=1e-5)
    assert [one.z for one in found] == sorted((one.z for one in found), reverse=True)


def test_a_planted_subgroup_is_found_and_nothing_is_found_in_nothing():
    masks, fields, v = rows(np.random.default_rng(2), lift=0.16)
    found, tried = search(masks, fields, v, np.random.default_rng(3), Limits())
    assert set(found[0].conditions) == {0, 5}
    assert found[0].p == pytest.approx(1 / 200)
    assert tried == 480
    assert search(masks, fields, np.zeros(4000), np.random.default_rng(3), Limits())[0] == ()
    with pytest.raises(InvalidInput, match="one value a row"):
        search(masks, fields, v[:-1], np.random.default_rng(3), Limits())


def test_each_rank_among_exchanges_is_equally_likely():
    # values all different: no ties, so that of 500 searches in nothing each of five ranks is the best one's in 100
    ranks = np.zeros(5, dtype=int)
    for seed in range(500):
        rng = np.random.default_rng(seed)
        masks, v = rng.random((4, 40)) < 0.5, rng.random(40) ** 6
        found, _ = search(masks, range(4), v, rng, Limits(least=5, draws=4, most=1))
        ranks[round(found[0].p * 5) - 1] += 1
    assert chisquare(ranks).pvalue > 0.001


@pytest.mark.slow
def test_false_alarms_are_few_and_power_is_there():
    alarms, hits = 0, 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        found, _ = search(*rows(rng, 2000), rng, Limits(least=25, most=1))
        alarms += found[0].p < 0.05
    for seed in range(60):
        rng = np.random.default_rng(10_000 + seed)
        found, _ = search(*rows(rng, lift=0.08), rng, Limits(most=1))
        hits += found[0].p < 0.05
    print(f"false alarms {alarms / 400:.3f}, power {hits / 60:.2f}")
    assert alarms <= 0.05 * 400 + 3 * math.sqrt(400 * 0.05 * 0.95)
    assert hits >= 0.5 * 60
