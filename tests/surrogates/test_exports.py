"""Exports: what Python, SQLite and onnxruntime answer is what the rules answer, for rows of every kind."""

import math
import sqlite3

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.rules import Rule, Rules, Term, Test
from kdaudit.samples import Origin, Samples
from kdaudit.surrogates.exports import to_onnx, to_python, to_sql
from kdaudit.surrogates.lists import rule_list
from kdaudit.surrogates.trees import tree

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

LEVELS = ("a", "it's", 'the "third"', "é — ü", "none")
DOMAIN = Domain(
    (
        Real("age", 0, 99, integer=True),
        Real("class", missing=True),
        Category("school", ("low", "middle", "high"), ordered=True, missing=True),
        Category("select", LEVELS, missing=True),
        Category("sex", ("female", "male")),
    )
)


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(size=n), 1)
    numbers[rng.random(n) < 0.2] = np.nan
    columns = {
        "age": rng.integers(0, 100, n).astype(float),
        "class": numbers,
        "school": rng.integers(-1, 3, n),
        "select": rng.integers(-1, 5, n),
        "sex": rng.integers(0, 2, n),
    }
    return Samples(DOMAIN, columns, np.arange(n), Origin("drawn"))


def as_rows(samples):
    """Each row as a dict, levels by name, None where missing."""
    columns = {
        f.name: samples.level(f.name) if isinstance(f, Category) else samples.columns[f.name]
        for f in samples.domain.fields
    }
    for values in zip(*columns.values(), strict=True):
        yield {k: None if v is None or v != v else v for k, v in zip(columns, values, strict=True)}


def by_python(rules, samples):
    names = {}
    exec(compile(to_python(rules, samples.domain), "exported", "exec"), names)
    assert names["OUTPUTS"] == rules.outputs
    return np.array([names["answer"](row) for row in as_rows(samples)])


def by_sqlite(rules, samples):
    base = sqlite3.connect(":memory:")
    names = ", ".join(f'"{name}"' for name in samples.domain.names)
    base.execute(f"CREATE TABLE rows ({names})")
    marks = ", ".join("?" * len(samples.domain.names))
    base.executemany(f"INSERT INTO rows VALUES ({marks})", [tuple(row.values()) for row in as_rows(samples)])
    found = base.execute(f"SELECT {to_sql(rules, samples.domain)} FROM rows ORDER BY rowid")
    assert tuple(item[0] for item in found.description) == rules.outputs
    return np.array([[math.nan if x is None else x for x in row] for row in found])


def fed(samples):
    out = {}
    for item in samples.domain.fields:
        column = samples.columns[item.name]
        if isinstance(item, Category):
            column = np.array(["" if x is None else x for x in samples.level(item.name)], dtype=object)
        out[item.name] = column[:, None]
    return out


def by_onnx(rules, samples):
    session = onnxruntime.InferenceSession(to_onnx(rules, samples.domain), providers=["CPUExecutionProvider"])
    return session.run(["score"], fed(samples))[0]


EVERY = (by_python, by_sqlite, by_onnx)
cuts = st.none() | st.integers(-1, 80).map(lambda x: x / 2)
terms = st.one_of(
    st.builds(Term, st.sampled_from(["age", "class", "school"]), st.integers(-9, 9).map(lambda x: x / 4)),
    st.builds(Term, st.just("select"), st.floats(-2, 2), st.lists(st.sampled_from(LEVELS)).map(tuple)),
)
tests = st.one_of(
    st.builds(Test, st.sampled_from(["age", "class"]), cuts, cuts, missing=st.booleans()),
    st.builds(Test, st.just("school"), st.sampled_from([None, 0.5, 1.5]), st.sampled_from([None, -0.5, 0.5]),
              missing=st.booleans()),
    st.builds(Test, st.just("select"), levels=st.lists(st.sampled_from([*LEVELS, "?"])).map(tuple),
              missing=st.booleans()),
    st.builds(Test, st.just("school"), levels=st.lists(st.sampled_from(["low", "high"])).map(tuple)),
    st.builds(lambda several, end, missing: Test(several[0].field, end, None, None, missing, several),
              st.lists(terms, min_size=1, max_size=3).map(tuple), cuts, st.booleans()),
)  # fmt: skip
numbers = st.floats(-10, 10)
bodies = st.builds(
    lambda family, rules, last: Rules(family, (*rules, Rule((), last)), ("yes", 'a "quoted" one')),
    st.sampled_from(["list", "set"]),
    st.lists(st.builds(Rule, st.lists(tests, max_size=4).map(tuple), st.tuples(numbers, numbers)), max_size=5),
    st.tuples(numbers, numbers),
)


