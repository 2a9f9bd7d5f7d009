"""What every subject keeps to, whoever it is.

To put another kind of subject under these contracts, add a line to `CASES`.
"""

import numpy as np
import pytest
import torch

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidAnswers, NoSuchSignal, OutOfDomain
from kdaudit.layers import Layers
from kdaudit.rules import Rules
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal
from kdaudit.subject import Answers, Subject, check_answers


def _numbers(subject):
    return [signal for signal in (LOGIT, SCORE) if signal in subject.offers]


def _same(a: Answers, b: Answers, signals):
    return all(np.array_equal(a.values[s], b.values[s], equal_nan=True) for s in signals)


def test_it_says_who_it_is(subject):
    assert isinstance(subject, Subject)
    assert isinstance(subject.outputs, tuple)
    assert all(isinstance(signal, Signal) for signal in subject.offers)
    assert subject.form is None or isinstance(subject.form, (Layers, Rules))
    assert len(subject.identity.digest) == 64
    assert subject.identity.name


def test_every_offered_signal_is_answered_and_no_other(subject, rows):
    for signals in [[signal] for signal in sorted(subject.offers)] + [sorted(subject.offers)]:
        answers = subject.answer(rows, signals)
        assert check_answers(answers, rows, signals, subject) is answers
        assert not answers.failed
        assert all(len(answers.values[signal]) == len(rows) for signal in signals)
    with pytest.raises(NoSuchSignal, match="hidden@nowhere"):
        subject.answer(rows, [Signal("hidden", "nowhere")])


def test_numbers_are_float64_and_labels_int64(subject, rows):
    answers = subject.answer(rows, subject.offers)
    assert all(answers.values[s].dtype == np.float64 for s in _numbers(subject))
    assert all(answers.values[s].shape == (len(rows), len(subject.outputs)) for s in _numbers(subject))
    if LABEL in subject.offers:
        assert answers.values[LABEL].dtype == np.int64
        assert set(answers.values[LABEL]) <= set(range(max(2, len(subject.outputs))))


def test_answers_go_with_their_rows(subject, rows):
    order = np.random.default_rng(5).permutation(len(rows))
    answers = subject.answer(rows, subject.offers)
    again = subject.answer(rows.take(order), subject.offers)
    assert _same(again, answers.take(order), subject.offers)


def test_a_row_has_the_same_bits_alone_in_pairs_and_in_full(subject, rows):
    answers = subject.answer(rows, subject.offers)
    for row in range(0, len(rows), 37):
        assert _same(subject.answer(rows.take([row]), subject.offers), answers.take([row]), subject.offers)
        for pair in ([row, 7], [299, row], [row, row]):
            assert _same(subject.answer(rows.take(pair), subject.offers), answers.take(np.array(pair)), subject.offers)
    longer = np.concatenate([np.arange(300)[::-1], np.arange(290)])
    assert _same(subject.answer(rows.take(longer), subject.offers), answers.take(longer), subject.offers)


def test_the_order_in_which_a_file_names_levels_changes_nothing(subject, table, fields):
    levels = ("sea", "school", "office", "farm")
    renamed = (*fields[:3], Category("work", levels, missing=True))
    work = np.array([levels.index(w) if w is not None else -1 for w in table.level("work")])
    again = Samples(Domain(renamed), {**table.columns, "work": work}, table.ids, table.origin)
    assert _same(subject.answer(again, subject.offers), subject.answer(table, subject.offers), subject.offers)


def test_no_rows_have_no_answers(subject, rows):
    answers = subject.answer(rows.take([]), subject.offers)
    assert all(len(answers.values[signal]) == 0 for signal in subject.offers)


def test_identity_changes_with_a_weight_and_only_then(case, tmp_path, rows):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    first, same, other = (case.make(tmp_path / name, w) for name, w in (("a", 0.0), ("b", 0.0), ("c", 1.0)))
    assert first.identity == same.identity
    first.answer(rows, first.offers)
    assert first.identity == same.identity
    assert first.identity.digest != other.identity.digest
    given, changed = (subject.answer(rows, subject.offers) for subject in (first, other))
    assert not _same(given, changed, first.offers)


def test_rows_of_other_fields_are_refused(subject, table):
    wrong = Samples(
        Domain((Real("age"), Real("hours"), Real("height"))),
        {"age": table.columns["age"], "hours": np.ones(len(table)), "height": np.ones(len(table))},
        table.ids,
        Origin("wrong"),
    )
    if subject.identity.by == "id":
        # nobody is there who could misread the columns, but these are not the rows that were answered
        assert len(subject.answer(wrong, subject.offers).failed) == len(wrong)
    else:
        with pytest.raises(OutOfDomain, match="age, hours, sex, work were expected"):
            subject.answer(wrong, subject.offers)


def test_an_unknown_level_is_refused(subject, table, fields):
    field = Category("work", ("office", "farm", "school", "sea", "mine"), missing=True)
    columns = {**table.columns, "work": np.full(len(table), 4)}
    mine = Samples(Domain((*fields[:3], field)), columns, table.ids, table.origin)
    if subject.identity.by == "id":
        assert len(subject.answer(mine, subject.offers).failed) == len(mine)
    else:
        with pytest.raises(OutOfDomain, match="mine"):
            subject.answer(mine, subject.offers)


def test_what_is_no_number_is_refused(subject, rows):
    answers = subject.answer(rows, subject.offers)
    for signal in _numbers(subject):
        broken = answers.values[signal].copy()
        broken[3, 0] = np.nan
        with pytest.raises(InvalidAnswers, match=f"answered row {rows.ids[3]} with {signal} nan"):
            check_answers(Answers({signal: broken}), rows, [signal], subject)


def test_another_number_of_rows_is_refused(subject, rows):
    answers = subject.answer(rows, subject.offers).take(np.arange(299))
    for signal in sorted(subject.offers):
        with pytest.raises(InvalidAnswers, match="gave 299 answers to 300 rows"):
            check_answers(answers, rows, [signal], subject)


def test_asking_leaves_rows_and_chance_as_they_were(subject, rows):
    columns = {name: column.copy() for name, column in rows.columns.items()}
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    subject.answer(rows, subject.offers)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()
    for name, column in columns.items():
        assert np.array_equal(rows.columns[name], column, equal_nan=column.dtype.kind == "f")
