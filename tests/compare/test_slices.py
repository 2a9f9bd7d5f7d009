"""The worst slice: against a search slice by slice, and without an optimist's bias."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kdaudit.compare.slices import halves, worst_slice
from kdaudit.measures.strata import grouped


def slow_search(samples, values, search, minimum):
    atoms = []
    for field in samples.domain.names:
        strata = grouped(samples, field)
        atoms += [(field, strata.group(level), strata.place == i) for i, level in enumerate(strata.levels)]
    best, text, tried = -np.inf, None, 0
    whole = values[search].mean()
    pairs = [((a,), a[2]) for a in atoms]
    pairs += [((a, b), a[2] & b[2]) for a, b in itertools.combinations(atoms, 2) if a[0] != b[0]]
    for parts, rows in pairs:
        if (rows & search).sum() < minimum or (rows & ~search).sum() < minimum:
            continue
        tried += 1
        surprise = (whole - values[rows & search].mean()) * np.sqrt((rows & search).sum())
        if surprise > best + 1e-12:
            best, text = surprise, " and ".join(p[1] for p in parts)
    return text, tried


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_one_that_a_slow_search_finds(people, seed):
    samples = people(600, seed)
    values = (np.random.default_rng(seed).random(600) < 0.8).astype(float)
    search = halves(samples)
    got = worst_slice(samples, values, search=search, minimum=20)
    assert (got.text, got.tried) == slow_search(samples, values, search, 20)
    rows = got.rows & search
    assert got.found == pytest.approx(values[rows].mean())
    assert got.found_n == rows.sum()


def test_a_planted_slice_is_found(people):
    samples = people(4000)
    bad = (samples.columns["sex"] == 0) & (samples.columns["school"] == 2)
    values = np.where(bad, np.arange(4000) % 2, 1.0)
    got = worst_slice(samples, values, search=halves(samples), minimum=50)
    assert got.text == "sex = female and school = high"
    assert np.array_equal(got.rows, bad)


def test_without_a_true_slice_the_other_half_shows_none(people):
    excess_found, excess_other = [], []
    for seed in range(40):
        samples = people(800, seed)
        values = (np.random.default_rng(1000 + seed).random(800) < 0.9).astype(float)
        search = halves(samples)
        got = worst_slice(samples, values, search=search, minimum=40)
        excess_found.append(values[search].mean() - got.found)
        excess_other.append(values[~search].mean() - values[got.rows & ~search].mean())
    other = np.array(excess_other)
    assert np.mean(excess_found) > 0.03
    assert abs(other.mean()) < 4 * other.std() / np.sqrt(40)


def test_no_slice_is_large_enough(people):
    samples = people(60)
    assert worst_slice(samples, np.ones(60), search=halves(samples), minimum=50) is None


def test_halves_are_halves_and_copies_lie_on_one_side(people):
    samples = people(2000)
    search = halves(samples)
    assert 900 < search.sum() < 1100
    twice = samples.take(np.r_[np.arange(2000), np.arange(2000)])
    assert np.array_equal(halves(twice)[:2000], halves(twice)[2000:])
