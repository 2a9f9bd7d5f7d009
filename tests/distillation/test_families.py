"""Do students of pictures and texts learn what their teachers say?"""

from types import SimpleNamespace

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.data.sets import load_set, named_set
from kdaudit.distillation.students import Student
from kdaudit.domain import Domain, Text
from kdaudit.errors import InvalidInput
from kdaudit.question import Setting
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL
from kdaudit.store.answers import Store
from kdaudit.teachers.trained import Trained

GOOD, BAD = ("fine", "great", "lovely"), ("poor", "awful", "dull")


def reviews(n, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    texts = np.empty(n, dtype=object)
    for i, label in enumerate(labels):
        filler = rng.choice(("the", "film", "is", "so", "and"), rng.integers(2, 9)).tolist()
        filler.insert(int(rng.integers(len(filler))), str(rng.choice(GOOD if label else BAD)))
        texts[i] = " ".join(filler)
    return Samples(Domain((Text("said"),)), {"said": texts}, np.arange(n) + 1000 * seed, Origin("written"), labels)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    digits = load_set("digits")
    order = np.random.default_rng(0).permutation(len(digits))
    parts = {name: digits.take(order[a : a + 400]) for name, a in (("train", 0), ("fit", 400), ("judge", 800))}
    behaviour = Behaviour("digit", named_set("digits").outputs, digits.domain)
    recipe = Trained("train", hidden=(8, 16), steps=150, batch=32, rate=1e-2, network="cnn")
    teacher = recipe.open(Setting(tmp_path_factory.mktemp("plan"), behaviour, parts))
    return SimpleNamespace(parts=parts, behaviour=behaviour, teacher=teacher)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    parts = {name: reviews(300, seed) for seed, name in enumerate(("train", "fit", "judge"))}
    behaviour = Behaviour("praise", ("yes",), parts["fit"].domain)
    recipe = Trained("train", hidden=(16,), steps=200, batch=32, rate=1e-2, network="transformer", width=8)
    teacher = recipe.open(Setting(tmp_path_factory.mktemp("plan"), behaviour, parts))
    return SimpleNamespace(parts=parts, behaviour=behaviour, teacher=teacher)


def student(case, **recipe):
    parts = {"fit": case.parts["fit"]}
    return Student(batch=32, **recipe).make(case.behaviour, case.teacher, parts, Store().ask, np.random.default_rng(0))


def agreement(case, proxy):
    judge = case.parts["judge"]
    return (proxy.answer(judge, [LABEL]).label == case.teacher.answer(judge, [LABEL]).label).mean()


@pytest.mark.parametrize(
    ("family", "hidden", "least"), [("cnn", (6, 12), 0.7), ("transformer", (16,), 0.65), ("mlp", (24,), 0.7)]
)
def test_students_of_every_family_learn_pictures(pictures, family, hidden, least):
    made = student(pictures, network=family, hidden=hidden, steps=250, rate=1e-2)
    # ten classes: chance is a tenth
    assert agreement(pictures, made) > least
    assert made.encoding.domain == pictures.parts["fit"].domain


@pytest.mark.parametrize("family", ["cnn", "transformer"])
def test_students_of_two_families_learn_texts(texts, family):
    made = student(texts, network=family, hidden=(12,), width=8, steps=150, rate=1e-2)
    assert agreement(texts, made) > 0.9
    assert {*GOOD, *BAD} <= set(made.encoding.words)


def test_an_objective_that_looks_into_the_teacher_sees_rows_as_it_does(pictures):
    made = student(pictures, network="cnn", hidden=(6,), steps=3, objective="soft_targets(2) + explanation")
    assert made.encoding == pictures.teacher.encoding
    assert student(pictures, network="cnn", hidden=(6,), steps=3).encoding == pictures.teacher.encoding
    alone = student(pictures, network="cnn", hidden=(6,), steps=3, objective="soft_targets(2)")
    assert alone.encoding != pictures.teacher.encoding


def test_a_recipe_says_which_network_it_makes():
    assert Student(hidden=(8, 16), network="cnn").words() == "convolutional network of 8 and 16 channels"
    assert Student(hidden=(8, 16), network="transformer").words() == "transformer of 2 layers of width 32"


def test_an_mlp_of_texts_is_refused(texts):
    with pytest.raises(InvalidInput, match="take a cnn or a transformer"):
        student(texts, network="mlp")


def test_a_student_may_start_from_its_teachers_words(texts):
    made = student(texts, network="transformer", hidden=(8,), width=4, vocabulary=6, start="teacher", steps=60)
    assert made.notes["starts_from"].startswith("the teacher's vectors of 8 words, on the 4 widest of their 8")
    assert len(made.encoding.words) == 6
    plain = student(texts, network="transformer", hidden=(8,), width=4, vocabulary=6, steps=60)
    assert "starts_from" not in plain.notes and len(plain.encoding.words) == 6
    assert Student(network="transformer", start="teacher").of_outcomes().start == "chance"


@pytest.mark.parametrize("wrong", [{"vocabulary": 0}, {"objective": "peers(soft_targets(1))", "start": "teacher"}])
def test_words_that_cannot_be_known_are_refused(wrong):
    with pytest.raises(InvalidInput, match="knows at least 1 word"):
        Student(network="transformer", **wrong)
