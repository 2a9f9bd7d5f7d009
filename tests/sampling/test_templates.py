"""Filled templates: every filling once, terms evenly, sides that differ in groups alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.sampling.templates import check, expand, groups_of, sizes_of, slots_of
from kdaudit.sampling.terms import TERMS


def made(templates, slots, share=None, seed=0):
    sizes = sizes_of(templates, slots)
    return expand(templates, slots, groups_of(slots), sizes if share is None else np.asarray(share), seed)


def lists(prefix, most=4):
    return st.integers(1, most).map(lambda n: tuple(f"{prefix}{i}" for i in range(n)))


@given(lists("a"), lists("b"), lists("x"), lists("y"), st.integers(0, 99))
def test_all_fillings_are_written_once_and_any_beginning_is_balanced(left, right, one, two, seed):
    slots = {"who": {"l": left, "r": right}, "one": one, "two": two}
    cells = made(("{who} {one} {two}",), slots, seed=seed)
    moving = max(len(left), len(right))
    assert len(cells) == moving * len(one) * len(two)
    assert len({tuple(row) for row in cells.texts.tolist()}) == len(cells)
    for text_left, text_right in cells.texts.tolist():
        # the same apart from the group's own term
        assert text_left.lower().split()[1:] == text_right.lower().split()[1:]
    for n in range(1, len(cells) + 1):
        longer = 0 if len(left) >= len(right) else 1
        times = Counter(row[longer].split()[0] for row in cells.texts[:n].tolist())
        assert max(times.values()) - (min(times.values()) if len(times) == moving else 0) <= 1


def test_slots_with_groups_move_together_and_shorter_lists_begin_anew():
    slots = {"name": {"w": ("Ann", "Eve"), "m": ("Bob", "Tim")}, "she": {"m": ("he",), "w": ("she",)}}
    cells = made(("{name} says {she} knows.",), slots)
    assert cells.groups == ("w", "m")
    assert sorted(cells.texts.tolist()) == [
        ["Ann says she knows.", "Bob says he knows."],
        ["Eve says she knows.", "Tim says he knows."],
    ]


def test_a_template_keeps_its_order_whatever_stands_beside_it():
    slots = {"who": {"w": "women_names", "m": "men_names"}, "word": "praise"}
    alone = made(("{who} is {word}.",), slots, seed=3)
    both = made(("Is {who} {word}?", "{who} is {word}."), slots, share=[5, 50], seed=3)
    assert both.template.tolist() == [0] * 5 + [1] * 50
    assert both.texts[both.template == 1].tolist() == alone.texts.tolist()
    assert both.first(np.array([2, 3])).tolist() == [0, 1, 5, 6, 7]
    assert both.first(np.array([0, 1])).tolist() == [5]


def test_one_side_where_nothing_is_compared():
    cells = made(("{word}!", "Oh {word}."), {"word": ("good", "bad")})
    assert cells.groups == ("",)
    assert sorted(cells.texts.ravel().tolist()) == ["Bad!", "Good!", "Oh bad.", "Oh good."]
    assert slots_of("{a} and {b} and {a}") == ("a", "b")


def test_lists_of_terms_hold_no_term_twice_but_where_they_stand_in_pairs():
    for name, terms in TERMS.items():
        assert all(terms)
        assert len(set(terms)) == len(terms) or name == "vernacular_english"
    assert len(TERMS["vernacular_english"]) == len(TERMS["standard_english"])
    check(("{who}",), {"who": {"a": "standard_english", "b": "vernacular_english"}}, compared=True)
