"""Rules that rise where the domain says so: by all pairs of rows of a grid, and isotonic regression twice."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.subject import Answers
from kdaudit.surrogates.additive import Additive
from kdaudit.surrogates.lists import RuleList
from kdaudit.surrogates.monotone import comparable, directions, folded, isotonic, lift, relabelled
from kdaudit.surrogates.trees import Tree, tree
from kdaudit.surrogates.votes import RuleSet

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


RECIPES = {
    "tree": Tree(leaves=8, slack=0.0, read={"missing": True}),
    "list": RuleList(rules=6, slack=0.0),
    "set": RuleSet(rules=10, slack=0.0),
    "set that reads": RuleSet(rules=6, slack=0.0, read={"missing": True}, queries=1),
}


def made(recipe, seed, domain=DOMAIN, weights=None, n=400):
    """Make a proxy of the noisy teacher, whose noise hangs on the row alone."""
    samples = drawn(n, seed)
    samples = Samples(domain, samples.columns, samples.ids, samples.origin, weights=weights)

    def ask(subject, rows, signals):
        return Answers({SCORE: noisy(rows, seed)[:, None]})

    return recipe.make(Behaviour("yes", ("yes",), domain), None, {"fit": samples}, ask, np.random.default_rng(seed))


def seen_wrong(found):
    """Return whether the proxy itself answers pairs of the grid the wrong way round, read fields included."""
    return broken(Seen(found))


class Seen:
    def __init__(self, proxy):
        self.proxy = proxy

    def evaluate(self, rows):
        return self.proxy.answer(rows, (SCORE,)).score


@pytest.mark.parametrize("kind", RECIPES)
def test_every_family_keeps_to_it(kind):
    weights = np.random.default_rng(1).uniform(0.2, 3, 400) if kind in ("list", "set") else None
    found = made(RECIPES[kind], 0, weights=weights)
    assert len(found.rules.rules) > 2
    assert not seen_wrong(found)


@pytest.mark.parametrize("kind", ["list", "set"])
def test_without_directions_lists_and_sets_do_not(kind):
    assert any(seen_wrong(made(RECIPES[kind], seed, DOMAIN.undirected())) for seed in range(3))


@pytest.mark.slow
def test_an_additive_model_keeps_to_it():
    pytest.importorskip("interpret")
    recipe = Additive(fields=4, slack=0.0, tries=5)
    assert seen_wrong(made(recipe, 0, DOMAIN.undirected(), n=60))
    assert not seen_wrong(made(recipe, 0, n=60))


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


CUTS = st.sampled_from([0.5, 1.5, 2.5, 3.5])
TESTS = st.one_of(
    st.builds(Test, st.just("x"), below=CUTS, missing=st.booleans()),
    st.builds(Test, st.sampled_from(["x", "y"]), above=CUTS),
    st.builds(Test, st.just("rank"), above=st.sampled_from([0.5, 1.5])),
    st.builds(Test, st.just("kind"), levels=st.sampled_from([("a",), ("b", "c")])),
)
ALONE = st.lists(TESTS, min_size=1, max_size=2, unique_by=lambda test: test.field)
SCORES = st.sampled_from([0.1, 0.3, 0.5, 0.9])


def witnessed(held, which):
    """Pairs of rules that answer two grid points which differ in one field alone, x or y or rank, lower first."""
    places = {point: at for at, point in enumerate(GRID)}
    out = set()
    for point, here in places.items():
        for at, values in ((0, (1.0, 2.0, 3.0, 4.0)), (1, range(5)), (2, range(3))):
            for other in values:
                there = places[(*point[:at], other, *point[at + 1 :])]
                if point[at] < other:
                    found = itertools.product(which(here, held), which(there, held))
                    out |= {(a, b) if at != 1 else (b, a) for a, b in found if a != b}
    return out


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(ALONE, SCORES), min_size=1, max_size=4), SCORES)
def test_pairs_of_a_list_by_all_pairs_of_the_grid(items, default):
    rules = Rules("list", (*(Rule(tuple(tests), (x,), 1) for tests, x in items), Rule((), (default,), 1)), ("yes",))
    told = set(comparable(rules, DOMAIN, {"x": 1, "y": -1, "rank": 1}))
    held = rules.held(rows_of(GRID))
    boxes = np.stack(
        [np.all([t.holds(rows_of(GRID)) for t in rule.tests] or [np.ones(len(GRID), bool)], 0) for rule in rules.rules]
    )
    least = witnessed(held, lambda at, held: np.flatnonzero(held[at]))
    most = witnessed(boxes, lambda at, boxes: np.flatnonzero(boxes[:, at]))
    assert least <= told <= most
    assert not broken(relabelled(rules, DOMAIN, {"x": 1, "y": -1, "rank": 1}))


def test_a_list_in_order_is_left_alone():
    rules = Rules(
        "list",
        (
            Rule((Test("x", above=2.5), Test("kind", levels=("a",))), (0.9,), 5),
            Rule((Test("x", above=1.5),), (0.6,), 5),
            Rule((Test("y", below=1.5),), (0.6,), 5),
            Rule((), (0.2,), 5),
        ),
        ("yes",),
    )
    assert relabelled(rules, DOMAIN, {"x": 1, "y": -1}) is rules
    wrong = Rules("list", (*rules.rules[:3], Rule((), (0.7,), 5)), ("yes",))
    # (0.6 + 0.6 + 0.7) / 3, and what then stands before the default and answers alike is gone
    assert [rule.score[0] for rule in relabelled(wrong, DOMAIN, {"x": 1}).rules] == pytest.approx(
        [0.9, 0.65, 0.6, 0.65]
    )


def test_the_sign_of_a_vote():
    up, down, between = ([0, 0, 1, 0], [1, 1, 0, 1], [0, 1, 0, 1])
    signs = [lift(np.array(codes, dtype=bool), 1) for codes in (up, down, between)]
    assert signs == [1, -1, None]
    assert lift(np.array(up, dtype=bool), -1) == -1


def test_of_several_outputs_none_is_said_to_rise():
    domain = Domain((Real("x", 0, 4, monotone=1),))
    samples = Samples(domain, {"x": np.linspace(0, 4, 60)}, np.arange(60), Origin("line"))

    def ask(subject, rows, signals):
        yes = rows.columns["x"] / 4
        return Answers({SCORE: np.stack([1 - yes, yes], axis=1)})

    behaviour = Behaviour("which", ("no", "yes"), domain)
    for recipe in (Tree(leaves=2), RuleList(rules=2), RuleSet(rules=2)):
        found = recipe.make(behaviour, None, {"fit": samples}, ask, np.random.default_rng(0))
        assert "x monotone, and not which of no, yes" in found.making.note


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
