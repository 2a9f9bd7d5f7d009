import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from kdaudit.domain import Domain
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.samples import Samples
from kdaudit.signal import SCORE
from kdaudit.teachers.wrapping import wrap


@pytest.fixture(scope="module")
def encoding(rows):
    return Encoding.fitted(rows)


def _score(model, rows, outputs=("yes",), encoding=None):
    return wrap(model, domain=rows.domain, outputs=outputs, name="m", encoding=encoding).answer(rows, [SCORE]).score


def test_over_encoded_rows(rows, encoding):
    encoded = encoding.encode(rows)
    model = LogisticRegression().fit(encoded, rows.labels)
    np.testing.assert_allclose(
        _score(model, rows, encoding=encoding)[:, 0], model.predict_proba(encoded)[:, 1], rtol=1e-6
    )


def test_over_frames_with_the_columns_in_the_models_order(rows):
    frame = rows.frame()[["work", "age"]]
    columns = make_column_transformer((OneHotEncoder(), ["work"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(frame, rows.labels)
    np.testing.assert_allclose(_score(model, rows)[:, 0], model.predict_proba(frame)[:, 1], rtol=1e-9)


def test_over_plain_numbers_if_it_was_fitted_without_names(rows):
    numbers = Domain(rows.domain.fields[:2])
    some = Samples(numbers, {n: rows.columns[n] for n in numbers.names}, rows.ids, rows.origin, rows.labels)
    table = np.column_stack([some.columns["age"], some.columns["hours"]])
    model = LogisticRegression().fit(table, rows.labels)
    np.testing.assert_allclose(_score(model, some)[:, 0], model.predict_proba(table)[:, 1], rtol=1e-9)


@pytest.mark.parametrize(
    ("labels", "outputs", "columns"),
    [
        (("no", "yes"), ("yes",), [1]),
        (("no", "yes"), ("no",), [0]),
        (("no", "yes"), ("risky",), [1]),
        (("no", "yes"), ("yes", "no"), [1, 0]),
        ((0, 1), ("risky",), [1]),
        ((0, 1), ("low", "high"), [0, 1]),
        ((0, 1, 2), ("a", "b", "c"), [0, 1, 2]),
        (("x", "y", "z"), ("z", "x", "y"), [2, 0, 1]),
        (("x", "y", "z"), ("y",), [1]),
    ],
)
def test_columns_go_with_the_outputs_names(rows, encoding, labels, outputs, columns):
    encoded = encoding.encode(rows)
    kinds = np.array(labels)[np.random.default_rng(0).integers(0, len(labels), len(rows))]
    model = LogisticRegression().fit(encoded, kinds)
    given = _score(model, rows, outputs, encoding)
    np.testing.assert_allclose(given, model.predict_proba(encoded)[:, columns], rtol=1e-6)


def test_fitting_the_original_anew_changes_nothing(rows, encoding):
    encoded = encoding.encode(rows)
    model = LogisticRegression().fit(encoded, rows.labels)
    subject = wrap(model, domain=rows.domain, outputs=("yes",), name="m", encoding=encoding)
    before = subject.answer(rows, [SCORE]).score
    model.fit(encoded, 1 - rows.labels)
    assert (subject.answer(rows, [SCORE]).score == before).all()


def test_a_forest_votes_in_one_thread_and_the_original_keeps_its_own(rows, encoding):
    model = RandomForestClassifier(10, n_jobs=2, random_state=0).fit(encoding.encode(rows), rows.labels)
    subject = wrap(model, domain=rows.domain, outputs=("yes",), name="m", encoding=encoding)
    assert subject.identity.basis == "content"
    assert model.n_jobs == 2


def test_what_does_not_fit_is_one_sentence(rows, encoding):
    encoded = encoding.encode(rows)

    def refused(model, words, outputs=("yes",), **more):
        with pytest.raises(InvalidInput, match=words):
            wrap(model, domain=rows.domain, outputs=outputs, name="m", **more)

    refused(LogisticRegression(), "'m' has no classes_; fit the LogisticRegression", encoding=encoding)
    fitted = LogisticRegression().fit(encoded, rows.labels)
    refused(fitted, "knows the classes 0, 1, and the outputs are a, b, c", ("a", "b", "c"), encoding=encoding)
    refused(fitted, "was fitted without names of columns; give the encoding")
    refused(LogisticRegression().fit(encoded[:, :3], rows.labels), "was fitted on 3 columns", encoding=encoding)
    named = DummyClassifier().fit(rows.frame().rename(columns={"age": "years"}), rows.labels)
    named.feature_names_in_ = np.array(["years", "hours"], dtype=object)
    refused(named, "was fitted on the columns years, which the domain lacks; it has age, hours, sex, work")
    kinds = DummyClassifier().fit(encoded, np.arange(len(rows)) % 3)
    refused(kinds, "name them alike", ("a",), encoding=encoding)
    refused(LinearRegression().fit(encoded, rows.labels), "a function from a frame to scores was expected")
    refused(LinearSVC().fit(encoded, rows.labels), "predict_proba")
