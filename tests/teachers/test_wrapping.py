from functools import partial

import numpy as np
import pytest
import torch

import kdaudit as kd
from kdaudit.domain import Domain
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput
from kdaudit.networks.network import Network
from kdaudit.signal import SCORE
from kdaudit.teachers.wrapping import wrap


def by_age(frame):
    return frame["age"] / 100


def by_hours(frame):
    return frame["hours"] / 100


def scaled(frame, by):
    return frame["age"] / by


def two_classes(frame):
    return {"a": frame["age"] / 100, "b": 1 - frame["age"] / 100}["a"].to_frame().assign(b=1 - frame["age"] / 100)


def test_a_function_gets_a_frame_with_levels_by_name_and_ids(rows, domain):
    seen = []

    def function(frame):
        seen.append(frame)
        return np.where(frame["work"] == "farm", 0.9, 0.1)

    subject = kd.teachers.wrap(function, domain=domain, outputs=("yes",), name="f")
    score = subject.answer(rows, [SCORE]).score[:, 0]
    assert (score == np.where(rows.level("work") == "farm", 0.9, 0.1)).all()
    assert list(seen[0].columns) == list(domain.names)
    assert list(seen[0].index[: len(rows)]) == list(rows.ids)
    assert list(seen[0]["work"].cat.categories) == ["office", "farm", "school"]


def test_a_function_may_give_a_series_or_a_frame(rows, domain):
    assert wrap(by_age, domain=domain, outputs=("y",), name="f").answer(rows, [SCORE]).score.shape == (120, 1)
    assert wrap(two_classes, domain=domain, outputs=("a", "b"), name="f").answer(rows, [SCORE]).score.shape == (120, 2)


def test_a_function_is_declared_by_name_version_and_source(domain):
    def identity(function, **changes):
        options = {"domain": domain, "outputs": ("yes",), "name": "f", "version": "1", **changes}
        return wrap(function, **options).identity

    first = identity(by_age)
    assert first.basis == "declared"
    assert identity(by_age) == first
    others = [
        identity(by_hours),
        identity(by_age, name="g"),
        identity(by_age, version="2"),
        identity(by_age, outputs=("no",)),
        identity(by_age, batch=64),
        identity(by_age, domain=Domain(domain.fields[:2])),
    ]
    assert len({i.digest for i in [first, *others]}) == 7
    assert identity(partial(scaled, by=100)).digest != identity(partial(by_age)).digest


def test_an_object_that_can_be_called_is_a_function(rows, domain):
    class Scorer:
        def __call__(self, frame):
            return frame["age"] / 100

    subject = wrap(Scorer(), domain=domain, outputs=("yes",), name="object")
    assert (subject.answer(rows, [SCORE]).score[:, 0] == rows.columns["age"] / 100).all()


def test_a_module_is_a_network_over_its_encoding(rows, domain):
    encoding = Encoding.fitted(rows)
    subject = wrap(
        torch.nn.Linear(encoding.width, 2), domain=domain, outputs=("a", "b"), name="m", encoding=encoding, batch=64
    )
    assert isinstance(subject, Network)
    assert (subject.identity.basis, subject.batch) == ("content", 64)


def test_what_cannot_be_wrapped_is_one_sentence(rows, domain):
    def refused(thing, words, **changes):
        with pytest.raises(InvalidInput, match=words):
            wrap(thing, **{"domain": domain, "outputs": ("yes",), "name": "it", **changes})

    refused(torch.nn.Linear(3, 1), "it' is a torch module; say what it sees of a row")
    refused(7, "it' is a int; a torch module, a scikit-learn classifier with predict_proba or a function")
    refused(dict, "'it' is a type")
    refused(by_age, "outputs of 'it' are 'yes'", outputs="yes")
    refused(by_age, r"outputs of 'it' are \(\)", outputs=())
    refused(
        torch.nn.Linear(3, 1), "of another domain", encoding=Encoding.fitted(rows), domain=Domain(domain.fields[:2])
    )
