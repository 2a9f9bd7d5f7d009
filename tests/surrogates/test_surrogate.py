import json

import numpy as np
import pytest

from kdaudit.domain import Category, Domain
from kdaudit.errors import InvalidInput, NoSuchSignal, OutOfDomain
from kdaudit.rules import Rules
from kdaudit.samples import Origin, Samples
from kdaudit.signal import GRADIENT, LABEL, SCORE
from kdaudit.subject import Subject
from kdaudit.surrogates.surrogate import FILE, load, save
from kdaudit.surrogates.trees import tree


@pytest.fixture
def made(behaviour, draw_rows, planted_ask):
    return tree(behaviour, draw_rows(600), planted_ask, rng=np.random.default_rng(0))


def test_it_is_a_subject_whose_answers_are_its_rules(made, draw_rows):
    rows = draw_rows(200, 8)
    assert isinstance(made, Subject)
    given = made.answer(rows, (SCORE, LABEL))
    assert np.array_equal(given.score, made.form.evaluate(rows))
    assert np.array_equal(given.label, (given.score[:, 0] > 0.5).astype(int))
    alone = [made.answer(rows.take([i]), (SCORE,)).score[0, 0] for i in range(200)]
    assert np.array_equal(given.score[:, 0], alone)
    with pytest.raises(NoSuchSignal):
        made.answer(rows, (GRADIENT,))


def test_saved_and_loaded_it_is_the_same(made, draw_rows, tmp_path):
    (file,) = save(made, tmp_path)
    again = load(tmp_path)
    assert again.identity == made.identity
    assert np.array_equal(again.answer(draw_rows(50), (SCORE,)).score, made.answer(draw_rows(50), (SCORE,)).score)
    assert Rules.from_data(json.loads(file.read_text())) == made.rules
    before = file.read_bytes()
    save(again, tmp_path)
    assert file.read_bytes() == before


def test_its_identity_changes_with_a_rule_and_not_with_its_name(made):
    from dataclasses import replace

    rules = list(made.rules.rules)
    rules[0] = replace(rules[0], score=(0.123,))
    assert replace(made, rules=replace(made.rules, rules=tuple(rules))).identity.digest != made.identity.digest
    assert replace(made, rule=0.4).identity.digest != made.identity.digest
    assert replace(made, name="other").identity.digest == made.identity.digest


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 9}', "null"])
def test_broken_files_are_refused(text, tmp_path):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidInput, match=r"rules\.json"):
        load(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"rules\.json"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["rules", "outputs", "domain", "contrast", "rule", "scale", "name", "family"])
def test_each_key_is_needed(key, made, tmp_path):
    (file,) = save(made, tmp_path)
    data = json.loads(file.read_text())
    del data[key]
    file.write_text(json.dumps(data))
    with pytest.raises(InvalidInput, match=key):
        load(tmp_path)


def test_rows_of_another_domain_are_refused(made, domain, draw_rows):
    rows = draw_rows(20)
    with pytest.raises(OutOfDomain, match="expected"):
        fewer = Domain(domain.fields[:2])
        made.answer(Samples(fewer, rows.columns, rows.ids, rows.origin), (SCORE,))
    other = [
        Category("job", (*domain["job"].levels, "new"), missing=True) if f.name == "job" else f for f in domain.fields
    ]
    wide = Domain(tuple(other))
    assert made.answer(Samples(wide, rows.columns, rows.ids, rows.origin), (SCORE,)).score.shape == (20, 1)
    job = np.full(20, 6)
    with pytest.raises(OutOfDomain, match="'new' in row 0"):
        made.answer(Samples(wide, {**rows.columns, "job": job}, rows.ids, Origin("x")), (SCORE,))
    turned = [
        Category("school", ("top", "high", "middle", "low"), ordered=True) if f.name == "school" else f
        for f in domain.fields
    ]
    with pytest.raises(OutOfDomain, match="school"):
        made.answer(Samples(Domain(tuple(turned)), rows.columns, rows.ids, Origin("x")), (SCORE,))
