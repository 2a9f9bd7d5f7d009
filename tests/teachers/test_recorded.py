import pickle

import numpy as np
import pandas as pd
import pytest

from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal, UnsafeFile
from kdaudit.signal import LABEL, LOGIT, SCORE
from kdaudit.teachers.recorded import Recorded, outcomes, records


@pytest.fixture
def opened(make_setting, tmp_path, rows):
    def made(table, *, file="answers.csv", outputs=("yes",), scale="probability", parts=None, **recipe):
        path = tmp_path / file
        frame = pd.DataFrame(table)
        frame.to_csv(path, index=False) if file.endswith(".csv") else frame.to_parquet(path)
        recipe = {"scores": ("score",)} | recipe
        setting = make_setting(outputs=outputs, scale=scale, parts={"judge": rows} if parts is None else parts)
        return Recorded(file, **recipe).open(setting)

    return made


def _table(rows):
    score = np.random.default_rng(3).random(len(rows))
    return {"id": rows.ids, "score": score}


@pytest.mark.parametrize("file", ["answers.csv", "answers.parquet"])
def test_each_row_has_the_answer_of_its_id(opened, rows, file):
    table = _table(rows)
    subject = opened(table, file=file)
    assert (subject.identity.by, subject.identity.basis) == ("id", "content")
    answers = subject.answer(rows, [SCORE, LABEL])
    assert (answers.score[:, 0] == table["score"]).all()
    assert (answers.label == (table["score"] > 0.5)).all()
    with pytest.raises(NoSuchSignal, match="recorded answers does not offer logit; it offers label, score"):
        subject.answer(rows, [LOGIT])


def test_identity_is_the_content_of_the_table_whatever_the_order(opened, rows):
    table = pd.DataFrame(_table(rows))
    first = opened(table).identity.digest
    assert opened(table.sample(frac=1, random_state=0)).identity.digest == first
    assert opened(table.assign(more=1)).identity.digest == first
    assert opened(table, file="answers.parquet").identity.digest == first
    changed = table.copy()
    changed.loc[5, "score"] = 0.123
    assert opened(changed).identity.digest != first
    assert opened(table.iloc[:-1]).identity.digest != first
    assert opened(table, outputs=("no",)).identity.digest != first


def test_two_rows_of_one_content_keep_two_answers(opened, make_rows):
    rows = make_rows(4)
    twins = rows.take([0, 0, 1])
    twins = type(rows)(rows.domain, twins.columns, np.array(["a", "b", "c"]), rows.origin)
    subject = opened({"id": ["a", "b", "c"], "score": [0.1, 0.9, 0.5]}, parts={"judge": twins})
    assert twins.keys()[0] == twins.keys()[1]
    assert list(subject.answer(twins, [SCORE]).score[:, 0]) == [0.1, 0.9, 0.5]


def test_rows_without_an_answer_fail_with_the_reason(opened, rows):
    subject = opened({name: values[:100] for name, values in _table(rows).items()})
    answers = subject.answer(rows, [SCORE, LABEL])
    assert answers.failed == dict.fromkeys(range(100, 120), "no answer to this row was recorded")
    assert np.isnan(answers.score[100:]).all()
    assert (answers.label[100:] == -1).all()
    assert (answers.label[:100] >= 0).all()


def test_a_row_whose_score_is_empty_has_failed(opened, rows):
    subject = opened(_broken(rows, "score", np.nan))
    answers = subject.answer(rows, [SCORE, LABEL])
    assert answers.failed == {7: "its recorded score is empty"}
    assert np.isnan(answers.score[7]).all() and answers.label[7] == -1
    assert (np.delete(answers.label, 7) >= 0).all()
    assert subject.identity.digest != opened(_table(rows)).identity.digest
    # of several outputs one is enough
    two = opened({"id": [0, 1], "a": [0.5, np.nan], "b": [0.5, 0.6]}, outputs=("a", "b"), scores=("a", "b"))
    assert set(two.answer(rows.take([0, 1]), [SCORE]).failed) == {1}


def test_a_row_that_was_changed_is_not_given_the_answer_to_the_row_as_it_was(opened, rows):
    subject = opened(_table(rows))
    changed = rows.setting("sex", "male")
    answers = subject.answer(changed, [SCORE])
    women = np.flatnonzero(rows.columns["sex"] == 0)
    assert answers.failed == dict.fromkeys(women.tolist(), "the row was changed after its answer was recorded")
    assert np.isnan(answers.score[women]).all()
    # where nobody says what the rows were, the id alone decides
    assert not opened(_table(rows), parts={}).answer(changed, [SCORE]).failed


def test_several_outputs_have_a_column_each(opened, rows):
    scores = np.random.default_rng(0).dirichlet([1, 1, 1], len(rows))
    table = {"id": rows.ids, **{name: scores[:, i] for i, name in enumerate("abc")}}
    subject = opened(table, outputs=("x", "y", "z"), scores=("a", "b", "c"))
    answers = subject.answer(rows, [SCORE, LABEL])
    assert (answers.score == scores).all()
    assert (answers.label == scores.argmax(axis=1)).all()


