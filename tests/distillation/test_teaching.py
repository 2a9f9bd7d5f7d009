"""Who teaches: ensembles, consensus of clients, peers."""

import numpy as np
import pytest

from kdaudit.chance import rng
from kdaudit.distillation.loop import distil, recorded
from kdaudit.distillation.peers import mutual, outcomes
from kdaudit.distillation.training import Schedule
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, NoSuchSignal, OverBudget
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.store.answers import Store
from kdaudit.teachers.consensus import Consensus
from kdaudit.teachers.ensembles import Ensemble
from kdaudit.teachers.privacy import epsilon_of

CLASSES = ("p", "q", "r")
SHORT = Schedule(40, 32, 1e-2)


def client(rows, seed=0, outputs=CLASSES):
    encoding = Encoding.fitted(rows)
    arguments = {"inputs": encoding.width, "outputs": len(outputs), "hidden": [6]}
    return Network(f"client {seed}", build("mlp", arguments, seed), encoding, outputs)


def small(rows, seed=1, outputs=3):
    return build("mlp", {"inputs": Encoding.fitted(rows).width, "outputs": outputs, "hidden": [8]}, seed)


# ensembles


def test_an_ensemble_answers_with_the_mean_of_scores(draw_rows):
    rows = draw_rows(30)
    members = [client(rows, s) for s in range(3)]
    given = Ensemble(members, weights=(1, 1, 2)).answer(rows, (SCORE, LABEL))
    slow = sum(w * m.answer(rows, (SCORE,)).score for w, m in zip((0.25, 0.25, 0.5), members, strict=True))
    assert given.score == pytest.approx(slow)
    assert (given.label == slow.argmax(axis=1)).all()
    assert Ensemble(members).identity.digest != Ensemble(members[::-1], weights=(1, 1, 2)).identity.digest


def test_an_ensemble_teaches_and_rows_that_one_member_missed_are_left_out(teacher_of, draw_rows):
    rows = draw_rows(40)
    both = Ensemble([teacher_of(CLASSES), teacher_of(CLASSES, fails=(3,))])
    assert both.answer(rows, (SCORE,)).failed == {3: "teacher: no answer"}
    student = distil(small(rows), both, "soft_targets(2)", rows, schedule=Schedule(5, 8))
    assert student.notes["failed"] == 1


def test_members_that_answer_differently_are_refused(teacher_of, draw_rows):
    rows = draw_rows(20)
    with pytest.raises(InvalidInput, match="in another order"):
        Ensemble([client(rows), client(rows, outputs=("q", "p", "r"))])
    with pytest.raises(InvalidInput, match="of other classes"):
        Ensemble([client(rows), client(rows, outputs=("yes",))])
    with pytest.raises(InvalidInput, match="at least 2"):
        Ensemble([client(rows)])
    with pytest.raises(InvalidInput, match="above 0"):
        Ensemble([client(rows), client(rows, 1)], weights=(1, -1))
    with pytest.raises(NoSuchSignal, match="decisions only"):
        Ensemble([client(rows), teacher_of(CLASSES, offers=(LABEL,))])
    with pytest.raises(InvalidInput, match="probability"):
        Ensemble([teacher_of(("x",), scale="value"), teacher_of(("x",))])
    with pytest.raises(NoSuchSignal, match="does not offer logit"):
        Ensemble([client(rows), client(rows, 1)]).answer(rows, (LOGIT,))


# consensus


def together(rows, **keys):
    options = {"clip": 1.0, "noise": 0.5, "secret": 7} | keys
    return Consensus([client(rows, s) for s in range(4)], **options)


def test_without_noise_it_is_the_mean_of_clipped_centred_logits(draw_rows):
    rows = draw_rows(20)
    both = together(rows, noise=0.0, clip=0.2)
    total = np.zeros((20, 3))
    for member in both.clients:
        for i, z in enumerate(member.answer(rows, (LOGIT,)).logit):
            z = z - z.mean()
            total[i] += z * min(1, 0.2 / np.linalg.norm(z))
    assert both.answer(rows, (LOGIT,)).logit == pytest.approx(total / 4)
    assert both.privacy()["epsilon"] is None


def test_one_client_moves_the_sum_by_at_most_twice_the_clip(draw_rows):
    rows = draw_rows(20)
    plain = together(rows, noise=0.0, clip=0.3)
    other = Consensus([*plain.clients[:3], client(rows, 99)], clip=0.3, noise=0.0, secret=7)
    moved = 4 * (plain.answer(rows, (LOGIT,)).logit - other.answer(rows, (LOGIT,)).logit)
    assert 0 < np.linalg.norm(moved, axis=1).max() <= 0.6 + 1e-12


def test_a_row_has_one_noise_and_another_secret_another(draw_rows):
    rows = draw_rows(200)
    first, plain = together(rows), together(rows, noise=0.0)
    given = first.answer(rows, (LOGIT,)).logit
    order = np.arange(200)[::-1]
    assert np.array_equal(first.answer(rows.take(order), (LOGIT,)).logit, given[order])
    noise = 4 * (given - plain.answer(rows, (LOGIT,)).logit)
    assert noise.std() == pytest.approx(0.5, rel=0.1)
    other = together(rows, secret=8)
    assert not np.array_equal(other.answer(rows, (LOGIT,)).logit, given)
    assert other.identity.digest != first.identity.digest


