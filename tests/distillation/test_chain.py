"""Chains: who teaches whom, and that one link is plain distillation."""

import numpy as np
import pytest
import torch

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.distillation.chain import Chain, chain, generations, stacked
from kdaudit.distillation.loop import Extras, distil, recorded
from kdaudit.distillation.training import Schedule
from kdaudit.distillation.views import jitter, mixup
from kdaudit.encoders import fitted, read_of
from kdaudit.errors import InvalidInput
from kdaudit.samples import concat
from kdaudit.signal import LABEL, SCORE
from kdaudit.store.answers import Store
from kdaudit.students.mlp import Mlp

SHORT = Schedule(steps=80, batch=64, rate=1e-2)
GOAL = "soft_targets(2)"


def modules(rows, *sizes):
    return [Mlp(hidden).build(rows.domain, ("yes",), rng(0, f"{hidden}")) for hidden in sizes]


def test_one_link_is_plain_distillation(teacher_of, draw_rows):
    rows = draw_rows(200)
    (module,) = modules(rows, (8,))
    (linked,) = chain([module], teacher_of(), GOAL, rows, rng=rng(0, "x"), schedule=SHORT)
    plain = distil(module, teacher_of(), GOAL, rows, rng=rng(0, "x"), schedule=SHORT)
    assert linked.identity == plain.identity


def test_each_link_learns_from_the_one_before(teacher_of, draw_rows):
    rows, teacher = draw_rows(300), teacher_of()
    parts = modules(rows, (32,), (8,), (4,))
    links = chain(parts, teacher, GOAL, rows, rng=rng(0, "x"), schedule=SHORT)
    assert [link.notes["taught_by"] for link in links] == [["teacher"], ["link 1"], ["link 2"]]
    assert [link.arguments["hidden"] for link in links] == [[32], [8], [4]]
    assert teacher.asked == 300
    # the same by hand, one after another
    draws, by_hand, guide = rng(0, "x"), [], teacher_of()
    for module in parts:
        guide = distil(module, guide, GOAL, rows, rng=draws, schedule=SHORT)
        by_hand.append(guide.identity)
    assert [link.identity for link in links] == by_hand


def test_dense_guidance_pairs_every_row_with_every_guide(teacher_of, draw_rows):
    rows, teacher = draw_rows(60, labels=True), teacher_of()
    student = distil(*modules(rows, (4,)), teacher, GOAL, rows, schedule=SHORT)
    records = [recorded(who, rows, Store().ask) for who in (teacher, student)]
    both = stacked(records)
    assert len(both.samples) == len(both.reference) == 120
    for at, record in enumerate(records):
        half = slice(60 * at, 60 * (at + 1))
        assert torch.equal(both.reference.score[half], record.reference.score)
        assert torch.equal(both.reference.outcome[half], record.reference.outcome)
    links = chain(modules(rows, (16,), (4,)), teacher, GOAL, rows, schedule=SHORT, dense=True)
    assert links[1].notes["taught_by"] == ["teacher", "link 1"]
    assert links[1].notes["fitted"] == 120


def test_generations_start_anew(teacher_of, draw_rows):
    rows = draw_rows(200)
    fresh = generations(lambda r: Mlp((8,)).build(rows.domain, ("yes",), r), 3, rng(0, "g"))
    made = chain(fresh, teacher_of(), GOAL, rows, schedule=Schedule(300, 64, 1e-2))
    assert len({network.identity.digest for network in made}) == 3
    assert [network.notes["link"] for network in made] == [1, 2, 3]
    told, said = teacher_of().answer(rows, (LABEL,)).label, made[-1].answer(rows, (LABEL,)).label
    assert (told == said).mean() > 0.9


def test_failed_rows_stay_out_of_every_link(teacher_of, draw_rows):
    rows = draw_rows(100)
    links = chain(modules(rows, (8,), (4,)), teacher_of(fails=(1, 2, 3)), GOAL, rows, schedule=SHORT)
    assert [link.notes["fitted"] for link in links] == [97, 97]


