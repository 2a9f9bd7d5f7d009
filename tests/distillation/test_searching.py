"""The search in a plan: limits kept, chosen on one half, reported on the other, layers paired, stopped and resumed."""

import numpy as np
import pytest
from ruamel.yaml import YAML

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.data.parts import split
from kdaudit.distillation.growing import Growing
from kdaudit.distillation.loop import recorded
from kdaudit.distillation.searching import Searching, distance
from kdaudit.distillation.students import Student
from kdaudit.encoders import read_of
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.interval import Interval, unknown
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.question import Workbench
from kdaudit.signal import LABEL
from kdaudit.store.answers import Store

pytest.importorskip("optuna")

RECIPE = Searching(sizes=[[2], [4], [8]], parameters=40, trials=6, steps=60, batch=64, rate=[3e-3, 3e-2])


def make(recipe, teacher, parts):
    behaviour = Behaviour("yes", teacher.outputs, parts["fit"].domain)
    return recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), rng(0, "s"))


@pytest.fixture
def parts(draw_rows):
    return {"fit": draw_rows(200, labels=True), "select": draw_rows(150, 1, labels=True)}


@pytest.fixture
def open_teacher(draw_rows):
    from kdaudit.encoders import fitted

    encoder = fitted(draw_rows(200))
    return Network(
        "open", build("mlp", {"inputs": encoder.width, "outputs": 1, "hidden": [6, 5]}, 0), encoder, ("yes",)
    )


def halves_of(parts):
    seed = int(rng(0, "s").integers(2**62))
    return split(parts["select"], {"choosing": 0.5, "reporting": 0.5}, seed=seed, name="search")


def test_limits_are_kept_and_the_best_is_the_last_of_the_table(teacher_of, parts):
    teacher = teacher_of()
    made = [make(RECIPE, teacher, parts) for _ in range(2)]
    assert made[0].identity == made[1].identity and made[0].shown[0].rows == made[1].shown[0].rows
    assert made[0].form.parameters <= 40 and set(made[0].notes["left_out"]) == {"[8]"}
    point = made[0].notes["search"][-1]
    assert point["costs"]["parameters"]["value"] == made[0].form.parameters
    assert point["costs"]["multiply-adds"]["value"] < made[0].form.parameters
    told = recorded(teacher, halves_of(parts)["choosing"], Store().ask)
    assert point["distance"] == pytest.approx(distance(made[0], told))


def test_what_is_reported_was_measured_on_the_half_that_chose_nothing(teacher_of, parts):
    teacher = teacher_of()
    found = make(RECIPE, teacher, parts)
    (shown,) = found.shown
    half = halves_of(parts)["reporting"]
    assert shown.shows == "policies" and f"{len(half)} rows that chose nothing" in shown.context["population"]
    row = [row for row in shown.rows if row.measure == "agreement"][-1]
    told, said = (who.answer(half, {LABEL}).label for who in (teacher, found))
    assert row.value.value == pytest.approx((told == said).mean()) and row.value.n == len(half)
    assert row.control_kind == "label_only"
    assert row.excess.value == pytest.approx(row.value.value - row.control.value)
    assert row.excess.low < row.excess.value < row.excess.high
    assert len(shown.context["points"]) == len(shown.arrays["parameters"]) == len(shown.rows) / 2
    bare = {name: part.take(np.arange(len(part))) for name, part in parts.items()}
    unlabelled = make(RECIPE, teacher, {name: _without_labels(part) for name, part in bare.items()})
    assert all(row.control is None and "outcomes" in row.no_control for row in unlabelled.shown[0].rows)


def _without_labels(samples):
    from dataclasses import replace

    return replace(samples, labels=None)


