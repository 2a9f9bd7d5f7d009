"""Can a plan ask for data sets by name?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.data.sets import SETS, load_set, named_set
from kdaudit.errors import InvalidInput


def test_the_bundled_set_needs_no_folder() -> None:
    assert len(load_set("acs_income")) == 30_000


def test_an_unknown_set_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'german_credit'"):
        named_set("german_credits")


@pytest.mark.parametrize("name", [name for name, found in SETS.items() if found.folder])
def test_without_data_the_error_says_what_to_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="set KDAUDIT_DATA to a folder"):
        load_set(name)
    with pytest.raises(InvalidInput, match="KDAUDIT_DATA must name a folder"):
        load_set(name, tmp_path)


@pytest.mark.parametrize("name", SETS)
def test_a_set_describes_a_behaviour(name: str) -> None:
    found = named_set(name)
    assert found.label
    Behaviour(found.title, found.outputs, found.domain, scope="age >= 21 and sex == 'female'")


@pytest.mark.data
def test_german_credit(data: Path) -> None:
    samples = load_set("german_credit", data)
    assert samples.labels is not None
    assert (len(samples), samples.labels.sum()) == (1_000, 300)
    assert samples.domain.protected == ("sex", "age", "foreign_worker")
    counts = {name: int((samples.level("purpose") == name).sum()) for name in samples.domain.category("purpose").levels}
    # the counts of codes A40, A41, A42, A43, A44, A45, A46, A48, A49, A410 in the original
    assert list(counts.values()) == [234, 103, 181, 280, 12, 22, 50, 9, 97, 12]
    assert list(counts)[3] == "radio or television"
    assert len(np.unique(samples.keys())) == 1_000