def test_recorded_decisions_stand_alone_or_beside_scores(opened, rows):
    said = (np.arange(len(rows)) % 2).astype(int)
    alone = opened({"id": rows.ids, "said": said}, scores=(), labels="said")
    assert alone.offers == {LABEL}
    assert (alone.answer(rows, [LABEL]).label == said).all()
    both = opened({**_table(rows), "said": said}, labels="said")
    answers = both.answer(rows, [SCORE, LABEL])
    assert (answers.label == said).all()
    assert (answers.score[:, 0] == _table(rows)["score"]).all()
    named = opened(
        {"id": rows.ids, "said": np.array(["no", "yes"])[said]}, outputs=("no", "yes"), scores=(), labels="said"
    )
    assert (named.answer(rows, [LABEL]).label == said).all()


def test_numbers_may_lie_anywhere_and_have_no_label(opened, rows):
    subject = opened({"id": rows.ids, "score": np.arange(120) - 50.0}, scale="value")
    assert subject.offers == {SCORE}
    assert subject.answer(rows, [SCORE]).score[0, 0] == -50


def _broken(rows, column, value):
    table = pd.DataFrame(_table(rows)).astype({"id": object})
    table.loc[7, column] = value
    return table


def test_what_is_wrong_with_a_table_is_one_sentence(opened, rows):
    def refused(table, words, kind=InvalidInput, **recipe):
        with pytest.raises(kind, match=words):
            opened(table, **recipe)

    refused(_broken(rows, "score", 1.5), r"line 9, column 'score': '1\.5' is not in the range from 0 to 1")
    refused(_broken(rows, "score", -0.1), "not in the range from 0 to 1")
    refused(_broken(rows, "id", 3), "each id occurs once")
    refused(_broken(rows, "id", None), "each row needs an id")
    refused(_table(rows), "'scor'", scores=("scor",))
    refused(_table(rows), "'key'", ids="key")
    refused(_table(rows), "1 columns of scores", outputs=("a", "b"))
    three = {"id": [0, 1], "a": [0.5, 0.5], "b": [0.5, 0.6]}
    refused(three, "the scores of row 1 in a, b sum to 1.1; one was expected", InvalidAnswers, outputs=("a", "b"),
            scores=("a", "b"))  # fmt: skip
    refused({"id": [0, 1], "said": [0, 2]}, "'2' is no known level", scores=(), labels="said")
    with pytest.raises(InvalidInput, match="the columns of scores, or the column of labels"):
        Recorded("answers.csv")


def test_files_that_are_no_tables_are_refused(make_setting, tmp_path):
    (tmp_path / "answers.parquet").write_bytes(pickle.dumps([1]))
    with pytest.raises(UnsafeFile, match="is a pickle"):
        Recorded("answers.parquet", scores=("score",)).open(make_setting())
    (tmp_path / "answers.parquet").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="not a Parquet file"):
        Recorded("answers.parquet", scores=("score",)).open(make_setting())
    with pytest.raises(InvalidInput, match="does not exist"):
        Recorded("nowhere.csv", scores=("score",)).open(make_setting())


def test_outcomes_are_scores_of_zero_and_one(rows, make_rows):
    subject = outcomes(rows, ("yes",))
    answers = subject.answer(rows, [SCORE, LABEL])
    assert (answers.score[:, 0] == rows.labels).all()
    assert (answers.label == rows.labels).all()
    assert subject.identity.by == "id"
    kinds = np.arange(120) % 3
    three = outcomes(make_rows(labels=kinds), ("a", "b", "c"))
    assert (three.answer(rows, [SCORE]).score == np.eye(3)[kinds]).all()
    assert three.answer(rows.setting("age", 30.0), [SCORE]).failed
    numbers = outcomes(make_rows(labels=np.linspace(-1.5, 2, len(kinds))), ("price",), scale="value")
    assert numbers.scale == "value"
    assert numbers.answer(make_rows(), {SCORE}).values[SCORE][0, 0] == -1.5
    with pytest.raises(InvalidInput, match="has no recorded outcomes"):
        outcomes(make_rows(labels=None), ("yes",))
    with pytest.raises(InvalidInput, match="id 0 occurs twice in recorded outcomes"):
        outcomes(rows.take([0, 1, 0]), ("yes",))


def test_ids_are_found_as_a_loop_would_find_them(rows):
    rng = np.random.default_rng(0)
    ids = rng.choice(10_000, 50, replace=False)
    score = rng.random(50)
    subject = records("some", ids, {SCORE: score[:, None]}, ("yes",))
    table = {str(i): s for i, s in zip(ids, score, strict=True)}
    asked = rng.permutation(np.concatenate([ids, rng.integers(10_000, 20_000, 70)]))
    answers = subject.answer(type(rows)(rows.domain, rows.columns, asked, rows.origin), [SCORE])
    for row, name in enumerate(asked):
        assert (row in answers.failed) == (str(name) not in table)
        assert str(name) not in table or answers.score[row, 0] == table[str(name)]
