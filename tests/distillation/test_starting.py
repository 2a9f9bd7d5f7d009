import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.behaviour import Behaviour
from kdaudit.chance import rng
from kdaudit.distillation.chain import Chain
from kdaudit.distillation.growing import Growing
from kdaudit.distillation.loop import distil
from kdaudit.distillation.starting import start_from, vocabulary
from kdaudit.distillation.training import Schedule
from kdaudit.domain import Domain, Real, Text
from kdaudit.encoders import Reading, fitted
from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.samples import Origin, Samples
from kdaudit.store.answers import Store
from kdaudit.tokens import Tokens

DOMAIN = Domain((Text("said", longest=50),))
WORDS = tuple("abcdefghijklmnop")
KEYS = {"network": "transformer", "width": 4, "vocabulary": 8, "start": "teacher", "steps": 3}


def transformer(vocabulary_, width, seed=0):
    sizes = {"vocabulary": vocabulary_, "length": 6, "outputs": 1, "width": width, "hidden": [8], "heads": 2}
    return build("transformer", sizes, seed)


@pytest.fixture
def teacher():
    return Network("teacher", transformer(18, 8), Tokens(DOMAIN, WORDS, 6), ("yes",))


def test_the_first_words_of_the_teacher_are_read(teacher):
    known = Tokens(DOMAIN, ("z", "y", "x"), 9)
    assert vocabulary(known, teacher, 2, "chance") == Tokens(DOMAIN, ("z", "y"), 9)
    assert vocabulary(known, teacher, 4, "teacher") == Tokens(DOMAIN, WORDS[:4], 6)
    whole = Domain((Real("x"), *DOMAIN.fields))
    assert vocabulary(Reading(whole, known), teacher, 2, "chance") == Reading(whole, Tokens(DOMAIN, ("z", "y"), 9))


def test_vectors_lie_on_the_widest_directions(teacher):
    module = transformer(10, 4)
    told = start_from(teacher, module)
    assert told == "the teacher's vectors of 10 words, on the 4 widest of their 8 directions"
    whole = teacher.module.embedding.weight[:10].double()
    # slowly: eigenvectors of the covariance, the widest first; signs are free
    values, axes = np.linalg.eigh(np.cov(whole.numpy().T))
    widest = axes[:, np.argsort(values)[::-1][:4]]
    expected, given = whole.numpy() @ widest, module.embedding.weight.detach().double().numpy()
    np.testing.assert_allclose(np.abs(given), np.abs(expected), atol=1e-5)
    assert module.embedding.weight.requires_grad and not teacher.module.embedding.weight.requires_grad


def test_vectors_of_the_same_length_keep_their_products(teacher):
    module = transformer(18, 8, seed=1)
    start_from(teacher, module)
    ours, theirs = (m.embedding.weight.detach() for m in (module, teacher.module))
    torch.testing.assert_close(ours @ ours.T, theirs @ theirs.T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "recipe",
    [
        Chain(hidden=(8,), assistants=((8,),), **KEYS),
        Growing(sizes=((4,), (8,)), seeds=1, **KEYS),
    ],
)
def test_every_recipe_may_start_from_the_teacher_and_its_controls_do_not(teacher, recipe):
    letters = np.random.default_rng(0).choice(list(WORDS), (40, 3))
    said = np.array([" ".join(three) for three in letters], dtype=object)
    rows = Samples(DOMAIN, {"said": said}, np.arange(40), Origin("drawn"))
    parts = {"fit": rows, "select": rows.take(np.arange(20))}
    behaviour = Behaviour("yes", ("yes",), DOMAIN)
    found = recipe.make(behaviour, teacher, parts, behaviour.through(Store().ask), rng(0, "s"))
    assert "10 words" in found.notes["starts_from"] and found.encoding == Tokens(DOMAIN, WORDS[:8], 6)
    assert recipe.of_outcomes().start == "chance"


def test_what_cannot_be_started_from_is_refused(teacher, teacher_of):
    with pytest.raises(NoSuchSignal, match="starts from its teacher's word vectors looks into"):
        start_from(teacher_of(), transformer(10, 4))
    with pytest.raises(NoSuchSignal):
        vocabulary(teacher.encoding, teacher_of(), 3, "teacher")
    for wide in ((18, 10), (19, 8)):
        with pytest.raises(InvalidInput, match="take no more, and no longer ones"):
            start_from(teacher, transformer(*wide))
    with pytest.raises(InvalidInput, match="'embedding' in both"):
        start_from(teacher, nn.Linear(2, 2))


def test_a_teacher_of_numbers_has_no_words(teacher_of, draw_rows):
    rows = draw_rows(20)
    module = build("mlp", {"inputs": fitted(rows).width, "outputs": 1, "hidden": [2]}, 0)
    numbers = distil(module, teacher_of(), samples=rows, schedule=Schedule(2))
    with pytest.raises(InvalidInput, match="needs a teacher of texts"):
        vocabulary(fitted(rows), numbers, 3, "teacher")
    assert vocabulary(fitted(rows), numbers, 3, "chance") == fitted(rows)
