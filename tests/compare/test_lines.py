"""Ways between two rows, against a formula whose boundary is known and slow twins."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.compare.lines import Lines, crossings, distances, partners, spreads
from kdaudit.domain import Domain, Real, Text
from kdaudit.samples import Origin, Samples


def test_halving_finds_the_place_that_a_formula_gives(people):
    samples = people(200)
    lines = Lines.drawn(samples.take(np.arange(100)), samples.take(np.arange(100, 200)), rng(0, "lines"))
    a, b = lines.first.columns["hours"], lines.second.columns["hours"]

    def decide(rows):
        return (rows.columns["hours"] > 50).astype(np.int64)

    found = crossings(decide, lines, (decide(lines.first), decide(lines.second)), halvings=20)
    crosses = (a > 50) != (b > 50)
    assert np.isnan(found[~crosses]).all()
    np.testing.assert_allclose(found[crosses], ((50 - a) / (b - a))[crosses], atol=2.0**-20)


def test_ways_stay_inside_the_domain_and_end_at_their_rows(people):
    samples = people(60)
    lines = Lines.drawn(samples.take(np.arange(30)), samples.take(np.arange(30, 60)), rng(1, "lines"))
    for share, end in ((0.0, lines.first), (1.0, lines.second)):
        got = lines.at(np.full(30, share))
        assert got.keys().tolist() == end.keys().tolist()
    middle = lines.at(np.full(30, 0.5))
    low = np.minimum(lines.first.columns["age"], lines.second.columns["age"])
    assert (middle.columns["age"] >= low).all()
    assert (middle.columns["age"] == np.round(middle.columns["age"])).all()
    for name in ("sex", "school"):
        pair = np.stack([lines.first.columns[name], lines.second.columns[name]])
        assert (pair == middle.columns[name]).any(axis=0).all()


def test_rows_between_that_break_a_constraint_leave_the_place_unknown():
    domain = Domain((Real("age", 0, 100), Real("work", 0, 100)), ("work <= 20 or work >= 80",))
    ends = [Samples(domain, {"age": [50.0], "work": [w]}, np.arange(1), Origin("x")) for w in (0.0, 100.0)]
    lines = Lines.drawn(ends[0], ends[1], rng(0, "lines"))
    place = crossings(lambda rows: np.ones(len(rows), dtype=np.int64), lines, (np.array([0]), np.array([1])))
    assert np.isnan(place).all()


def test_between_two_texts_lie_those_that_begin_as_one_and_end_as_the_other():
    domain = Domain((Text("words"),))
    first, second = "it is a dull, slow film", "brave and fine!"
    ends = [
        Samples(domain, {"words": np.array([text], dtype=object)}, np.arange(1), Origin("x"))
        for text in (first, second)
    ]
    lines = Lines.drawn(*ends, rng(0, "lines"))
    said = [lines.at(np.array([share])).columns["words"][0] for share in (0.0, 0.3, 0.5, 0.9, 1.0)]
    assert said == [first, "brave a dull, slow film", "brave and , slow film", "brave and fine! film", second]
    # the place where a reader of one word turns: between the shares at which the word is there and is not
    place = crossings(
        lambda rows: np.array([int("dull" in text) for text in rows.columns["words"]]),
        lines,
        (np.array([1]), np.array([0])),
        halvings=8,
    )
    turns = [s for s in np.linspace(0, 1, 2001) if "dull" not in lines.at(np.array([s])).columns["words"][0]]
    assert place[0] == pytest.approx(turns[0], abs=0.005)
    assert distances(*ends, {})[0, 0] == 1.0
    assert distances(ends[0], ends[0], {})[0, 0] == 0.0
    shared = Samples(domain, {"words": np.array(["a film"], dtype=object)}, np.arange(1), Origin("x"))
    assert distances(ends[0], shared, {})[0, 0] == pytest.approx(1 - 2 / 7)


def test_distances_equal_a_loop_over_fields(people):
    samples = people(40)
    scales = spreads(samples)
    got = distances(samples.take(np.arange(10)), samples, scales)
    for i in range(10):
        for j in range(40):
            total = 0.0
            for item in samples.domain.fields:
                x, y = samples.columns[item.name][i], samples.columns[item.name][j]
                if isinstance(item, Real):
                    total += min(abs(x - y) / scales[item.name], 1.0)
                else:
                    total += float(x != y)
            assert got[i, j] == pytest.approx(total / 4, abs=1e-12)


def test_partners_are_the_nearest_rows_of_another_class(people):
    samples = people(60)
    labels = rng(0, "labels").integers(0, 3, 60)
    chosen = np.arange(20)
    gap = distances(samples, samples, spreads(samples))
    for i, j in zip(chosen, partners(samples, labels, chosen), strict=True):
        others = np.flatnonzero(labels != labels[i])
        assert labels[j] != labels[i]
        assert gap[i, j] == gap[i, others].min()
    assert (partners(samples, np.zeros(60, dtype=np.int64), chosen) == -1).all()
