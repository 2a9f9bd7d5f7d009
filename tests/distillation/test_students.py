import numpy as np
import pytest

from kdaudit.behaviour import Behaviour, Contrast
from kdaudit.digest import canonical, recipe_data
from kdaudit.distillation.chain import Chain
from kdaudit.distillation.dataless import DataFree
from kdaudit.distillation.growing import Growing
from kdaudit.distillation.searching import Searching
from kdaudit.distillation.students import Student
from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL, SCORE
from kdaudit.store.answers import Store


def rng():
    return np.random.default_rng(0)


def make(recipe, teacher, parts, **keys):
    domain = next(iter(parts.values())).domain
    behaviour = Behaviour("yes", teacher.outputs, domain, **keys)
    return recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), rng())


def kl(teacher, student, rows):
    """Mean divergence from student to teacher in nats, by hand."""
    p, q = teacher.answer(rows, (SCORE,)).score[:, 0], student.answer(rows, (SCORE,)).score[:, 0]
    return float(np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))))


def test_the_student_nearest_on_select_is_taken(teacher_of, draw_rows):
    parts, teacher = {"fit": draw_rows(600), "select": draw_rows(200, 1)}, teacher_of()
    student = make(Student(hidden=(16,), steps=300, rate=1e-2), teacher, parts)
    curve = student.notes["curve"]
    assert [row["steps"] for row in curve] == [75, 150, 300]
    (chosen,) = [row for row in curve if row["chosen"]]
    assert chosen["distance"] == min(row["distance"] for row in curve)
    assert chosen["distance"] == pytest.approx(kl(teacher, student, parts["select"]), rel=1e-4)
    assert (
        student.answer(draw_rows(500, 5), (LABEL,)).label == teacher.answer(draw_rows(500, 5), (LABEL,)).label
    ).mean() > 0.95
    assert canonical(student.notes)


def test_learning_too_long_is_noticed(teacher_of, draw_rows):
    class Noisy(teacher_of):
        def answer(self, samples, signals, draw=0):
            given = super().answer(samples, signals, draw)
            if SCORE in given.values:  # noise of its own for every row: what is learned of it is of no use elsewhere
                noise = np.array([hash(float(x)) % 1000 / 1000 for x in samples.columns["x"]])
                given.values[SCORE][:] = 0.3 * given.values[SCORE] + 0.7 * (noise[:, None] > 0.5)
            return given

    parts = {"fit": draw_rows(60), "select": draw_rows(300, 1)}
    student = make(Student(hidden=(64,), steps=1200, batch=60, rate=1e-2), Noisy(), parts)
    assert student.notes["steps"] < 1200


def test_the_same_seed_gives_the_same_bits(teacher_of, draw_rows):
    parts = {"fit": draw_rows(100), "select": draw_rows(50, 1)}
    made = [make(Student(steps=40), teacher_of(), parts) for _ in range(2)]
    assert made[0].identity == made[1].identity


def test_failed_rows_of_both_parts_are_counted(teacher_of, draw_rows):
    parts = {"fit": draw_rows(100), "select": draw_rows(50, 1)}
    student = make(Student(steps=40), teacher_of(fails=(3, 4)), parts)
    assert (student.notes["fitted"], student.notes["chosen_on"], student.notes["failed"]) == (98, 48, 4)


def test_without_select_all_steps_are_taken(teacher_of, draw_rows):
    student = make(Student(steps=40), teacher_of(), {"fit": draw_rows(100)})
    assert student.notes["steps"] == 40


def test_only_rows_in_scope_are_learned(teacher_of, draw_rows):
    parts = {"fit": draw_rows(100), "select": draw_rows(50, 1)}
    student = make(Student(steps=40), teacher_of(), parts, scope="x > 0")
    assert student.notes["fitted"] == (parts["fit"].columns["x"] > 0).sum()


def test_contrasts_are_refused(teacher_of, draw_rows):
    with pytest.raises(InvalidInput, match="contrast"):
        make(Student(), teacher_of(), {"fit": draw_rows(20)}, contrast=Contrast("g", "a", "b"))


