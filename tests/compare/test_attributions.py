"""Reasons of teacher and proxy beside a stranger's, by gradients and by answers alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

import kdaudit as kd
from kdaudit.chance import rng
from kdaudit.compare.attributions import Attribution
from kdaudit.compare.seats import exchanged
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.finding import Verdict
from kdaudit.networks.network import Network
from kdaudit.rules import Rule, Rules, Test
from kdaudit.signal import LABEL
from kdaudit.statistics.verdicts import judge
from kdaudit.surrogates.surrogate import Surrogate

WEIGHTS = {"t": (1, 2, -2, 0.5), "p": (1.1, 1.9, -1.8, 0.4), "s": (2, -1, 0.5, 2), "w": (1, 2.1, -2, 0.5)}


def network(name, samples, outputs=("above",)):
    """A linear network with one weight a field (for a category: on its first level)."""
    encoding = Encoding.fitted(samples)
    module = nn.Linear(encoding.width, len(outputs))
    with torch.no_grad():
        module.weight.zero_()
        module.bias.zero_()
        for weight, columns in zip(WEIGHTS[name], encoding.units.columns, strict=True):
            module.weight[0, columns[0]] = weight
    return Network(name, module, encoding, outputs)


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/reasons"))


def test_reasons_stand_beside_stranger_and_twin(people, cast_of, asking):
    samples = people(800)
    teacher, proxy, stranger, twin = (network(name, samples) for name in "tpsw")
    evidence = examine(Attribution(rows=200), cast_of(teacher, proxy, stranger, twin), samples, asking)
    row = evidence.row("spearman", "all", "proxy")
    assert row.value.value > 0.9
    assert row.ceiling.value > row.control.value
    assert row.excess.value == pytest.approx(row.value.value - row.control.value)
    assert judge(row.excess, "above control", 0.0).verdict is Verdict.HOLDS
    assert evidence.claims[0].form == "above control"
    assert asking.rows(teacher) == row.asked == 200
    assert evidence.arrays["teacher"].shape == (200, 4)
    assert evidence.arrays["teacher"].dtype == np.float32
    assert evidence.context["background_rows"] == 600
    assert evidence.title == "Does the proxy have this teacher's reasons, by integrated gradients?"
    assert evidence.context["unit"] == "fields"
    assert evidence.context["errors"]["teacher"]["relative_error"] < 1e-5
    assert evidence.context["null"]["spearman"]["value"] < row.value.value
    assert set(evidence.context["mean_absolute"]["proxy"]) == set(samples.domain.names)
    json.dumps(evidence.context, allow_nan=False)


def test_a_stranger_with_the_same_reasons_leaves_no_excess(people, cast_of, asking):
    samples = people(400)
    cast = cast_of(network("t", samples), network("p", samples), network("p", samples))
    row = examine(Attribution(rows=100), cast, samples, asking).row("spearman", "all", "proxy")
    assert judge(row.excess, "above control", 0.0).verdict is not Verdict.HOLDS


def test_without_a_stranger_the_control_is_other_rows_of_the_class(people, cast_of, asking):
    samples = people(400)
    evidence = examine(Attribution(rows=100), cast_of(network("t", samples), network("p", samples)), samples, asking)
    row = evidence.row("spearman", "all", "proxy")
    assert row.control_kind == "permuted"
    assert row.control.value == pytest.approx(evidence.context["null"]["spearman"]["value"])
    assert "its reasons for other rows" in evidence.claims[0].text


@pytest.mark.parametrize("closed", ["teacher", "proxy"])
def test_a_seat_without_gradients_leaves_the_question_undecided(formula, people, cast_of, asking, closed):
    samples = people(300)
    shut = formula(lambda s: s.columns["hours"] / 99, "shut")
    cast = cast_of(*((shut, network("p", samples)) if closed == "teacher" else (network("t", samples), shut)))
    evidence = examine(Attribution(rows=50), cast, samples, asking)
    row = evidence.row("spearman", "all", "proxy")
    assert not row.value.known
    assert "shut gives no gradients" in row.value.method
    assert judge(row.value, "above control", 0.0).verdict is Verdict.UNDECIDED
    assert "shut" in evidence.context["missing"][closed]


def test_occlusion_needs_answers_only_and_never_more_than_its_price(formula, people, cast_of, asking):
    samples = people(300)
    teacher = formula(lambda s: 0.9 * s.columns["hours"] / 99 + 0.1 * s.columns["sex"], "t")
    proxy = formula(lambda s: 0.8 * s.columns["hours"] / 99 + 0.1 * s.columns["sex"], "p")
    stranger = formula(lambda s: s.columns["age"] / 90, "s")
    recipe = Attribution("auto", rows=40, draws=3)
    evidence = examine(recipe, cast_of(teacher, proxy, stranger), samples, asking)
    row = evidence.row("spearman", "all", "proxy")
    assert row.value.low > row.control.high
    assert asking.rows(teacher) <= recipe.price(samples) == 40 * (1 + 4 * 3)
    assert "occlusion" in evidence.context["method"]


@pytest.mark.parametrize(("kind", "part"), [("record", "record of answers"), ("labels", "labels only")])
def test_occlusion_of_subjects_that_cannot_be_asked(formula, people, cast_of, asking, kind, part):
    teacher = formula(lambda s: s.columns["hours"] / 99, "t", by="id" if kind == "record" else "content")
    if kind == "labels":
        teacher.offers = frozenset({LABEL})
    evidence = examine(Attribution("occlusion", rows=20), cast_of(teacher, teacher), people(100), asking)
    assert part in evidence.row("spearman", "all", "proxy").value.method


def test_several_classes_are_explained_by_the_teachers(people, cast_of, asking):
    samples = people(300)
    names = ("a", "b", "c")
    cast = cast_of(*(network(name, samples, names) for name in "tps"))
    row = examine(Attribution(rows=60), cast, samples, asking).row("spearman", "all", "proxy")
    assert row.value.known
    assert row.excess.low > 0


def test_two_runs_give_the_same_bytes(people, cast_of, asking):
    samples = people(300)
    cast = cast_of(*(network(name, samples) for name in "tps"))
    a, b = (examine(Attribution(rows=60), cast, samples, asking) for _ in range(2))
    assert a.table.equals(b.table)
    assert a.arrays["proxy"].tobytes() == b.arrays["proxy"].tobytes()
    assert json.dumps(a.context, sort_keys=True) == json.dumps(b.context, sort_keys=True)


def test_exchanged_rows_stay_within_their_class():
    classes = np.array([0, 1, 0, 1, 1, 2, 0])
    got = exchanged(classes, np.random.default_rng(0))
    assert np.array_equal(classes[got], classes)
    assert sorted(got) == list(range(7))
    assert [i for i in range(7) if got[i] == i] == [5]


def test_functions_for_scripts(people):
    samples = people(300)
    teacher, proxy, other = (network(name, samples) for name in "tps")
    evidence = kd.compare.attribution(teacher, proxy, samples, method="integrated_gradients", control=other)
    assert evidence.row("spearman", "all", "proxy").excess.known
    assert evidence.proxy_name == "p"
    agreement = kd.compare.fidelity(teacher, proxy, samples, by=("sex",), control=other, ceiling=teacher)
    assert agreement.row("agreement", "all", "proxy").ceiling.value == 1


def test_recipes_refuse_what_makes_no_sense():
    with pytest.raises(InvalidInput, match="rows"):
        Attribution(rows=1)


METHODS = (
    "integrated_gradients",
    "gradient",
    "gradient_input",
    "gradient_shap",
    "deeplift",
    "ablation",
    "shapley",
    "occlusion",
)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_finds_the_proxy_nearer_than_the_stranger(people, cast_of, asking, method):
    samples = people(400)
    teacher, proxy, stranger, twin = (network(name, samples) for name in "tpsw")
    evidence = examine(Attribution(method, rows=60), cast_of(teacher, proxy, stranger, twin), samples, asking)
    row = evidence.row("cosine", "all", "proxy")
    assert row.excess.low > 0
    assert row.ceiling.value > row.control.value
    if method != "occlusion":
        assert asking.rows(teacher) == 60
    json.dumps(evidence.context, allow_nan=False)


def tree(weights, samples, name):
    """A tree over hours and sex, which answers like the formula does."""
    cut = float(np.median(samples.columns["hours"]))
    leaves = []
    for hours in (Test("hours", below=cut), Test("hours", above=cut)):
        for sex in ("female", "male"):
            score = 0.5 + weights[0] * (hours.above is not None) + weights[1] * (sex == "male")
            leaves.append(Rule((hours, Test("sex", levels=(sex,))), (score,)))
    return Surrogate(name, Rules("tree", tuple(leaves), ("above",)), samples.domain)


def test_trees_and_closed_teachers_are_explained_in_one_scale(formula, people, cast_of, asking):
    samples = people(400)
    cut = float(np.median(samples.columns["hours"]))
    teacher = formula(lambda s: 0.5 + 0.3 * (s.columns["hours"] > cut) + 0.1 * (s.columns["sex"] == 1), "t")
    near, far = tree((0.3, 0.1), samples, "near"), tree((-0.05, 0.3), samples, "far")
    shut = examine(Attribution("shapley", rows=50), cast_of(teacher, near, far), samples, asking)
    assert "say with `questions`" in shut.row("spearman", "all", "proxy").value.method
    recipe = Attribution("shapley", rows=50, questions=3000)
    evidence = examine(recipe, cast_of(teacher, near, far), samples, asking)
    row = evidence.row("spearman", "all", "proxy")
    # 16 coalitions of four fields are all gone through: teacher and tree give the same values
    assert row.value.value == pytest.approx(1)
    assert row.excess.low > 0
    assert asking.rows(teacher) <= recipe.price(samples) == 3050
    assert evidence.context["scale"] == "score"
    assert evidence.context["errors"]["proxy"]["relative_error"] == 0


def test_orders_are_tried_on_the_teacher_and_nulls_have_a_spread(people, cast_of, asking):
    samples = people(600)
    teacher, proxy, stranger, twin = (network(name, samples) for name in "tpsw")
    evidence = examine(Attribution(rows=120), cast_of(teacher, proxy, stranger, twin), samples, asking)
    row = evidence.row("crossed_faithfulness", "all", "proxy")
    assert row.value.value > row.control.value
    assert row.excess.low > 0
    found = evidence.context["crossed"]
    assert found["share_of_own"]["proxy"]["value"] > 0.9
    assert found["share_of_own"]["teacher"]["value"] == pytest.approx(1)
    assert found["share_of_own"]["stranger"]["value"] < found["share_of_own"]["proxy"]["value"]
    assert all(own["excess"]["low"] > 0 for own in found["own"].values())
    nulls = evidence.context["nulls"]
    assert nulls["rows"]["p"] == pytest.approx(0.01)
    assert nulls["rows"]["low"] < nulls["rows"]["null"] < nulls["rows"]["high"] < nulls["rows"]["value"]
    assert nulls["stranger"]["p"] == pytest.approx(0.001)
    assert evidence.context["sanity"]["stages"]


def test_the_report_says_in_words_that_there_is_no_excess(people, cast_of, asking):
    samples = people(400)
    cast = cast_of(network("t", samples), network("p", samples), network("p", samples))
    evidence = examine(Attribution(rows=60), cast, samples, asking)
    assert any("no more alike" in text and "holds 0" in text for text in evidence.context["sentences"])


def test_several_strangers_show_their_spread(people):
    samples = people(300)
    teacher, proxy, other, third = (network(name, samples) for name in "tpsw")
    one = kd.compare.attribution(teacher, proxy, samples, control=other)
    two = kd.compare.attribution(teacher, proxy, samples, control=[other, third])
    assert "2 strangers" in two.row("spearman", "all", "proxy").excess.method
    assert two.row("spearman", "all", "proxy").excess.half > one.row("spearman", "all", "proxy").excess.half
    assert any("One stranger" in text for text in one.context["sentences"])
    assert not any("One stranger" in text for text in two.context["sentences"])


def test_path_rules_of_odd_nodes_are_refused():
    with pytest.raises(InvalidInput, match="even"):
        Attribution(nodes=7)
    with pytest.raises(InvalidInput, match="evaluations"):
        Attribution(evaluations=2)


def several(samples):
    """Teacher and proxy, and three strangers, two of them near each other."""
    teacher, proxy, stranger, twin = (network(name, samples) for name in "tpsw")
    return teacher, proxy, [stranger, network("s", samples), shifted(samples)], twin


def shifted(samples):
    other = network("s", samples)
    with torch.no_grad():
        other.module.weight *= torch.linspace(0.6, 1.4, other.module.weight.shape[1])
    return other


def test_permutation_importance_is_compared_over_all_rows(people):
    samples = people(400)
    teacher, proxy, strangers, twin = several(samples)
    recipe = Attribution("permutation", rows=80, draws=3)
    evidence = kd.compare.examine(recipe, teacher, proxy, samples, control=strangers, ceiling=twin)
    row = evidence.row("importance_order", "all", "proxy")
    assert evidence.row("spearman", "all", "proxy") is None
    assert row.value.value > row.control.value
    assert row.ceiling.known
    assert row.excess.known
    assert row.strangers == 3
    assert evidence.claims[0].measure == "importance_order"
    assert row.asked <= recipe.price(samples) == 80 * (1 + 4 * 3)
    assert "permutation importance" in evidence.context["method"]
    assert set(evidence.context["mean_absolute"]["proxy"]) == set(samples.domain.names)
    json.dumps(evidence.context, allow_nan=False)


def test_permutation_without_a_stranger_has_no_control_and_decides_nothing(people):
    samples = people(300)
    evidence = kd.compare.examine(
        Attribution("permutation", rows=40), network("t", samples), network("p", samples), samples
    )
    row = evidence.row("importance_order", "all", "proxy")
    assert row.control is None
    assert "no control was given" in row.no_control


def test_interactions_of_pairs_stand_beside_strangers(people):
    samples = people(300)
    names = ("a", "b", "c")
    teacher, proxy, stranger = (product(samples, weights, names) for weights in ((1, 0.1), (0.9, 0.15), (-0.2, 1)))
    evidence = kd.compare.examine(Attribution("interactions", rows=30), teacher, proxy, samples, control=stranger)
    row = evidence.row("cosine", "all", "proxy")
    assert row.value.value > 0.9 > row.control.value
    assert row.excess.low > 0
    assert "age × hours" in evidence.context["units"]
    assert evidence.row("crossed_faithfulness", "all", "proxy") is None
    assert "pairs" in evidence.context["crossed"]["reason"]
    assert "pairs of fields" in evidence.claims[0].found


def product(samples, weights, outputs):
    """A network in whose first output fields work together."""
    encoding = Encoding.fitted(samples)
    module = nn.Sequential(nn.Linear(encoding.width, 2), nn.ReLU(), nn.Linear(2, len(outputs)))
    first, second = (encoding.units.columns[at][0] for at in (0, 1))
    last = encoding.units.columns[-1][0]
    with torch.no_grad():
        for part in module.parameters():
            part.zero_()
        module[0].weight[0, [first, second]] = 1.0
        module[0].weight[1, [second, last]] = torch.tensor([1.0, -1.0])
        module[2].weight[0] = torch.tensor(weights, dtype=torch.float32)
    return Network(f"product {weights}", module, encoding, outputs)


def test_a_closed_teacher_is_asked_for_interactions_within_its_questions(formula, people, cast_of, asking):
    samples = people(300)
    teacher = formula(lambda s: 0.2 + 0.5 * s.columns["hours"] * s.columns["age"] / 9000, "t")
    proxy = formula(lambda s: 0.3 + 0.4 * s.columns["hours"] * s.columns["age"] / 9000, "p")
    recipe = Attribution("interactions", rows=40, questions=2000)
    evidence = examine(recipe, cast_of(teacher, proxy), samples, asking)
    assert evidence.row("cosine", "all", "proxy").value.value == pytest.approx(1)
    assert asking.rows(teacher) <= recipe.price(samples) == 2040
    shut = examine(Attribution("interactions", rows=20), cast_of(teacher, proxy), samples, asking)
    assert "say with `questions`" in shut.row("cosine", "all", "proxy").value.method


def test_class_maps_of_fields_are_refused_in_words(people, cast_of, asking):
    samples = people(200)
    cast = cast_of(network("t", samples), network("p", samples))
    row = examine(Attribution("grad_cam", rows=20), cast, samples, asking).row("spearman", "all", "proxy")
    assert "reads no pictures" in row.value.method


def test_likeness_stands_beside_a_teacher_that_learned_nothing(people, cast_of, asking):
    samples = people(400)
    encoding = Encoding.fitted(samples)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(encoding.width, 16), nn.ReLU(), nn.Linear(16, 1))
    teacher = Network("t", module, encoding, ("above",))
    with torch.no_grad():
        module[0].weight *= 1.02
    evidence = examine(
        Attribution(rows=80), cast_of(teacher, Network("p", module, encoding, ("above",))), samples, asking
    )
    row = evidence.row("spearman_beside_random", "all", "proxy")
    assert row.control_kind == "randomised_teacher"
    assert row.value.n == 50
    assert row.control.value < 0.5 < row.value.value
    assert "8 random teachers" in row.excess.method
    assert row.excess.low > 0


def test_occlusion_says_why_it_has_no_random_teacher(people, cast_of, asking):
    samples = people(300)
    evidence = examine(Attribution("occlusion", rows=30), cast_of(network("t", samples), network("p", samples)),
                       samples, asking)  # fmt: skip
    assert "through the store" in evidence.row("spearman_beside_random", "all", "proxy").no_control