def test_layers_of_an_open_teacher_are_paired(open_teacher, parts, teacher_of):
    recipe = Searching(
        sizes=[[4], [4, 3]], match=["hint", "similarity"], layers=["layers.*"], teacher_layers=["layers.0", "layers.1"],
        terms=["explanation"], trials=8, steps=20, batch=64,
    )  # fmt: skip
    found = make(recipe, open_teacher, parts)
    text = " ".join(point["plan"] for point in found.notes["search"])
    assert "explanation" in text and found.encoding == open_teacher.encoding
    assert len(found.notes["search"]) + len(found.notes["without_student"]) > 0
    with pytest.raises(NoSuchSignal, match="answers only"):
        make(recipe, teacher_of(), parts)
    with pytest.raises(InvalidInput, match="the teacher: there is no layer 'blocks.0'"):
        make(Searching(match=["hint"], layers=["layers.0"], teacher_layers=["blocks.0"]), open_teacher, parts)
    blind = recipe.of_outcomes()
    assert blind.match == blind.terms == () and not blind.looks_inside
    assert make(blind, teacher_of(), parts).form.parameters


def test_a_limit_on_what_is_measured_needs_an_instrument_and_is_kept(teacher_of, parts, tmp_path):
    recipe = Searching(sizes=[[2], [4], [8]], latency=0.5, trials=3, steps=10, batch=64)
    with pytest.raises(InvalidInput, match="latency needs an instrument"):
        make(recipe, teacher_of(), parts)
    seen = []

    def meter(student, rows):
        seen.append(student.form.parameters)
        ms = student.form.parameters / 70
        return unknown("too busy") if student.form.parameters < 20 else Interval(ms, ms, ms, 99)

    found = make(recipe.at(Workbench(tmp_path, {"latency": meter})), teacher_of(), parts)
    assert len(seen) == 3 and found.notes["left_out"]["[2]"] == "ms a row undecided: too busy"
    assert set(found.notes["left_out"]) == {"[2]", "[8]"}
    assert "measured on the machine" in " ".join(found.shown[0].context["sentences"])
    again = make(recipe.at(Workbench(tmp_path, {"latency": None})), teacher_of(), parts)
    assert again.identity == found.identity and again.shown[0].rows == found.shown[0].rows
    assert len(list(tmp_path.glob("search-*.sqlite"))) == 1


def test_soft_trees_are_searched_by_depth_and_kept_in_balance(teacher_of, parts):
    found = make(Searching(network="soft_tree", sizes=[[1], [2]], trials=2, steps=5, batch=64), teacher_of(), parts)
    assert found.architecture == "soft_tree" and all("balance" in one["plan"] for one in found.notes["search"])
    assert "balance" in Growing(network="soft_tree", sizes=[[2]]).objective


def test_what_every_student_has_stands_in_the_text_of_each_point(teacher_of, parts):
    keys = {"exits": True, "reads": ["x", "g"], "settled": 0.5, "inputs": "data + jitter(0.2)", "vocabulary": 9}
    terms = ["own(soft_targets(1, 'exits.*'))"]
    recipe, teacher = Searching(sizes=[[2, 2], [3, 3]], terms=terms, trials=2, steps=5, batch=64, **keys), teacher_of()
    found = make(recipe, teacher, parts)
    assert found.arguments["exits"] and read_of(found.encoding) == ("x", "g") and teacher.asked == 400 + 150
    for point in found.notes["search"]:
        (item,) = YAML(typ="safe").load(point["plan"])
        assert {key: item[key] for key in keys} == keys and "exits" in item["objective"]
        assert Student(**{key: value for key, value in item.items() if key not in ("name", "kind")}).exits
    for wrong in ({"vocabulary": 0}, {"settled": -1.0}, {"inputs": "nothing"}):
        with pytest.raises(InvalidInput):
            Searching(**wrong)


def test_transformers_of_several_widths_are_tried():
    recipe = Searching(network="transformer", sizes=[[8], [8, 8]], widths=[8, 16])
    assert [(s.hidden, s.width) for s in recipe.shapes] == [((8,), 8), ((8,), 16), ((8, 8), 8), ((8, 8), 16)]


@pytest.mark.parametrize(
    "keys",
    [
        {"trials": 0},
        {"rate": [1]},
        {"parameters": 0},
        {"latency": -1.0},
        {"terms": ["nothing"]},
        {"steps": 0},
        {"match": ["hint"]},
        {"match": ["labels"], "layers": ["a"], "teacher_layers": ["b"]},
    ],
)
def test_a_wrong_recipe_is_refused_when_written(keys):
    with pytest.raises(InvalidInput):
        Searching(**keys)