def test_a_teacher_of_other_outputs_or_another_order_is_refused(teacher_of, draw_rows):
    parts, teacher = {"fit": draw_rows(20), "select": draw_rows(20, 1)}, teacher_of(("a", "b", "c"))
    for recipe in (Student(steps=2), Chain(steps=2), Growing(steps=2, seeds=1), DataFree(steps=2), Searching(steps=2)):
        for outputs in (("c", "b", "a"), ("a", "b")):
            behaviour = Behaviour("abc", outputs, parts["fit"].domain)
            with pytest.raises(InvalidInput, match="answers with a, b, c; .* in that order"):
                recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"objective": "soft"}, "unknown"),
        ({"steps": 0}, "above 0"),
        ({"rate": -1.0}, "above 0"),
        ({"batch": 0}, "above 0"),
    ],
)
def test_a_wrong_recipe_is_refused_when_written(keys, told):
    with pytest.raises(InvalidInput, match=told):
        Student(**keys)


def test_the_recipe_is_plain_data_and_says_what_it_makes(teacher_of, draw_rows):
    recipe = Student(hidden=[8, 4], steps=20)
    assert recipe == Student(hidden=(8, 4), steps=20)
    assert recipe_data(recipe)["hidden"] == [8, 4]
    assert recipe.words() == "network of 8 and 4 hidden units"
    assert Student(hidden=()).words() == "linear network"
    student = make(recipe, teacher_of(), {"fit": draw_rows(50)})
    assert recipe.size(student) == {"parameters": 6 * 8 + 8 + 8 * 4 + 4 + 4 + 1}
    assert recipe.signals == frozenset()


def test_an_objective_with_peers_makes_two_and_returns_one(teacher_of, draw_rows):
    parts = {"fit": draw_rows(120), "select": draw_rows(50, 1)}
    recipe = Student(steps=40, objective="soft_targets(2) + peers(soft_targets(2))")
    made = [make(recipe, teacher_of(), parts) for _ in range(2)]
    assert made[0].identity == made[1].identity
    assert made[0].notes["peers"] == 1


@pytest.mark.parametrize(
    ("objective", "blind"),
    [
        ("soft_targets(2) + 0.5 * hint('layers.0') + explanation", "soft_targets(2)"),
        ("hint('layers.0')", "soft_targets(1)"),
        ("soft_targets(2) + own(hint('layers.0', 'layers.1'))", "soft_targets(2) + own(hint('layers.0', 'layers.1'))"),
    ],
)
def test_outcomes_are_not_looked_into(objective, blind):
    assert Student(objective=objective).of_outcomes() == Student(objective=blind)


def test_rows_that_are_told_beforehand_are_those_that_are_learned(teacher_of, draw_rows):
    parts, store, teacher = {"fit": draw_rows(60), "select": draw_rows(30, 1)}, Store(), teacher_of()
    recipe = Student(steps=20, objective="soft_targets(2)", inputs="data + 2 * mixup + jitter(0.2)")
    behaviour = Behaviour("yes", teacher.outputs, parts["fit"].domain)
    student = recipe.make(behaviour, teacher, parts, behaviour.through(store.ask), rng())
    told = recipe.further(behaviour, parts, rng())
    assert student.notes["fitted"] == len(told) == 240
    assert not store.known(teacher, told, (SCORE,)).failed
    assert teacher.asked == 240 + 30
    assert Student().further(behaviour, parts, rng()) is None


def test_made_rows_change_nothing_else_that_is_drawn(teacher_of, draw_rows):
    first, other = np.random.default_rng(5), np.random.default_rng(5)
    behaviour = Behaviour("yes", ("yes",), draw_rows(5).domain)
    Student(inputs="jitter").further(behaviour, {"fit": draw_rows(20)}, first)
    assert first.integers(2**62) == other.integers(2**62)


def test_outcomes_say_nothing_about_made_rows():
    assert Student(inputs="mixup").of_outcomes().inputs == "data"


def test_as_many_learn_together_as_the_recipe_says(teacher_of, draw_rows):
    parts = {"fit": draw_rows(120)}
    made = make(Student(steps=20, objective="soft_targets(2) + peers(soft_targets(2))", peers=4), teacher_of(), parts)
    assert made.notes["peers"] == 3
    with pytest.raises(InvalidInput, match="at least 2 learn together"):
        Student(peers=1)
    with pytest.raises(InvalidInput, match="did you mean mixup"):
        Student(inputs="mixap")


def test_students_that_learn_together_may_read_some_fields_only(teacher_of, draw_rows):
    recipe = Student(steps=10, objective="soft_targets(2) + peers(soft_targets(2))", reads=("x",), hidden=(3,))
    made = make(recipe, teacher_of(), {"fit": draw_rows(60)})
    assert made.encoding.width == 1