def test_a_plan_can_ask_for_chains_and_inputs(teacher_of, draw_rows):
    recipe = Chain(hidden=[4], assistants=[[16], [8]], inputs="data + mixup", steps=40)
    assert recipe.assistants == ((16,), (8,))
    rows, teacher = draw_rows(80), teacher_of()
    behaviour = Behaviour("yes", teacher.outputs, rows.domain)
    make = [
        recipe.make(behaviour, teacher, {"fit": rows}, behaviour.through(Store().ask), rng(0, "p")) for _ in range(2)
    ]
    assert make[0].identity == make[1].identity
    assert make[0].notes["fitted"] == 160 and make[0].notes["link"] == 3
    assert "link 3 of a chain" in recipe.words()
    extra = recipe.further(behaviour, {"fit": rows}, rng(0, "p"))
    assert len(extra) == 160
    store, other = Store(), teacher_of()
    store.ask(other, extra, (SCORE,))
    asked = other.asked
    recipe.make(behaviour, other, {"fit": rows}, behaviour.through(store.ask), rng(0, "p"))
    assert other.asked == asked  # the rows told beforehand are the rows that it learns on
    assert Chain().further(behaviour, {"fit": rows}, rng(0, "p")) is None


def test_later_links_learn_rows_that_the_teacher_never_saw(teacher_of, draw_rows):
    few, more, teacher = draw_rows(40), draw_rows(160, seed=1), teacher_of()
    parts = modules(few, (16,), (8,), (4,))
    links = chain(parts, teacher, GOAL, few, rng=rng(0, "x"), schedule=SHORT, later=more)
    assert teacher.asked == 40
    assert [link.notes["fitted"] for link in links] == [40, 160, 160]
    assert links[2].notes["answered"] == {"teacher": 40, "link 1": 160, "link 2": 160}
    # the same by hand: the teacher's rows for the first link, the others' for those behind it, seen alike by all
    draws, guide, by_hand = rng(0, "x"), teacher_of(), []
    extras = Extras(encoding=fitted(concat([few, more])))
    for module, rows in zip(parts, (few, more, more), strict=True):
        guide = distil(module, guide, GOAL, rows, rng=draws, schedule=SHORT, extras=extras)
        by_hand.append(guide.identity)
    assert [link.identity for link in links] == by_hand


def test_dense_guidance_joins_rows_of_the_teacher_and_of_the_links(teacher_of, draw_rows):
    few, teacher = draw_rows(40, labels=True), teacher_of()
    made = mixup(few, 100, rng(0, "m"))
    links = chain(
        modules(few, (16,), (8,), (4,)), teacher, GOAL, few, rng=rng(0, "x"), schedule=SHORT, dense=True, later=made
    )
    assert teacher.asked == 40
    assert [link.notes["fitted"] for link in links] == [40, 140, 240]
    # outcomes are those of all rows or of none
    records = [recorded(teacher, rows, Store().ask) for rows in (few, made)]
    assert stacked(records).reference.outcome is None


def test_outcomes_that_later_rows_lack_are_missed_before_anything_is_learned(teacher_of, draw_rows):
    few, parts = draw_rows(40, labels=True), modules(draw_rows(5), (8,), (4,))
    with pytest.raises(InvalidInput, match="drop labels"):
        chain(parts, teacher_of(), f"{GOAL} + labels", few, schedule=SHORT, later=mixup(few, 40, rng(0, "m")))
    links = chain(parts, teacher_of(), f"{GOAL} + labels", few, schedule=SHORT, later=jitter(few, 50, rng(0, "j")))
    assert links[1].notes["answered"] == {"teacher": 40, "link 1": 50}


def made(recipe, teacher, rows, store=None):
    behaviour = Behaviour("yes", teacher.outputs, rows.domain)
    ask = behaviour.through((store or Store()).ask)
    return recipe.make(behaviour, teacher, {"fit": rows}, ask, rng(0, "p")), recipe.further(
        behaviour, {"fit": rows}, rng(0, "p")
    )


