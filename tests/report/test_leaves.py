from types import SimpleNamespace

from kdaudit.report.document import Bullets, Heading
from kdaudit.report.leaves import leaves

TREE = {
    "rows": 1200,
    "alone": 1190,
    "leaves": [{"rows": 700, "says": "yes (0.91)", "way": ["age high, work", "hours low"]}],
}


def test_a_soft_tree_is_told_leaf_by_leaf():
    run = SimpleNamespace(cards={"small": {"notes": {}}, "soft": {"notes": {"tree": TREE}}})
    heading, trust, fold = leaves(run)
    assert heading == Heading("What soft, a soft tree, asks")
    assert "1,190 of 1,200 rows" in trust.text
    assert fold.blocks == (Bullets(("700 rows: yes (0.91), where age high, work; then hours low",)),)


def test_nothing_is_told_where_there_is_no_soft_tree():
    assert leaves(SimpleNamespace(cards={"small": {"notes": {}}})) == ()
