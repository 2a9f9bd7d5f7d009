"""Budgets count distinct rows, whatever the batches, the repeats and what is on disk."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdaudit.errors import OverBudget
from kdaudit.signal import SCORE
from kdaudit.store.answers import Store
from kdaudit.store.metered import Ledger, Metered
from kdaudit.subject import Identity

many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(asks=st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=6), batch=st.integers(1, 5), warm=st.booleans())
def test_asked_is_the_number_of_distinct_rows(asks, batch, warm, rows, fake):
    store, teacher, ledger = Store(batch=batch), fake(), Ledger(None)
    if warm:
        store.ask(teacher, rows(range(5)), (SCORE,))
    ask = Metered(store.ask, teacher, ledger=ledger)
    for x in asks:
        ask(teacher, rows(x), (SCORE,))
    assert ask.asked == ledger.used == len({v for x in asks for v in x})
    assert ledger.left is None


@many
@given(asks=st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=6), limit=st.integers(0, 8))
def test_nothing_is_asked_beyond_the_limit(asks, limit, rows, fake):
    teacher, allowed = fake(), set()
    ask = Metered(Store().ask, teacher, limit=limit, name="probes/parity")
    for x in asks:
        before = list(teacher.asked)
        if len(allowed | set(x)) <= limit:
            ask(teacher, rows(x), (SCORE,))
            allowed |= set(x)
        else:
            with pytest.raises(OverBudget, match="the budget of probes/parity") as error:
                ask(teacher, rows(x), (SCORE,))
            assert teacher.asked == before
            assert (error.value.needed, error.value.left) == (len(set(x) - allowed), limit - len(allowed))
    assert ask.asked == len(allowed) <= limit and sorted(teacher.asked) == sorted(allowed)


def test_the_ledger_counts_rows_of_all_questions_once(rows, fake):
    store, teacher, ledger = Store(), fake(), Ledger(5)
    one, two = (Metered(store.ask, teacher, limit=4, ledger=ledger) for _ in range(2))
    one(teacher, rows([1, 2, 3]), (SCORE,))
    two(teacher, rows([2, 3, 4]), (SCORE,))
    assert (one.asked, two.asked, ledger.used, ledger.left) == (3, 3, 4, 1)
    with pytest.raises(OverBudget, match="3 more rows, and the question's budget has 1 left of 4"):
        two(teacher, rows([5, 6, 7]), (SCORE,))
    two(teacher, rows([5]), (SCORE,))
    with pytest.raises(OverBudget, match="the whole audit has 0 left of 5"):
        one(teacher, rows([6]), (SCORE,))
    assert (one.asked, two.asked, ledger.used) == (3, 4, 5)


def test_a_resumed_ledger_counts_as_if_never_stopped(rows, fake):
    teacher, first, resumed = fake(), Ledger(3), Ledger(3)
    Metered(Store().ask, teacher, ledger=first)(teacher, rows([1, 2]), (SCORE,))
    resumed.enter(first.rows)
    Metered(Store().ask, teacher, ledger=resumed)(teacher, rows([2, 3, 2]), (SCORE,))
    assert resumed.used == 3


def test_other_subjects_pass_uncounted_and_recorded_rows_count_by_id(rows, fake):
    teacher = fake(identity=Identity("recorded", "a" * 64, by="id"))
    ask = Metered(Store().ask, teacher, limit=2)
    ask(fake(), rows(range(50)), (SCORE,))
    ask(teacher, rows([1, 1, 1], ids=["a", "b", "a"]), (SCORE,))
    assert ask.asked == 2
