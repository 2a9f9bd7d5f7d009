"""Places where decisions turn, against formulas whose boundary is known and against slow twins."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import kdaudit as kd
from kdaudit.chance import rng
from kdaudit.compare.borders import crossing_likeness, plane_agreement, plane_kappa
from kdaudit.compare.boundaries import Boundary
from kdaudit.compare.draws import drawn
from kdaudit.compare.fields import NEVER, Grid, first_turns, grid_of, kappa, same_turns
from kdaudit.domain import Category, Domain, Image, Real
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.explain.planes import decisions_in, gradients_in, plane_points, translation
from kdaudit.explain.reaches import reaches
from kdaudit.networks.network import Network
from kdaudit.pictures import Pictures
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Identity


def by_hours(cut):
    return lambda samples: 1 / (1 + np.exp(-(samples.columns["hours"] - cut) / 9))


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/judge"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=6, max_size=6), st.integers(0, 1), st.integers(-1, 6))
def test_first_turns_equal_a_walk(said, own, start):
    grid = Grid("x", np.arange(6.0), tuple("abcdef"), ordered=True)
    value = start + 0.5
    up = [i for i in range(6) if grid.values[i] > value]
    down = [i for i in reversed(range(6)) if grid.values[i] < value]
    expected = []
    for way in (up, down):
        steps = [at for at, i in enumerate(way) if said[i] != own]
        expected.append(steps[0] if steps else NEVER)
    got = first_turns(np.array([own]), np.array([said]), grid, np.array([value]))
    assert got[0].tolist() == expected


def test_one_step_apart_is_the_same_place_and_two_are_not():
    grid = Grid("x", np.arange(6.0), tuple("abcdef"), ordered=True)
    teacher = (np.zeros(1, int), np.array([[0, 0, 0, 1, 1, 1]]))
    values = np.zeros(1)
    for cut, same in ((2, 1.0), (3, 1.0), (4, 1.0), (5, 0.0), (6, 0.0), (1, 0.0)):
        other = (np.zeros(1, int), (np.arange(6) >= cut).astype(int)[None])
        assert same_turns(teacher, other, grid, values)[0] == same
    still = (np.zeros(1, int), np.zeros((1, 6), int))
    assert np.isnan(same_turns(still, teacher, grid, values)[0])


def test_levels_without_order_turn_alike_where_the_same_ones_do():
    grid = Grid("x", np.arange(3.0), ("a", "b", "c"), ordered=False)
    teacher = (np.zeros(2, int), np.array([[0, 1, 1], [0, 0, 0]]))
    other = (np.zeros(2, int), np.array([[0, 1, 0], [0, 1, 0]]))
    assert same_turns(teacher, teacher, grid, np.zeros(2))[0] == 1.0
    assert same_turns(teacher, other, grid, np.zeros(2))[0] == 0.0
    assert np.isnan(same_turns(teacher, other, grid, np.zeros(2))[1])


def test_planes_score_as_a_slow_loop_does():
    chance = rng(0, "planes")
    a, b = chance.integers(0, 3, (4, 25)).astype(float), chance.integers(0, 3, (4, 25)).astype(float)
    for i in range(4):
        same = sum(float(x == y) for x, y in zip(a[i], b[i], strict=True)) / 25
        expected = sum(float((a[i] == c).mean()) * float((b[i] == c).mean()) for c in range(3))
        assert plane_agreement(a, b)[i] == pytest.approx(same, abs=1e-12)
        assert plane_kappa(a, b)[i] == pytest.approx((same - expected) / (1 - expected), abs=1e-12)
    assert kappa(np.array([0, 1, 1]), np.array([0, 1, 1])) == 1.0
    assert np.isnan(kappa(np.zeros(3, int), np.zeros(3, int)))


def test_another_class_at_an_end_is_no_likeness():
    teacher = np.array([[0.5, 0, 1], [0.5, 0, 1], [0.5, 0, 1], [np.nan, 0, 0]])
    other = np.array([[0.7, 0, 1], [0.5, 1, 0], [np.nan, 0, 0], [0.5, 0, 1]])
    np.testing.assert_allclose(crossing_likeness(teacher, other), [0.8, 0.0, 0.0, np.nan])


def test_a_nearer_proxy_stands_above_the_stranger(formula, people, cast_of, asking):
    samples = people(600)
    teacher, proxy = formula(by_hours(50), "teacher"), formula(by_hours(53), "proxy")
    stranger, twin = formula(by_hours(75), "stranger"), formula(by_hours(51), "twin")
    recipe = Boundary(lines=60, fields=("hours", "sex"), plane=("age", "hours"), volume=100)
    evidence = examine(recipe, cast_of(teacher, proxy, stranger, twin), samples, asking)
    row = evidence.row("crossing_agreement", "all", "proxy")
    assert row.control.high < row.value.low
    assert row.ceiling.value > row.value.value
    assert evidence.row("flip_agreement", "hours", "proxy").value.n <= 20
    plane = evidence.row("reproducibility", "age by hours", "proxy")
    assert plane.value.low == plane.value.high
    assert plane.value.value > plane.control.value
    volume = evidence.row("volume_of_disagreement", "uniform over the domain", "proxy")
    assert volume.value.method == "Clopper-Pearson"
    assert volume.value.value < volume.control.value
    assert evidence.arrays["teacher"].shape == evidence.arrays["proxy"].shape == (11, 11)
    assert asking.rows(teacher) == evidence.context["asked"] <= recipe.price(samples)
    assert recipe.made(samples) == 60 * 6 + 20 * (8 + 2) + 11 * 11 + 100
    assert evidence.context["volume"]["nearest_disagreement"] > 0
    json.dumps(evidence.context, allow_nan=False)


def test_the_same_model_twice_turns_at_the_same_places(formula, people, cast_of, asking):
    samples = people(300)
    teacher, proxy = formula(by_hours(50), "teacher"), formula(by_hours(50), "copy")
    recipe = Boundary(lines=30, fields=("hours",), plane=("age", "hours"), planes=3)
    evidence = examine(recipe, cast_of(teacher, proxy, formula(by_hours(70), "stranger")), samples, asking)
    values = {(row.measure, row.group): row.value.value for row in evidence.rows}
    assert all(value == 1.0 for value in values.values()), values


def test_labels_alone_are_enough(formula, people, cast_of, asking):
    samples = people(300)
    seats = [formula(by_hours(cut), name, offers=(LABEL,)) for cut, name in ((50, "t"), (52, "p"), (70, "s"))]
    evidence = examine(Boundary(lines=30), cast_of(*seats), samples, asking)
    assert evidence.row("crossing_agreement", "all", "proxy").excess.low > 0


def test_without_a_stranger_the_control_is_the_places_of_other_ways(formula, people, cast_of, asking):
    samples = people(300)
    cast = cast_of(formula(by_hours(50), "t"), formula(by_hours(50), "p"))
    row = examine(Boundary(lines=40), cast, samples, asking).row("crossing_agreement", "all", "proxy")
    assert row.control_kind == "permuted"
    assert row.control.value < row.value.value == 1.0


def test_a_record_of_answers_leaves_it_undecided(formula, people, cast_of, asking):
    samples = people(200)
    cast = cast_of(formula(by_hours(50), "t", by="id"), formula(by_hours(50), "p"), formula(by_hours(60), "s"))
    evidence = examine(Boundary(lines=20), cast, samples, asking)
    row = evidence.row("crossing_agreement", "all", "proxy")
    assert not row.value.known
    assert "record of answers" in row.value.method


def test_a_teacher_of_one_mind_has_no_boundary(formula, people, cast_of, asking):
    samples = people(200)
    cast = cast_of(formula(lambda s: np.full(len(s), 0.9), "t"), formula(by_hours(50), "p"))
    row = examine(Boundary(lines=20), cast, samples, asking).row("crossing_agreement", "all", "proxy")
    assert not row.value.known


@pytest.mark.parametrize("wrong", [{"lines": 1}, {"plane": ("age",)}, {"halvings": 0}, {"planes": 0}, {"volume": -1}])
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput):
        Boundary(**wrong)


def test_a_grid_needs_a_number_or_a_category(people):
    samples = people(50)
    assert len(grid_of(samples, "sex", 5)) == 2
    hours = grid_of(samples, "hours", 5).values
    assert len(hours) == 5 and (np.diff(hours) > 0).all()


@pytest.mark.parametrize("sampler", ["uniform", "marginal"])
def test_rows_are_drawn_inside_domain_and_constraints(people, sampler):
    samples = people(300)
    domain = Domain(samples.domain.fields, ("age >= 30 or sex == 'female'",))
    rows = drawn(Samples(domain, samples.columns, samples.ids, samples.origin), 400, sampler, rng(0, "draws"))
    assert len(rows) == 400
    assert ((rows.columns["age"] >= 30) | (rows.columns["sex"] == 0)).all()


def test_constraints_that_leave_nothing_are_said(people):
    samples = people(50)
    domain = Domain(samples.domain.fields, ("age > 90",))
    with pytest.raises(InvalidInput, match="constraints"):
        drawn(Samples(domain, samples.columns, samples.ids, samples.origin), 10, "uniform", rng(0, "draws"))


def linear(samples, weights, bias=0.0, outputs=("above",), name="linear"):
    encoding = Encoding.fitted(samples)
    module = nn.Linear(encoding.width, len(outputs))
    with torch.no_grad():
        module.weight.copy_(torch.tensor(np.asarray(weights), dtype=torch.float32).reshape(module.weight.shape))
        module.bias.fill_(bias)
    return Network(name, module, encoding, outputs)


def test_distance_along_the_gradient_is_exact_for_linear_networks(people):
    samples = people(80)
    weights = rng(0, "weights").normal(size=Encoding.fitted(samples).width)
    network = linear(samples, weights, 0.3)
    encoded = network.encoding.encode(samples)
    got = reaches(gradients_in(network.encoding, network), encoded, 1)
    expected = np.abs(encoded.astype(np.float64) @ weights + 0.3) / np.linalg.norm(weights)
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)


def test_distance_along_the_gradient_of_several_classes_is_to_the_nearest(people):
    samples = people(60)
    encoding = Encoding.fitted(samples)
    weights = rng(0, "weights").normal(size=(3, encoding.width))
    network = linear(samples, weights, outputs=("a", "b", "c"))
    encoded = encoding.encode(samples)
    logits = encoded.astype(np.float64) @ weights.T
    got = reaches(gradients_in(encoding, network), encoded, 3)
    for i, row in enumerate(logits):
        own = row.argmax()
        others = [k for k in range(3) if k != own]
        expected = min((row[own] - row[k]) / np.linalg.norm(weights[own] - weights[k]) for k in others)
        assert got[i] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_a_flat_network_has_no_boundary(people):
    samples = people(10)
    network = linear(samples, np.zeros(Encoding.fitted(samples).width), 1.0)
    assert np.isnan(reaches(gradients_in(network.encoding, network), network.encoding.encode(samples), 1)).all()


def test_plane_through_three_points_holds_them_and_is_even():
    triple = rng(0, "triple").normal(size=(3, 7))
    points = plane_points(triple, 9)
    assert points.shape == (81, 7)
    basis = np.linalg.svd(np.stack([triple[1] - triple[0], triple[2] - triple[0]]), full_matrices=True)[2][2:]
    np.testing.assert_allclose((points - triple[0]) @ basis.T, 0.0, atol=1e-12)
    grid = points.reshape(9, 9, 7)
    steps = np.linalg.norm(np.diff(grid, axis=0), axis=2)
    np.testing.assert_allclose(steps, steps[0, 0], atol=1e-12)
    u = (triple[1] - triple[0]) / np.linalg.norm(triple[1] - triple[0])
    along, shadow = (points - triple[0]) @ u, (triple - triple[0]) @ u
    wide = shadow.max() - shadow.min()
    assert along.max() == pytest.approx(shadow.max() + 0.1 * wide)
    assert along.min() == pytest.approx(shadow.min() - 0.1 * wide)
    with pytest.raises(InvalidInput, match="one line"):
        plane_points(np.array([[0.0, 0], [1, 1], [2, 2]]), 5)


def test_networks_of_two_encodings_meet_in_one_space(people):
    samples, others = people(200, seed=0), people(40, seed=5)
    first, second = Encoding.fitted(samples), Encoding.fitted(others)
    factor, shift = translation(first, second)
    np.testing.assert_allclose(first.encode(samples) * factor + shift, second.encode(samples), atol=1e-5)
    weights = rng(0, "weights").normal(size=second.width)
    network = linear(others, weights)
    points = first.encode(samples).astype(np.float64)
    expected = (second.encode(samples).astype(np.float64) @ weights > 0).astype(int)
    assert (decisions_in(first, network, points) == expected).mean() > 0.99
    with pytest.raises(InvalidInput, match="encodings"):
        translation(first, object())
    with pytest.raises(InvalidInput, match="different fields"):
        translation(first, Encoding.fitted(Samples(Domain((Real("x"),)), {"x": [0.0, 1.0]}, np.arange(2), Origin("y"))))


def drawn_pictures(n, seed=0):
    domain = Domain((Image("scan", (1, 4, 4)),))
    pixels = rng(seed, "pixels").random((n, 1, 4, 4)).astype(np.float32)
    return Samples(domain, {"scan": pixels}, np.arange(n), Origin("made"))


def test_readers_of_pictures_are_compared_by_gradients_and_planes_too(cast_of, asking):
    samples, others = drawn_pictures(120), drawn_pictures(9, seed=3)
    first = Pictures.fitted(samples)
    second = Pictures(others.domain, 0.3, 0.7, 2)
    factor, shift = translation(first, second)
    np.testing.assert_allclose(first.encode(samples) * factor + shift, second.encode(samples), atol=1e-5)
    weights = rng(0, "weights").normal(size=16)
    far = rng(1, "weights").normal(size=16)
    seats = []
    for name, seen, scale, w in (
        ("t", first, 1.0, weights),
        ("p", second, 0.7 / first.scale, weights),
        ("s", first, 1.0, far),
    ):
        module = nn.Linear(16, 1)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(scale * w[None]))
            module.bias.fill_(float((seen.mean - 0.5) / seen.scale * scale * w.sum()))
        seats.append(Network(name, module, seen, ("yes",)))
    evidence = examine(Boundary(lines=20, triples=4), cast_of(*seats), samples, asking)
    # the same function of pixels in two encodings
    assert evidence.row("reproducibility", "planes through three rows", "proxy").value.value > 0.995
    assert evidence.row("distance_likeness", "all", "proxy").value.value > 0.99
    assert evidence.row("distance_likeness", "all", "proxy").control.value < 0.9
    assert evidence.row("crossing_agreement", "all", "proxy").value.value > 0.99


def test_networks_are_compared_by_gradients_and_planes_too(people, cast_of, asking):
    samples = people(400)
    width = Encoding.fitted(samples).width
    weights = rng(0, "weights").normal(size=width)
    near, far = weights + 0.2 * rng(1, "weights").normal(size=width), rng(2, "weights").normal(size=width)
    seats = [linear(samples, w, name=name) for w, name in ((weights, "t"), (near, "p"), (far, "s"), (weights, "w"))]
    evidence = examine(Boundary(lines=30, triples=20), cast_of(*seats), samples, asking)
    planes = evidence.row("reproducibility", "planes through three rows", "proxy")
    reach = evidence.row("distance_likeness", "all", "proxy")
    assert planes.excess.low > 0 and reach.excess.low > 0
    assert planes.ceiling.value == pytest.approx(1.0) and reach.ceiling.value == pytest.approx(1.0)
    # points that lie on no row cost the teacher nothing
    assert asking.rows(seats[0]) <= Boundary(lines=30).price(samples)


def test_category_of_domain_is_used():
    domain = Domain((Category("a", ("x", "y", "z")),))
    rows = Samples(domain, {"a": np.array([0, 1, 2])}, np.arange(3), Origin("x"))
    assert grid_of(rows, "a", 5).labels == ("x", "y", "z")


def test_scripts_ask_any_question(formula, people):
    samples = people(300)
    seats = [formula(by_hours(cut), name, offers=(SCORE,)) for cut, name in ((50, "t"), (51, "p"), (70, "s"))]
    for one, digest in zip(seats, "abc", strict=True):
        one.identity = Identity(one.identity.name, digest * 64)
    question = Boundary(lines=30)
    evidence = kd.compare.examine(question, seats[0], seats[1], samples, control=[seats[2]])
    assert evidence.row("crossing_agreement", "all", "proxy").excess.low > 0