@settings(deadline=None, max_examples=60)
@given(bodies, st.integers(0, 99))
def test_every_export_answers_as_the_rules_do(rules, seed):
    samples = drawn(40, seed)
    expected = rules.evaluate(samples)
    assert np.array_equal(by_python(rules, samples), expected)
    for export in (by_sqlite, by_onnx):
        np.testing.assert_allclose(export(rules, samples), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("export", EVERY)
@pytest.mark.parametrize("make", [tree, rule_list])
def test_exports_of_what_was_made_from_a_teacher(export, make, behaviour, draw_rows, planted_ask):
    made = make(behaviour, draw_rows(900), planted_ask, rng=np.random.default_rng(0)).rules
    fresh = draw_rows(500, 1)
    assert len(made.rules) > 2
    np.testing.assert_allclose(export(made, fresh), made.evaluate(fresh), rtol=0, atol=1e-9)


@pytest.mark.parametrize("export", EVERY)
def test_one_rule_answers_every_row(export):
    rules = Rules("tree", (Rule((), (0.25,)),), ("yes",))
    assert export(rules, drawn(3)).tolist() == [[0.25]] * 3


STRANGE = Rules("list", (Rule((Test("sex", levels=("male",)),), (1.0,)), Rule((), (0.0,))), ("yes",))


def test_rows_outside_the_domain_get_no_answer():
    names = {}
    exec(to_python(STRANGE, DOMAIN), names)
    with pytest.raises(ValueError, match="sex has no level 'other'"):
        names["answer"]({"sex": "other"})
    with pytest.raises(ValueError, match="sex is missing"):
        names["answer"]({"sex": None})
    base = sqlite3.connect(":memory:")
    found = base.execute(f"SELECT {to_sql(STRANGE, DOMAIN)} FROM (SELECT 'other' AS sex UNION ALL SELECT NULL)")
    assert found.fetchall() == [(None,), (None,)]
    session = onnxruntime.InferenceSession(to_onnx(STRANGE, DOMAIN), providers=["CPUExecutionProvider"])
    rows = {**fed(drawn(3)), "sex": np.array([["other"], [""], ["male"]], dtype=object)}
    assert session.run(None, rows)[0][:, 0].tolist() == pytest.approx([math.nan, math.nan, 1.0], nan_ok=True)


def test_the_same_rules_give_the_same_bytes():
    assert to_onnx(STRANGE, DOMAIN) == to_onnx(STRANGE, DOMAIN)
    assert "import" not in to_python(STRANGE, DOMAIN)


def test_a_level_that_would_mean_missing_is_refused():
    domain = Domain((Category("job", ("", "b"), missing=True),))
    rules = Rules("list", (Rule((Test("job", levels=("b",)),), (1.0,)), Rule((), (0.0,))), ("yes",))
    with pytest.raises(InvalidInput, match="job has a level that is the empty text"):
        to_onnx(rules, domain)


def test_hostile_names_stay_text():
    level = '\'); DROP TABLE rows; --\n"""\nimport os\n"""'
    domain = Domain((Category("job", (level, "b")),))
    rules = Rules("list", (Rule((Test("job", levels=(level,)),), (1.0,)), Rule((), (0.0,))), ("yes",))
    rows = Samples(domain, {"job": np.array([0, 1])}, np.arange(2), Origin("two"))
    for export in EVERY:
        assert export(rules, rows).tolist() == [[1.0], [0.0]]


def decided(rules, samples):
    """What a surrogate decides, in numpy; None where a row lies outside the domain."""
    score = rules.evaluate(samples)
    score = np.clip(score, 0, 1) if rules.family == "set" else score
    return (score[:, 0] > 0.4).astype(int) if score.shape[1] == 1 else score.argmax(axis=1)


one_output = st.builds(
    lambda family, rules, last: Rules(family, (*rules, Rule((), last)), ("yes",)),
    st.sampled_from(["list", "set"]),
    st.lists(st.builds(Rule, st.lists(tests, max_size=3).map(tuple), st.tuples(st.floats(-1, 1))), max_size=4),
    st.tuples(st.floats(-1, 1)),
)


@settings(deadline=None, max_examples=25, phases=[Phase.generate])
@given(bodies | one_output, st.integers(0, 99))
def test_every_export_decides_as_the_surrogate_does(rules, seed):
    samples = drawn(40, seed)
    expected = decided(rules, samples)
    names = {}
    exec(compile(to_python(rules, samples.domain, above=0.4), "exported", "exec"), names)
    assert [names["decide"](row) for row in as_rows(samples)] == expected.tolist()
    base = sqlite3.connect(":memory:")
    columns = ", ".join(f'"{name}"' for name in samples.domain.names)
    base.execute(f"CREATE TABLE rows ({columns})")
    marks = ", ".join("?" * len(samples.domain.names))
    base.executemany(f"INSERT INTO rows VALUES ({marks})", [tuple(row.values()) for row in as_rows(samples)])
    found = base.execute(f"SELECT {to_sql(rules, samples.domain, above=0.4)} FROM rows ORDER BY rowid").fetchall()
    assert [row[-1] for row in found] == expected.tolist()
    model = to_onnx(rules, samples.domain, above=0.4)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    assert session.run(["decision"], fed(samples))[0].tolist() == expected.tolist()