def test_a_plan_asks_the_teacher_about_some_of_fit_only(teacher_of, draw_rows):
    rows, teacher = draw_rows(120), teacher_of()
    recipe = Chain(hidden=[4], assistants=[[16]], asked=30, steps=40)
    network, told = made(recipe, teacher, rows)
    assert recipe.uses == () and teacher.asked == len(told) == 30
    assert np.isin(told.keys(), rows.keys()).all()
    assert network.notes["answered"] == {"teacher": 30, "link 1": 120}
    # every chain asks the same rows, whatever its name or seed
    other = Chain(hidden=[8], assistants=[[8]], asked=20).further(
        Behaviour("yes", teacher.outputs, rows.domain), {"fit": rows}, rng(9, "q")
    )
    assert np.isin(other.keys(), told.keys()).all()
    again, _ = made(recipe, teacher_of(), rows)
    assert again.identity == network.identity


def test_a_plan_asks_nothing_for_the_rows_of_later_links(teacher_of, draw_rows):
    rows, teacher = draw_rows(60), teacher_of()
    keys = {"hidden": [4], "assistants": [[16]], "steps": 40}
    network, told = made(Chain(**keys, later="data + 2 * mixup"), teacher, rows)
    assert told is None and teacher.asked == 60
    assert network.notes["answered"] == {"teacher": 60, "link 1": 180}
    teacher = teacher_of()
    network, told = made(Chain(**keys, later="3 * jitter", inputs="data + jitter", asked=20), teacher, rows)
    assert len(told) == teacher.asked == 40
    assert network.notes["answered"] == {"teacher": 40, "link 1": 180}


def test_more_rows_than_there_are_ask_all_of_them(teacher_of, draw_rows):
    rows, teacher = draw_rows(60), teacher_of()
    network, told = made(Chain(hidden=[4], assistants=[[8]], asked=500, steps=20), teacher, rows)
    assert len(told) == teacher.asked == 60
    assert network.notes["answered"] == {"teacher": 60, "link 1": 60}
    assert made(Chain(hidden=[4], asked=25, steps=20), teacher_of(), rows)[0].notes["answered"] == {"teacher": 25}


def test_every_link_has_what_a_student_may_have(teacher_of, draw_rows):
    rows = draw_rows(60)
    keys = {"objective": "soft_targets(1) + own(soft_targets(1, 'exits.*'))", "steps": 20, "settled": 0.5}
    recipe = Chain(hidden=[4, 3], assistants=[[8, 4]], exits=True, reads=["x", "g"], **keys)
    assert [shape.exits for shape in recipe.shapes] == [True, True]
    network, _ = made(recipe, teacher_of(), rows)
    assert network.arguments["exits"] and read_of(network.encoding) == ("x", "g")
    assert "exits.0" in network.notes["objective"]
    with pytest.raises(InvalidInput, match="two layers or more"):
        made(Chain(hidden=[4], exits=True, steps=5), teacher_of(), rows)


def test_soft_trees_are_taught_by_deeper_ones(teacher_of, draw_rows):
    recipe = Chain(network="soft_tree", assistants=[[3]], depth=2, steps=20)
    assert "balance" in recipe.objective and [shape.depth for shape in recipe.shapes] == [3, 2]
    network, _ = made(recipe, teacher_of(), draw_rows(60))
    assert network.arguments["depth"] == 2 and "4 leaves" in recipe.words()
    with pytest.raises(InvalidInput, match="one depth"):
        Chain(network="soft_tree", assistants=[[8, 8]])


@pytest.mark.parametrize(
    "keys",
    [
        {"generations": 0},
        {"inputs": "nothing"},
        {"objective": "soft"},
        {"steps": 0},
        {"asked": -1},
        {"later": "data + mixup"},
        {"settled": 2.0},
        {"vocabulary": 0},
        {"later": "nothing", "generations": 2},
    ],
)
def test_a_wrong_recipe_is_refused_when_written(keys):
    with pytest.raises(InvalidInput):
        Chain(**keys)


def test_a_chain_has_a_student(teacher_of, draw_rows):
    with pytest.raises(InvalidInput, match="at least one"):
        chain([], teacher_of(), GOAL, draw_rows(5))
    with pytest.raises(InvalidInput, match="at least 1"):
        generations(lambda r: None, 0, rng(0, "g"))
