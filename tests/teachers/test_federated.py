"""Ensembles and federations as recipes."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from kdaudit.errors import InvalidInput, NoSuchSignal
from kdaudit.samples import Samples
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.teachers.consensus import Consensus
from kdaudit.teachers.ensembles import Ensemble, Ensembled
from kdaudit.teachers.federated import Federated
from kdaudit.teachers.privacy import epsilon_of, most_releases, mu_of
from kdaudit.teachers.recorded import outcomes
from kdaudit.teachers.trained import Trained
from kdaudit.teachers.wrapping import wrap

MEMBERS = tuple(Trained("train", hidden=(4,), steps=10, seed=seed, name=f"m{seed}") for seed in range(3))


@dataclass(frozen=True)
class Declared:
    """A function as a teacher."""

    def open(self, setting):
        return wrap(lambda frame: np.full(len(frame), 0.5), domain=setting.behaviour.domain, outputs=("yes",), name="f")


@pytest.fixture
def setting(make_setting, rows):
    return make_setting(parts={"train": rows})


def test_members_are_opened_and_answer_as_one(setting, rows):
    made = Ensembled(MEMBERS, weights=(1.0, 1.0, 2.0)).open(setting)
    assert isinstance(made, Ensemble)
    each = [member.open(setting).answer(rows, (SCORE,)).score for member in MEMBERS]
    assert made.answer(rows, (SCORE,)).score == pytest.approx((each[0] + each[1] + 2 * each[2]) / 4)
    assert made.identity.basis == "content"
    assert Ensembled((*MEMBERS, Declared())).open(setting).identity.basis == "declared"


def test_clients_are_opened_and_answer_under_noise(setting, rows):
    recipe = Federated(MEMBERS, clip=2.0, noise=30.0, epsilon=5.0)
    made = recipe.open(setting)
    assert isinstance(made, Consensus)
    assert made.releases == recipe.releases
    given = made.answer(rows, (LOGIT,)).logit
    assert np.array_equal(recipe.open(setting).answer(rows, (LOGIT,)).logit, given)
    other = Federated(MEMBERS, clip=2.0, noise=30.0, name="other").open(setting)
    assert not np.array_equal(other.answer(rows, (LOGIT,)).logit, given)
    assert Federated((*MEMBERS, Declared()), clip=2.0, noise=3.0).open(setting).identity.basis == "declared"


@pytest.mark.parametrize("neighbours", ["joined", "replaced"])
@pytest.mark.parametrize("epsilon", [0.5, 2.0, 12.0])
def test_the_budget_allows_the_last_row_that_it_can(epsilon, neighbours):
    most = most_releases(epsilon, 1e-5, 25.0, neighbours)
    slow = next(k for k in range(1, 10**6) if epsilon_of(1e-5, mu_of(k, 25.0, neighbours)) > epsilon) - 1
    assert most == slow > 0


def test_what_rows_cost_is_told_in_words():
    recipe = Federated(MEMBERS, clip=1.0, noise=20.0, neighbours="joined", name="clinics")
    assert recipe.told(100) == "clinics: 100 rows released cost epsilon 1.99 at delta 1e-05"
    assert recipe.releases is None
    open_ = Federated(MEMBERS, clip=1.0, noise=0.0)
    assert math.isinf(open_.loss(1)) and "leave nothing private" in open_.told(1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ensembled(MEMBERS[:1]), "at least 2 were expected"),
        (lambda: Ensembled(MEMBERS, weights=(1.0, 2.0)), "3 numbers above 0"),
        (lambda: Federated(MEMBERS[:1], clip=1.0, noise=1.0), "at least 2 were expected"),
        (lambda: Federated(MEMBERS, clip=0.0, noise=1.0), "clip is above 0"),
        (lambda: Federated(MEMBERS, clip=1.0, noise=0.1, epsilon=1.0), "one row alone costs more"),
        (lambda: Federated(MEMBERS, clip=1.0, noise=1.0, epsilon=-1.0), "a number from 0 up"),
    ],
)
def test_a_wrong_recipe_is_refused_when_written(make, words):
    with pytest.raises(InvalidInput, match=words):
        make()


def test_members_that_do_not_answer_alike_are_refused(make_setting, rows):
    @dataclass(frozen=True)
    class Three:
        def open(self, setting):
            return wrap(
                lambda f: np.full((len(f), 3), 1 / 3), domain=rows.domain, outputs=("a", "b", "c"), name="three"
            )

    setting = make_setting(parts={"train": rows})
    with pytest.raises(InvalidInput, match="of other classes"):
        Ensembled((MEMBERS[0], Three())).open(setting)
    with pytest.raises(NoSuchSignal, match="does not offer logit"):
        Ensembled(MEMBERS).open(setting).answer(rows, (LOGIT, LABEL))


def test_of_a_client_that_knows_rows_by_their_ids_each_id_is_a_release(setting, rows):
    first = rows.take([0, 0])
    twice = Samples(rows.domain, first.columns, np.array([0, 1]), rows.origin, first.labels)
    clients = [member.open(setting) for member in MEMBERS]
    plain = Consensus(clients, clip=2.0, noise=1.0, secret=3)
    same = plain.answer(twice, (LOGIT,)).logit
    assert np.array_equal(same[0], same[1]) and plain.privacy()["releases"] == 1
    recorded = outcomes(twice, ("yes",))
    both = Consensus([*clients, recorded], clip=2.0, noise=1.0, secret=3)
    apart = both.answer(twice, (LOGIT,)).logit
    # two answers under one noise would tell their difference
    assert not np.array_equal(apart[0], apart[1]) and both.privacy()["releases"] == 2
