"""Soft trees as students: of tables with classes and numbers, and of digits."""

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.data.parts import split
from kdaudit.data.sets import load_set, named_set
from kdaudit.distillation.students import BALANCED, Student
from kdaudit.networks.files import load, save
from kdaudit.question import Setting
from kdaudit.signal import LABEL, SCORE
from kdaudit.store.answers import Store
from kdaudit.teachers.trained import Trained


def made(recipe, teacher, parts):
    behaviour = Behaviour("said", teacher.outputs, parts["fit"].domain)
    return recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), np.random.default_rng(0))


def test_a_soft_tree_learns_a_table_and_comes_back_from_disk(teacher_of, draw_rows, tmp_path):
    recipe = Student(network="soft_tree", depth=3, steps=300, batch=64, rate=2e-2)
    assert recipe.words() == "soft tree of 8 leaves"
    teacher, rows, judge = teacher_of(("p", "q", "r")), draw_rows(500), draw_rows(300, 5)
    tree = made(recipe, teacher, {"fit": rows})
    agreed = tree.answer(judge, (LABEL,)).label == teacher.answer(judge, (LABEL,)).label
    assert agreed.mean() > 0.9
    assert tree.notes["objective"].startswith("soft_targets(4) + ramp(0.5")
    assert tree.notes["tree"]["rows"] == 500
    assert tree.notes["tree"]["alone"] > 400
    save(tree, tmp_path)
    again = load(tmp_path)
    assert again.identity == tree.identity
    assert np.array_equal(again.raw(tree.encoding.encode(judge)), tree.raw(tree.encoding.encode(judge)))


def test_a_soft_tree_of_numbers_ends_on_their_own_scale(teacher_of, draw_rows):
    teacher, rows, judge = teacher_of(("dollars",), scale="value"), draw_rows(500), draw_rows(300, 5)
    tree = made(Student(network="soft_tree", depth=4, steps=400, batch=64, rate=2e-2), teacher, {"fit": rows})
    given, right = (who.answer(judge, (SCORE,)).score[:, 0] for who in (tree, teacher))
    assert np.mean((given - right) ** 2) < 0.15 * right.var()
    assert tree.notes["tree"]["leaves"][0]["says"].startswith("dollars ")


@pytest.mark.slow
def test_balance_keeps_the_questions_of_a_tree_of_digits_at_work(tmp_path):
    rows = load_set("digits")
    parts = split(rows, {"past": 700, "fit": 700, "judge": 390}, seed=0)
    behaviour = Behaviour("which digit", named_set("digits").outputs, rows.domain)
    plain, balanced, used = [], [], []
    for seed in range(3):
        teacher = Trained("past", (64, 32), 300, 128, seed=seed).open(Setting(tmp_path, behaviour, parts, seed))
        right = teacher.answer(parts["judge"], (LABEL,)).label
        for agreed, goal in ((plain, "soft_targets(4)"), (balanced, f"soft_targets(4) + {BALANCED}")):
            recipe = Student((), goal, 600, 128, 3e-2, network="soft_tree", depth=4)
            tree = made(recipe, teacher, {"fit": parts["fit"]})
            agreed.append(float((tree.answer(parts["judge"], (LABEL,)).label == right).mean()))
            used.append(len(tree.notes["tree"]["leaves"]))
    assert np.mean(balanced) > np.mean(plain) + 0.03
    assert min(balanced) > 0.85
    assert min(used[1::2]) > max(used[::2])
