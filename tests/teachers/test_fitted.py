import copy
from functools import partial

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from kdaudit.digest import of_data
from kdaudit.teachers.fitted import parts, state

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)

MODELS = {
    "logistic": LogisticRegression(),
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(5, random_state=0),
    "extra": ExtraTreesClassifier(5, random_state=0),
    "histogram": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=5, random_state=0),
    "ada": AdaBoostClassifier(n_estimators=3, random_state=0),
    "bagging": BaggingClassifier(n_estimators=3, random_state=0),
    "bayes": GaussianNB(),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree"),
    "calibrated": CalibratedClassifierCV(LogisticRegression()),
    "pipeline": make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), LogisticRegression()),
    "vote": VotingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier(random_state=0))]),
    "stack": StackingClassifier([("a", DecisionTreeClassifier(random_state=0))]),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}),
}


def _digest(model):
    return of_data(state(model).data)


@pytest.mark.parametrize("kind", MODELS)
def test_state_is_the_same_for_a_copy_and_for_fitting_again_and_other_for_other_rows(kind):
    first = copy.deepcopy(MODELS[kind]).fit(X, Y)
    again = copy.deepcopy(MODELS[kind]).fit(X, Y)
    other = copy.deepcopy(MODELS[kind]).fit(X[:140] + 0.01, Y[:140])
    assert state(first).opaque == ()
    assert _digest(first) == _digest(copy.deepcopy(first)) == _digest(again)
    assert _digest(first) != _digest(other)
    assert _digest(first) == _digest(first)


def test_asking_changes_no_state():
    for model in MODELS.values():
        fitted = copy.deepcopy(model).fit(X, Y)
        before = _digest(fitted)
        fitted.predict(X)
        assert _digest(fitted) == before


def test_one_number_changes_the_state():
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    before = _digest(forest)
    forest.estimators_[3].tree_.value[0, 0, 0] += 1e-9
    assert _digest(forest) != before


def test_the_machine_on_which_it_was_fitted_is_no_part_of_the_state():
    histogram = copy.deepcopy(MODELS["histogram"]).fit(X, Y)
    before = _digest(histogram)
    histogram._bin_mapper.n_threads += 1
    assert _digest(histogram) == before
    forests = [RandomForestClassifier(5, random_state=0, n_jobs=jobs).fit(X, Y) for jobs in (None, 2)]
    assert _digest(forests[0]) == _digest(forests[1])


def test_bytes_between_the_fields_of_records_do_not_count():
    kind = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})
    raw = np.zeros((2, 16), dtype=np.uint8)
    first = raw.copy().view(kind)
    raw[:, 3] = 7
    second = raw.view(kind)
    assert first.tobytes() != second.tobytes()
    assert state(first) == state(second)


class Mine(BaseEstimator):
    def __init__(self, weight=1.0):
        self.weight = weight


def test_objects_of_others_are_opaque_but_their_attributes_count():
    found = state(Mine())
    assert len(found.opaque) == 1
    assert found.opaque[0].endswith("Mine")
    assert found.data != state(Mine(2.0)).data


def _plus(x, by):
    return x + by


def test_functions_of_others_are_opaque_and_their_source_counts():
    def minus(x, by):
        return x - by

    found = state(FunctionTransformer(_plus))
    assert any("_plus" in name for name in found.opaque)
    assert found.data != state(FunctionTransformer(minus)).data
    assert state(partial(_plus, by=1)).data != state(partial(_plus, by=2)).data


def test_things_of_all_kinds_differ():
    things = [
        None, 0, 0.0, False, "0", b"0", [], (), {}, set(), {0}, [0], (0,), {"a": 0}, {"a": 1}, np.zeros(1), np.zeros(2),
        np.zeros(1, "f4"), np.array([None]), np.array(["0"]), np.float64(0), np.dtype("f4"), np.dtype("f8"), slice(1),
        sparse.csr_array(np.eye(2)), sparse.csr_array(np.ones((2, 2))), int, float, np.log, np.exp,
    ]  # fmt: skip
    assert len({of_data(state(thing).data) for thing in things}) == len(things)
    assert all(state(thing).opaque == () for thing in things)


def test_sets_and_mappings_have_no_order():
    assert state({"a": 1, "b": [2]}) == state({"b": [2], "a": 1})
    assert state({"x", "y", "z"}) == state({"z", "y", "x"})


def test_what_holds_itself_is_opaque():
    ring = []
    ring.append(ring)
    assert state(ring).opaque == ("list",)


def test_parts_are_all_estimators_inside_each_once():
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    vote = VotingClassifier([("a", forest)]).fit(X, Y)
    found = list(parts(make_pipeline(StandardScaler(), vote)))
    kinds = [type(part).__name__ for part in found]
    assert kinds.count("RandomForestClassifier") == 2
    assert kinds.count("VotingClassifier") == 1
    assert kinds.count("DecisionTreeClassifier") >= 10
    assert len({id(part) for part in found}) == len(found)
