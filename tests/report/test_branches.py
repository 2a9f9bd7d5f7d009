"""Pictures of rules: every rule and number is drawn once, inside the frame, and hostile text stays text."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.report.branches import LEFT, RIGHT, WIDTH, branches, picture_of, standalone
from kdaudit.report.composition import compose
from kdaudit.report.document import Note, RulePicture
from kdaudit.report.rulebook import printed
from kdaudit.rules import Rule, Rules, Test

DOMAIN = Domain((Real("age", 0, 99, integer=True), Category("job", ("a", "b", "<b>&'\"", "d"))))
OLD, YOUNG = Test("age", above=40.5), Test("age", below=40.5)
SOME, OTHERS = Test("job", levels=("a", "<b>&'\"")), Test("job", levels=("b", "d"))
TREE = Rules(
    "tree", (Rule((YOUNG,), (0.1,), 300), Rule((OLD, SOME), (0.9,), 20), Rule((OLD, OTHERS), (0.2,), 7)), ("y",)
)


def parsed(picture):
    return ElementTree.fromstring(standalone(picture))


def texts(root):
    return [node.text for node in root.iter() if node.tag.endswith("text")]


def test_a_tree_is_drawn_with_branches_and_marks():
    root = parsed(picture_of(TREE, DOMAIN))
    found = texts(root)
    assert [t for t in found if t.startswith(("age", "job"))] == [
        "age at most 40", "age at least 41", "job is one of a, <b>&'\"", "job is one of b, d",
    ]  # fmt: skip
    assert [t for t in found if t.isdigit()] == ["300", "20", "7"]
    strokes = [node.get("d") for node in root.iter() if node.tag.endswith("path")]
    assert sum(d.endswith("h9") for d in strokes) == 2, "two branches hang on the second line"


def test_what_the_teacher_does_stands_beside(run):
    name, evidence = next((e.proxy_name, e) for e in run.evidence.values() if e.shows == "rules")
    block = next(b for b in compose(run).blocks if isinstance(b, RulePicture))
    assert len(block.ends) == len(run.rules[name].rules)
    assert [end.teacher for end in block.ends] == [row.value for row in evidence.rows if row.of == "teacher"]
    circles = [n for n in parsed(block).iter() if n.tag.endswith("circle")]
    assert len(circles) == 1 + sum(end.teacher is not None and end.teacher.known for end in block.ends)


@pytest.mark.parametrize("scores", [(0.0, 0.5, 1.0), (-0.3, 0.1, 0.2), (5.0, 70.0, 900.0), (2.0, 2.0, 2.0), (0, 0, 0)])
def test_marks_stay_inside_their_scale(scores):
    rules = tuple(replace(rule, score=(float(s),)) for rule, s in zip(TREE.rules, scores, strict=True))
    page = str(branches(picture_of(replace(TREE, rules=rules), DOMAIN)))
    x = [float(v) for v in re.findall(r'd="M([\d.]+) [\d.-]+l5', page)]
    assert len(x) == 4 and all(LEFT <= v <= RIGHT for v in x)
    if len(set(scores)) == 3:
        assert np.array_equal(np.argsort(x[1:]), np.argsort(scores))


def test_lists_and_single_leaves_are_drawn():
    single = parsed(picture_of(Rules("tree", (Rule((), (0.4,), 9),), ("y",)), DOMAIN))
    assert "every row" in texts(single) and "1 leaf" in single.get("aria-label")
    rules = Rules("list", (Rule((YOUNG,), (0.1,), 5), Rule((), (1.0,), 4)), ("y",))
    assert [t for t in texts(parsed(picture_of(rules, DOMAIN))) if t.startswith(("if", "else"))] == [
        "if age at most 40", "else",
    ]  # fmt: skip


def test_one_decision_only_is_explained(run):
    card = {**run.cards["tree"], "notes": {"why": "every rule decides no: so does the teacher in 99 % of 800 rows"}}
    blocks = compose(replace(run, cards={**run.cards, "tree": card})).blocks
    assert any(isinstance(b, Note) and b.text.startswith("Every rule decides no") for b in blocks)


def test_rules_with_their_numbers_fit_a_hundred_columns(run):
    rates = [row for e in run.evidence.values() if e.shows == "rules" for row in e.rows if row.of == "teacher"]
    names = tuple(f"a rather long level {i}" for i in range(9))
    domain = Domain((Category("job", names), Real("age")))
    sides = (Test("job", levels=names[:4]), Test("job", levels=names[4:]))
    rules = Rules("tree", tuple(Rule((side,), (0.5,), 1) for side in sides), ("scored above 50,000",))
    lines = printed(rules, domain, rates[:2]).split("\n")
    assert len(lines) > 3 and max(map(len, lines)) <= 100


def test_long_lines_are_broken_before_the_scale():
    levels = tuple(f"a rather long level {i}" for i in range(9))
    domain = Domain((Category("job", levels), Real("x")))
    sides = (Test("job", levels=levels[:4]), Test("job", levels=levels[4:]))
    rules = Rules("tree", tuple(Rule((side,), (0.5,), 1) for side in sides), ("y",))
    picture = picture_of(rules, domain)
    assert len(picture.lines) > 2 and max(len(text) for text, _ in picture.lines) * 6.6 < LEFT
    assert float(parsed(picture).get("viewBox").split()[2]) == WIDTH


def test_differences_are_told_in_points():
    rules = Rules(
        "tree",
        (Rule((Test("age", below=40.0),), (-0.02,), 5), Rule((Test("age", above=40.0),), (0.12,), 5)),
        ("above",),
    )
    lines = printed(rules, DOMAIN, [None, None], "points")
    assert "above −2.0 points" in lines
    assert "above +12.0 points" in lines
    assert "%" not in lines
    assert "points" in str(branches(picture_of(rules, DOMAIN, (), "points")))
