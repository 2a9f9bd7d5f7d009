"""Trees that rise where the domain says so: by all pairs of rows of a grid, and isotonic regression twice."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.monotone import comparable, directions, folded, isotonic, relabelled
from kdaudit.surrogates.trees import tree

DOMAIN = Domain(
    (
        Real("x", 0, 4, integer=True, monotone=1, missing=True),
        Real("y", 0, 4, integer=True, monotone=-1),
        Category("rank", ("low", "middle", "high"), ordered=True, monotone=1),
        Category("kind", ("a", "b", "c")),
    )
)
GRID = list(itertools.product([np.nan, 0.0, 1.0, 2.0, 3.0, 4.0], range(5), range(3), range(3)))


def rows_of(points):
    columns = {name: np.array([p[at] for p in points]) for at, name in enumerate(("x", "y", "rank", "kind"))}
    columns["y"] = columns["y"].astype(float)
    return Samples(DOMAIN, columns, np.arange(len(points)), Origin("grid"))


def drawn(n, seed):
    rng = np.random.default_rng(seed)
    return rows_of([GRID[at] for at in rng.integers(0, len(GRID), n)])


def noisy(samples, seed):
    rng = np.random.default_rng(seed)
    x = np.nan_to_num(samples.columns["x"], nan=2.0)
    value = 0.1 * x * (samples.columns["kind"] != 1) - 0.08 * samples.columns["y"] + 0.1 * samples.columns["rank"]
    return 1 / (1 + np.exp(-3 * (value + 0.6 * rng.standard_normal(len(samples)))))


def fitted(seed, domain_rows=400, leaves=8):
    samples = drawn(domain_rows, seed)
    score = noisy(samples, seed)
    kept = {int(key): value for key, value in zip(samples.ids, score, strict=True)}

    def ask(rows, signals):
        return Answers({SCORE: np.array([kept[int(i)] for i in rows.ids])[:, None]})

    behaviour = Behaviour("yes", ("yes",), DOMAIN)
    return tree(behaviour, samples, ask, leaves=leaves, slack=0.0, rng=np.random.default_rng(seed))


def broken(rules):
    """Pairs of grid points that differ in one monotone field and are answered the wrong way round."""
    said = dict(zip(GRID, rules.evaluate(rows_of(GRID))[:, 0], strict=True))
    out = []
    for point, value in said.items():
        for at, sign in ((0, 1), (1, -1), (2, 1)):
            for other in (1.0, 2.0, 3.0, 4.0) if at < 2 else (1, 2):
                higher = (*point[:at], other, *point[at + 1 :])
                if point[at] < other and sign * (said[higher] - value) < 0:
                    out.append((point, higher))
    return out


@pytest.mark.parametrize("seed", range(2))
def test_no_two_rows_are_answered_the_wrong_way_round(seed):
    found = fitted(seed)
    assert len(found.rules.rules) > 2
    assert not broken(found.rules)


def test_without_directions_some_are():
    assert any(broken(_free(seed)) for seed in range(2))


def _free(seed):
    samples = drawn(600, seed)
    score = noisy(samples, seed)
    kept = dict(zip(samples.ids.tolist(), score, strict=True))

    def ask(rows, signals):
        return Answers({SCORE: np.array([kept[i] for i in rows.ids.tolist()])[:, None]})

    behaviour = Behaviour("yes", ("yes",), DOMAIN.undirected())
    return tree(behaviour, samples, ask, leaves=16, slack=0.0, rng=np.random.default_rng(seed)).rules


def test_relabelling_moves_answers_as_little_as_it_can():
    rules = _free(1)
    rising = directions(Behaviour("yes", ("yes",), DOMAIN))
    pairs = comparable(rules, DOMAIN, rising)
    score = np.array([rule.score[0] for rule in rules.rules])
    weight = np.array([rule.n for rule in rules.rules], dtype=float)
    moved = isotonic(score, weight, pairs)
    # projection on a convex set, by another way: Dykstra's alternating projections on each pair
    slow, left = score.copy(), {pair: np.zeros(2) for pair in pairs}
    for _ in range(1500):
        for low, high in pairs:
            at = slow[[low, high]] + left[(low, high)]
            new = at if at[0] <= at[1] else np.full(2, np.average(at, weights=weight[[low, high]]))
            left[(low, high)] = at - new
            slow[[low, high]] = new
    np.testing.assert_allclose(moved, slow, atol=2e-4)
    assert not broken(relabelled(rules, DOMAIN, rising))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(1, 9)), min_size=1, max_size=9))
def test_a_chain_is_isotonic_regression(items):
    score, weight = (np.array(part, dtype=float) for part in zip(*items, strict=True))
    pairs = [(at, at + 1) for at in range(len(score) - 1)]
    expected = IsotonicRegression().fit_transform(np.arange(len(score)), score, sample_weight=weight)
    np.testing.assert_allclose(isotonic(score, weight, pairs), expected, atol=1e-9)


def test_sides_that_answer_the_same_are_one():
    rules = _free(2)
    same = folded(type(rules)("tree", tuple(type(r)(r.tests, (0.5,), r.n) for r in rules.rules), rules.outputs))
    assert [(rule.tests, rule.n) for rule in same.rules] == [((), sum(r.n for r in rules.rules))]


def test_differences_and_several_classes_have_no_direction():
    domain = Domain((*DOMAIN.fields, Category("sex", ("f", "m"))))
    assert directions(Behaviour("b", ("a", "b"), domain)) == {}
    assert directions(Behaviour("b", ("a",), domain, contrast=Contrast("sex", "f", "m"))) == {}
    assert directions(Behaviour("b", ("a",), domain)) == {"x": 1, "y": -1, "rank": 1}


def test_only_what_has_an_order_can_rise():
    with pytest.raises(InvalidInput, match="have no order"):
        Domain((Category("kind", ("a", "b"), monotone=1),))
    with pytest.raises(InvalidInput, match="-1, 0 or 1"):
        Domain((Real("x", monotone=2),))
