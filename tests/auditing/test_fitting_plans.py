"""Proxies that can make nothing of a plan's rows, and keys of their neighbours, are refused before any question."""

import pytest

from kdaudit.auditing.audits import read_plan
from kdaudit.data.sets import load_set, named_set
from kdaudit.domain import Domain, Text
from kdaudit.encoding import Encoding
from kdaudit.errors import InvalidInput, InvalidPlan
from kdaudit.networks.suiting import Shape, suiting, unsuited
from kdaudit.tokens import Tokens

DIGITS = """\
title: Which digit?
samples: {{set: digits, parts: {{teacher: 80, fit: 80, select: 40, judge: 120, pool: 10}}}}
behaviours: [{{name: which digit, outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}}]
teacher: {{name: reader, kind: trained, part: teacher, hidden: [8], steps: 40}}
proxies: [{{name: p, {}}}]
compare: [{{name: fidelity, kind: fidelity, worst_slice: false}}]
budget: {{questions: 1000}}
"""
PEOPLE = DIGITS.replace("set: digits", "set: acs_income").replace(
    'outputs: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]', "outputs: [above]"
)


def refused(folder, text):
    (folder / "audit.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPlan) as error:
        read_plan(folder / "audit.yaml")
    return str(error.value)


@pytest.mark.parametrize("kind", ["tree", "rule_list", "rule_set", "additive"])
def test_rules_over_pictures_need_something_to_read(kind, tmp_path):
    told = refused(tmp_path, DIGITS.format(f"kind: {kind}"))
    assert "say what they read of digit, such as read: {patches: 4}" in told
    assert "audit.yaml:5:11" in told
    assert "read: {patches: 4}" in refused(tmp_path, DIGITS.format(f"kind: {kind}, read: {{terms: 20}}"))
    (tmp_path / "audit.yaml").write_text(DIGITS.format(f"kind: {kind}, read: {{patches: 2}}"), encoding="utf-8")
    assert read_plan(tmp_path / "audit.yaml").proxies[0].name == "p"


@pytest.mark.parametrize("kind", ["student", "chain", "growing", "search", "data_free"])
def test_a_convolution_over_a_table_is_refused(kind, tmp_path):
    told = refused(tmp_path, PEOPLE.format(f"kind: {kind}, network: cnn"))
    assert "a cnn reads pictures or texts, and these rows are a table; take an mlp" in told


def test_what_a_plan_refuses_is_what_a_network_refuses():
    people, sentences = load_set("acs_income").take([0, 1, 2]), Domain((Text("said"),))
    assert unsuited("mlp", people.domain) == unsuited("cnn", sentences) == unsuited("mlp", digits_domain()) == ""
    for family in ("cnn", "transformer"):
        with pytest.raises(InvalidInput) as error:
            suiting(Shape(family), Encoding.fitted(people), 1)
        assert str(error.value) == unsuited(family, people.domain)
    for family in ("mlp", "soft_tree"):
        with pytest.raises(InvalidInput) as error:
            suiting(Shape(family), Tokens(sentences, ("good", "bad"), 4), 1)
        assert str(error.value) == unsuited(family, sentences)


def digits_domain():
    return named_set("digits").domain


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("kind: growing, depth: 3", "a soft tree that grows is as deep as each of its sizes says"),
        ("kind: search, depth: 3", "a soft tree is as deep as each of `sizes` says"),
        ("kind: search, peers: 3", "students that learn together are of kind student"),
        ("kind: growing, hidden: [3]", "name the units or channels of each size"),
        ("kind: growing, peer: 2", "known are|did you mean"),
        ('kind: growing, objective: "labels + peers(soft_targets(1))"', "here each student learns alone"),
        ('kind: chain, objective: "labels + peers(soft_targets(1))"', "here each student learns alone"),
        ('kind: search, terms: ["peers(soft_targets(1))"]', "here each student learns alone"),
    ],
)
def test_keys_and_terms_of_neighbours_are_sent_where_they_belong(keys, words, tmp_path):
    told = refused(tmp_path, PEOPLE.format(keys))
    assert any(word in told for word in words.split("|"))
