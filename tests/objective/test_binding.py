from dataclasses import replace

import pytest
import torch

from kdaudit.errors import InvalidInput
from kdaudit.objective.binding import Bound
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective, parse


def said(n=8, k=3, width=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return {
        "": torch.randn(n, k, generator=draw),
        "vectors": torch.randn(n, width, generator=draw),
        "maps": torch.randn(n, width, 2, 2, generator=draw),
    }


def heard(n=8, k=3, width=6, seed=1):
    given = said(n, k, width, seed)
    return Reference.from_logits(given[""], torch.zeros(n, dtype=torch.int64), "probability", given)


def bound(text, student=None, teacher=None):
    goal = parse(text)
    references = {"teacher": teacher or heard()}
    return Bound(goal, student or said(), references, torch.Generator().manual_seed(0)), references


@pytest.mark.parametrize("tap", ["vectors", "maps"])
def test_widths_are_brought_together_by_a_map_that_learns(tap):
    goal, references = bound(f"hint({tap!r})")
    (weights,) = goal.parameters()
    assert weights.shape == (6, 4)
    rate = torch.optim.Adam([weights], 0.05)
    first = None
    for _ in range(200):
        rate.zero_grad()
        total, _ = goal(said(), references)
        total.backward()
        rate.step()
        first = first or total.item()
    # least squares, in closed form, and in double precision, where nothing can lie below it by rounding
    a = said()[tap].movedim(1, -1).reshape(-1, 4).double()
    b = references["teacher"].taps[tap].movedim(1, -1).reshape(-1, 6).double()
    best = float(((a @ torch.linalg.lstsq(a, b).solution - b) ** 2).mean())
    reached = float(((a @ weights.detach().double().T - b) ** 2).mean())
    assert best <= reached < best + 0.05 < first
    assert total.item() == pytest.approx(reached, abs=1e-4)


def test_equal_widths_and_relations_need_no_map():
    assert not list(bound("hint('vectors')", teacher=heard(width=4))[0].parameters())
    assert not list(bound("similarity('vectors') + cka('maps')")[0].parameters())


def test_terms_of_a_sum_stand_on_one_scale():
    goal, references = bound("soft_targets(2) + 3 * hint('vectors', 'vectors')")
    total, means = goal(said(), references)
    assert total.item() == pytest.approx(4.0)
    assert [m.item() for m in means] == pytest.approx(list(goal.units))
    assert goal.account()[1] == {"term": "hint('vectors')", "weight": "3.0", "unit": goal.units[1], "projected": True}


def test_a_single_term_stays_as_it_is():
    goal, references = bound("soft_targets(2)")
    assert goal.units == (1.0,)
    assert torch.equal(goal(said(), references)[0], parse("soft_targets(2)")(said(), references["teacher"]).mean())


def test_a_term_that_is_nothing_at_first_keeps_its_own_unit():
    given = said()
    same = Reference.from_logits(given[""], None, "probability", given)
    assert bound("soft_targets(2) + hint('vectors')", given, same)[0].units == (1.0, 1.0)


@pytest.mark.parametrize("by", ["own", "peers"])
def test_learners_that_say_nothing_yet_are_on_the_teachers_scale(by):
    (first, *others), teacher = parse("soft_targets(1) + soft_targets(2) + hint('vectors')").parts, heard()
    goal = Objective((first, *((weight, replace(term, by=by)) for weight, term in others)))
    given = {name: 1e-3 * values for name, values in said().items()}
    other = Reference.from_logits(1e-3 * teacher.logit, None, "probability", {"vectors": said(seed=2)["vectors"]})
    made = Bound(goal, given, {"teacher": teacher, by: other}, torch.Generator().manual_seed(0))
    assert made.units[1] == pytest.approx(float(parse("soft_targets(2)")(given, teacher).mean()))
    # layers have no teacher to be measured against: their own difference is their unit
    assert made.units[2] == pytest.approx(float(made.values(given, {"teacher": teacher, by: other})[2].mean()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("own(soft_targets(2, 'exit'))", "compares the student with itself"),
        ("peers(soft_targets(2))", "it learns alone"),
        ("hint('other')", "needs the student's 'other'"),
        ("hint('vectors', 'other')", "needs the teacher's 'other'"),
    ],
)
def test_what_is_not_there_is_told(text, told):
    with pytest.raises(InvalidInput, match=told):
        bound(text)


def test_layers_without_finite_numbers_are_told_by_term():
    given = said()
    given["vectors"][0] = float("nan")
    with pytest.raises(InvalidInput, match=r"hint\('vectors'\) is nan on the first batch"):
        bound("soft_targets(2) + hint('vectors')", given, heard(width=4))


def test_a_mean_in_fewer_passes_is_the_same_mean():
    goal, references = bound("hint('maps') + hint('vectors')")
    slow = [value.mean() for value in goal.values(said(), references)]
    for quick, one in zip(goal(said(), references)[1], slow, strict=True):
        assert torch.allclose(quick, one)


@pytest.mark.parametrize("classes", [3, 10, 200])
@pytest.mark.parametrize("temperature", [1, 4, 20])
def test_a_weight_means_the_same_for_any_number_of_classes_and_temperature(classes, temperature):
    given, theirs = said(64, classes), heard(64, classes)
    goal = f"soft_targets({temperature}) + 0.5 * logit_mse + 0.25 * hint('vectors') + 2 * similarity('maps')"
    made, references = bound(goal, given, theirs)
    total, means = made(given, references)
    parts = [
        float(weight * mean.detach() / unit)
        for (weight, _), mean, unit in zip(made.goal.parts, means, made.units, strict=True)
    ]
    assert parts == pytest.approx([1.0, 0.5, 0.25, 2.0], rel=1e-5)
    assert float(total.detach()) == pytest.approx(3.75, rel=1e-5)
