import numpy as np

from kdaudit.domain import Category, Domain, Real
from kdaudit.rules import Rule, Rules, Test
from kdaudit.surrogates.drawing import draw, words
from kdaudit.surrogates.lists import rule_list
from kdaudit.surrogates.trees import tree

DOMAIN = Domain(
    (
        Real("age", 0, 99, integer=True),
        Category("job", tuple("abcdef")),
        Category("place", tuple("uvwxyz"), missing=True),
    )
)


def test_a_tree_is_drawn_with_its_branches():
    old, young = Test("age", above=40.5), Test("age", below=40.5)
    ab, rest = Test("job", levels=("a", "b")), Test("job", levels=("c", "d", "e", "f"))
    body = Rules("tree", (Rule((young,), (0.1,)), Rule((old, ab), (0.9,)), Rule((old, rest), (0.2,))), ("yes",))
    assert draw(body, DOMAIN) == [
        ("age at most 40", 0),
        ("age at least 41", None),
        ("├─ job is one of a, b", 1),
        ("└─ job is none of a, b", 2),
    ]


def test_a_list_is_drawn_from_the_top():
    body = Rules(
        "list",
        (
            Rule((Test("age", below=20.5), Test("job", levels=("a",))), (0.1,)),
            Rule((Test("age", above=60.5),), (1.0,)),
            Rule((), (0.4,)),
        ),
        ("yes",),
    )
    assert draw(body, DOMAIN) == [("if age at most 20 and job is a", 0), ("else if age at least 61", 1), ("else", 2)]


def test_one_rule_speaks_of_every_row():
    assert draw(Rules("tree", (Rule((), (0.4,)),), ("yes",)), DOMAIN) == [("every row", 0)]


def test_most_levels_are_said_by_those_left_out():
    assert words(Test("job", levels=tuple("bcdef")), DOMAIN) == "job is not a"
    assert words(Test("place", levels=tuple("vwxyz"), missing=True), DOMAIN) == "place is not u"
    # as "is not u" would hold for a missing value too, this is said of present ones
    assert "missing" in words(Test("place", levels=tuple("vwxyz")), DOMAIN)
    assert words(Test("place", levels=("u",), missing=True), DOMAIN) == "place is u or missing"


def test_every_rule_ends_on_one_line_within_the_width(behaviour, draw_rows, planted_ask, domain):
    for make in (tree, rule_list):
        made = make(behaviour, draw_rows(900), planted_ask, rng=np.random.default_rng(0))
        for width in (60, 100):
            lines = draw(made.rules, domain, width=width)
            assert sorted(p for _, p in lines if p is not None) == list(range(len(made.rules.rules)))
            assert max(len(text) for text, _ in lines) <= width
