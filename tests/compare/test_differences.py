"""Where a level is answered otherwise: the rows' own differences by rule, by a loop."""

import numpy as np
import pytest

from kdaudit.behaviour import Contrast
from kdaudit.cast import Cast, Empty
from kdaudit.compare.differences import MEASURE, Differences
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules, Test
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity
from kdaudit.surrogates.surrogate import Surrogate

DOMAIN = Domain((Real("age"), Category("sex", ("female", "male"))))
RULES = Rules(
    "tree", (Rule((Test("age", below=40.0),), (0.0,), 5), Rule((Test("age", above=40.0),), (0.2,), 5)), ("yes",)
)


class Teacher:
    identity, outputs, scale, form = Identity("teacher", "a" * 64), ("yes",), "probability", None
    offers = frozenset({SCORE, LABEL})


def ask(subject, samples, signals):
    score = 0.4 + 0.001 * samples.columns["age"] + 0.2 * (samples.columns["age"] > 40) * samples.columns["sex"]
    return Answers({SCORE: score[:, None], LABEL: (score > 0.5).astype(int)})


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    columns = {"age": rng.uniform(20, 60, n), "sex": rng.integers(0, 2, n)}
    return Samples(DOMAIN, columns, np.arange(n), Origin("people"))


def cast_of(proxy):
    return Cast(Teacher(), proxy, Empty("none"), Empty("none"), control_kind="none", proxy_name="where")


def test_each_rule_has_the_mean_of_its_rows():
    samples = rows(200)
    proxy = Surrogate("where", RULES, DOMAIN, scale="value", contrast=Contrast("sex", "male", "female"))
    found = Differences(0.05).examine(cast_of(proxy), samples, ask, np.random.default_rng(0))
    old = samples.columns["age"] > 40
    told = [row for row in found.rows[1:] if row.of == "teacher"]
    values = [row.value for row in told]
    assert [value.value for value in values] == pytest.approx([0.0, 0.2])
    assert [value.n for value in values] == [int((~old).sum()), int(old.sum())]
    assert found.rows[0].value.value == pytest.approx(0.2 * old.mean())
    assert all(row.measure == MEASURE for row in found.rows)
    assert [claim.group for claim in found.claims] == [row.group for row in told]
    assert found.context["explained"] == pytest.approx(1.0)


def test_a_proxy_of_answers_gives_the_reason():
    proxy = Surrogate("tree", RULES, DOMAIN)
    found = Differences().examine(cast_of(proxy), rows(10), ask, np.random.default_rng(0))
    assert not found.rows
    assert "no tree of differences" in found.context["reason"]


def test_a_margin_is_above_nothing():
    with pytest.raises(InvalidInput):
        Differences(margin=0)
