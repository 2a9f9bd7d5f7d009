"""Canary rows: a teacher that moved starts a new epoch, one that only trembles does not."""

from __future__ import annotations

import numpy as np
import pytest

from kdaudit.errors import TeacherMoved
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.store.answers import Store
from kdaudit.store.canary import watch
from kdaudit.subject import Identity

DECLARED = Identity("endpoint", "d" * 64, "declared")
X = np.linspace(-2, 2, 16)


def test_a_teacher_known_by_content_is_not_asked(rows, fake, tmp_path):
    subject = fake()
    canary = watch(Store(tmp_path), subject, rows(X), resume=False)
    assert (canary.moved, canary.epoch, canary.asked, subject.asked) == (False, 0, 0, [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_moved_teacher_starts_a_new_epoch_without_the_old_answers(on_disk, rows, fake, tmp_path):
    memory = Store()
    open_store = (lambda: Store(tmp_path)) if on_disk else (lambda: memory)
    first = watch(open_store(), fake(identity=DECLARED), rows(X), resume=False)
    assert (first.moved, first.epoch, first.compared, first.asked) == (False, 0, 0, 32)
    open_store().ask(fake(identity=DECLARED), rows([7, 8]), (SCORE,))
    same = watch(open_store(), fake(identity=DECLARED), rows(X), resume=True)
    assert (same.moved, same.compared, same.largest, same.epoch) == (False, 16, 0, 0)
    moved, store = fake(identity=DECLARED, shift=0.01), open_store()
    with pytest.raises(TeacherMoved, match="endpoint answers otherwise"):
        watch(store, moved, rows(X), resume=True)
    now = watch(store, moved, rows(X), resume=False)
    assert (now.moved, now.epoch, now.noise) == (True, 1, 0) and now.largest == pytest.approx(0.01 / 4, rel=0.1)
    assert store.ask(moved, rows([7]), (LOGIT,)).values[LOGIT] == 7.01
    again = watch(open_store(), moved, rows(X), resume=False)
    assert (again.moved, again.epoch) == (False, 1)
    assert DECLARED.digest not in Store(tmp_path).spent
    assert "changed" in now.sentence and "as before" in again.sentence and "first time" in first.sentence
    if on_disk:
        assert len(list(tmp_path.glob("d*/0/logit-0/part-*"))) == 1


def test_noise_is_no_move_and_a_move_beyond_the_noise_is(rows, fake):
    store, teacher = Store(), fake(identity=DECLARED, noise=np.random.default_rng(0))
    runs = [watch(store, teacher, rows(X), resume=False) for _ in range(100)]
    assert not any(canary.moved for canary in runs) and all(canary.noise > 1e-4 for canary in runs)
    teacher.shift = 0.1
    assert watch(store, teacher, rows(X), resume=False).moved


def test_labels_are_watched_and_failed_rows_are_not_compared(rows, fake):
    store = Store()
    ask = {"identity": DECLARED, "offers": frozenset({LABEL})}
    x = [*X[:-2], -300, -0.1]
    watch(store, fake(**ask), rows(x), resume=False)
    same = watch(store, fake(**ask), rows(x), resume=False)
    assert (same.moved, same.compared) == (False, 15)
    assert watch(store, fake(**ask, shift=0.2), rows(x), resume=False).largest == 1


def test_canary_rows_of_another_plan_are_compared_with_the_answers_kept(rows, fake, tmp_path):
    watch(Store(tmp_path), fake(identity=DECLARED), rows(X), resume=False)
    Store(tmp_path).ask(fake(identity=DECLARED), rows([5.5, 6.5]), (SCORE,))
    canary = watch(Store(tmp_path), fake(identity=DECLARED, shift=-4), rows([5.5, 6.5, 9]), resume=False)
    assert canary.moved and canary.compared == 2 and canary.epoch == 1


def test_slow_drift_is_measured_from_the_beginning_of_the_epoch(rows, fake, tmp_path):
    moved = [
        watch(Store(tmp_path), fake(identity=DECLARED, shift=s * 1.5e-6), rows(X), resume=False).moved for s in range(5)
    ]
    assert any(moved)
