import numpy as np
import pytest

from kdaudit.errors import InvalidInput
from kdaudit.signal import LABEL, LOGIT
from kdaudit.teachers.recorded import classes
from kdaudit.teachers.trained import Trained


def test_it_learns_the_outcomes_of_its_part_and_sees_no_other(make_rows, make_setting):
    train, other = make_rows(800, seed=1), make_rows(400, seed=2)
    recipe = Trained("train", hidden=(16,), steps=200, batch=128)
    teacher = recipe.open(make_setting(parts={"train": train, "judge": other}))
    assert (teacher.answer(other, [LABEL]).label == other.labels).mean() > 0.8
    alone = recipe.open(make_setting(parts={"train": train}))
    assert alone.identity == teacher.identity
    assert teacher.encoding.means[0] == pytest.approx(train.columns["age"].mean())


def test_several_classes_have_an_output_each(make_rows, make_setting):
    rows = make_rows(600)
    kinds = np.digitize(rows.columns["age"], [45, 70])
    rows = make_rows(600, labels=kinds)
    recipe = Trained("train", hidden=(16,), steps=300, batch=128)
    teacher = recipe.open(make_setting(outputs=("young", "middle", "old"), parts={"train": rows}))
    answers = teacher.answer(rows, [LOGIT])
    assert answers.score.shape == (600, 3)
    assert (answers.label == kinds).mean() > 0.9


def test_the_same_seed_is_the_same_teacher_and_a_twin_another(rows, make_setting):
    setting = make_setting(parts={"train": rows})

    def digest(**changes):
        return Trained("train", **{"hidden": (8,), "steps": 20, **changes}).open(setting).identity.digest

    assert digest() == digest()
    assert digest(name="other name") == digest()
    others = [digest(seed=1), digest(hidden=(4,)), digest(steps=21), digest(batch=64), digest(rate=1e-2)]
    assert len({digest(), *others}) == 6


def test_what_cannot_be_learned_is_one_sentence(make_rows, make_setting):
    def refused(words, *, part="train", rows=None, **setting):
        parts = {} if rows is None else {"train": rows}
        with pytest.raises(InvalidInput, match=words):
            Trained(part, steps=2).open(make_setting(parts=parts, **setting))

    refused("trained on part 'train', and there is none; the parts are none")
    refused("part 'tran', and there is none; the parts are train", part="tran", rows=make_rows())
    refused("has no recorded outcomes", rows=make_rows(labels=None))
    refused("has no recorded outcomes", rows=make_rows(0))
    refused("the outcome of row 0 is 2; a whole number from 0 to 1", rows=make_rows(3, labels=np.array([2, 0, 1])))
    refused("the outcome of row 1 is 0.5", rows=make_rows(3, labels=np.array([1.0, 0.5, 0.0])))
    refused("the outcome of row 2 is nan", rows=make_rows(3, labels=np.array([1.0, 0.0, np.nan])))
    refused("'says yes' is a number", rows=make_rows(), scale="value")


def test_classes_of_whole_numbers_may_be_written_with_decimals(make_rows):
    assert list(classes(make_rows(3, labels=np.array([1.0, 0.0, 2.0])), 3)) == [1, 0, 2]