def test_privacy_is_lost_row_by_row_and_once_a_row(draw_rows):
    rows = draw_rows(100)
    both = together(rows, noise=20.0, neighbours="joined")
    assert both.privacy()["epsilon"] == 0
    both.answer(rows.take(range(10)), (SCORE,))
    first = both.privacy()
    both.answer(rows.take(range(10)), (LABEL,))
    assert both.privacy() == first
    assert first["releases"] == 10
    both.answer(rows, (SCORE,))
    assert both.privacy()["epsilon"] > first["epsilon"]
    assert both.privacy()["epsilon"] == pytest.approx(1.993, abs=0.001)
    replaced = together(rows, noise=40.0)
    assert replaced.privacy(rows)["epsilon"] == pytest.approx(both.privacy()["epsilon"])


def test_no_more_rows_are_released_than_allowed(draw_rows):
    rows = draw_rows(30)
    both = together(rows, releases=20)
    both.answer(rows.take(range(15)), (SCORE,))
    with pytest.raises(OverBudget, match="would release 30 public rows, and 20 are allowed"):
        both.answer(rows, (SCORE,))
    assert both.privacy()["releases"] == 15


def test_the_card_of_a_student_says_what_privacy_was_lost_also_when_answers_were_kept(draw_rows):
    rows, store = draw_rows(60), Store()
    for _ in range(2):
        both = together(rows, noise=50.0)
        student = distil(small(rows), both, "soft_targets(1)", rows, store=store, schedule=SHORT)
        told = student.notes["teacher"]["privacy"]
        assert (told["releases"], told["unit"], told["clients"]) == (60, "client", 4)
        assert told["epsilon"] == pytest.approx(epsilon_of(1e-5, 2 * 60**0.5 / 50))
    # only what was noised is kept
    assert not any(c.identity.digest.encode() in repr(vars(store)).encode() for c in both.clients)


@pytest.mark.parametrize("keys", [{"clip": 0}, {"noise": -1}, {"delta": 1}])
def test_impossible_numbers_are_refused(keys, draw_rows):
    with pytest.raises(InvalidInput, match="clip is above 0"):
        together(draw_rows(20), **keys)


# peers


def test_peers_learn_together_to_the_same_bits(teacher_of, draw_rows):
    rows = draw_rows(120)
    record = recorded(teacher_of(CLASSES), rows, Store().ask)
    modules, goal = [small(rows, s) for s in range(3)], "soft_targets(2) + peers(soft_targets(2))"
    made, again = (mutual(modules, goal, record, CLASSES, schedule=SHORT, rng=rng(0, "m")) for _ in range(2))
    assert [m.identity.digest for m in made] == [m.identity.digest for m in again]
    assert [m.notes["peers"] for m in made] == [2, 2, 2]


def test_two_peers_take_two_passes_a_step(teacher_of, draw_rows):
    rows = draw_rows(40)
    record = recorded(teacher_of(CLASSES), rows, Store().ask)
    calls = []

    class Counting(type(small(rows))):
        def forward(self, inputs):
            if self.training:
                calls.append(1)
            return super().forward(inputs)

    modules = [Counting(Encoding.fitted(rows).width, 3, (4,)) for _ in range(2)]
    mutual(modules, "soft_targets(1) + peers(soft_targets(1))", record, CLASSES, schedule=Schedule(5, 16))
    assert len(calls) == 2 * 5


def test_peers_agree_more_than_strangers(draw_rows):
    rows, fresh = draw_rows(60, labels=True), draw_rows(800, 5)
    record = outcomes(rows, ("yes",))
    gaps = []
    for seed in range(3):
        modules = [small(rows, 10 * seed + i, outputs=1) for i in range(2)]
        apart = []
        for goal in ("labels + peers(soft_targets(1))", "labels + 1e-9 * peers(labels)"):
            pair = mutual(modules, goal, record, ("yes",), schedule=Schedule(150, 32, 1e-2), rng=rng(seed, "m"))
            apart.append(np.abs(np.subtract(*(n.answer(fresh, (SCORE,)).score for n in pair))).mean())
        gaps.append(apart[1] - apart[0])
    assert min(gaps) > 0


def test_peers_that_cannot_learn_together_are_refused(teacher_of, draw_rows):
    rows = draw_rows(40)
    record, goal = recorded(teacher_of(CLASSES), rows, Store().ask), "peers(soft_targets(1))"
    with pytest.raises(InvalidInput, match="at least two"):
        mutual([small(rows)], goal, record, CLASSES)
    with pytest.raises(InvalidInput, match="names no peers"):
        mutual([small(rows), small(rows, 2)], "soft_targets(1)", record, CLASSES)
    one, two = small(rows), small(rows, 2)
    two.layers[1] = one.layers[1]
    with pytest.raises(InvalidInput, match=r"students 1 and 2 share layers.1.weight"):
        mutual([one, two], goal, record, CLASSES)
    with pytest.raises(InvalidInput, match="no gradient of one class"):
        mutual([small(rows), small(rows, 2)], "peers(explanation)", record, CLASSES)
    with pytest.raises(InvalidInput, match="these rows have none"):
        outcomes(rows, CLASSES)
    with pytest.raises(InvalidInput, match="match its answers only"):
        mutual([small(rows), small(rows, 2)], "hint('layers.0') + peers(soft_targets(1))", record, CLASSES)
