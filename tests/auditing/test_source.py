from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdaudit.auditing.source import LARGEST, MOST_VALUES, close_to, read_file, read_text
from kdaudit.errors import InvalidPlan

PLAN = """\
title: a question   # kept
proxies:
  - name: tree
    leaves: 16
  - name: list
    rules: 8
budget: {questions: 100}
"""


def test_plain_data_come_back() -> None:
    assert read_text(PLAN).data() == {
        "title": "a question",
        "proxies": [{"name": "tree", "leaves": 16}, {"name": "list", "rules": 8}],
        "budget": {"questions": 100},
    }


def test_yaml_is_version_1_2() -> None:
    assert read_text("a: no\nb: 012\nc: 12:30:45\nd: true\n").data() == {"a": "no", "b": 12, "c": "12:30:45", "d": True}


def test_a_change_reaches_an_item_by_its_name_and_keeps_the_rest() -> None:
    source = read_text(PLAN, changes=["proxies.tree.leaves=4", "budget.questions=7", "seed=3"])
    data = source.data()
    assert data["proxies"] == [{"name": "tree", "leaves": 4}, {"name": "list", "rules": 8}]
    assert data["budget"]["questions"] == 7
    assert data["seed"] == 3
    assert "# kept" in source.text
    assert read_text(source.text).data() == data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("leaves", "write --set section.key=value"),
        ("proxies.tre.leaves=4", "did you mean 'tree'"),
        ("bugdet.questions=4", "did you mean 'budget'"),
        ("title.x=1", "holds no keys"),
        (".=1", "cannot be read"),
    ],
)
def test_a_change_that_fits_nowhere_says_so(change: str, words: str) -> None:
    with pytest.raises(InvalidPlan, match=words):
        read_text(PLAN, changes=[change])


def test_places_are_lines_and_columns_from_one() -> None:
    error = read_text(PLAN).wrong(("proxies", 1, "rules"), "too many")
    assert (error.line, error.column) == (6, 5)
    assert str(error) == "6:5: too many"


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a: 1\na: 2\n", "'?\"?a.* stands twice", 2),
        ("a: [1, 2\nb: 3\n", "not valid YAML", 2),
        ("- 1\n", "no mapping", 1),
        ("a: &a\n  <<: *a\n", "merged .* into itself", None),
        ("a: " + "[" * 2000 + "]" * 2000, "lie too deep", None),
        ("a: 2020-01-01\n", "no plain value", None),
        ("a: .nan\n", "no plain value", None),
        ("a: !!python/object/apply:os.system ['true']\n", "", None),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(text: str, words: str, line: int | None) -> None:
    if not words:
        # an unknown tag is data without meaning: nothing is built from it, and nothing runs
        assert read_text(text).data() == {"a": ["true"]}
        return
    with pytest.raises(InvalidPlan, match=words) as caught:
        read_text(text).data()
    if line is not None:
        assert caught.value.line == line


def test_aliases_cannot_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(InvalidPlan, match=f"{MOST_VALUES:,} values"):
        read_text("\n".join(lines)).data()


def test_files_are_looked_at_before_they_are_read(tmp_path) -> None:
    with pytest.raises(InvalidPlan, match="there is no plan"):
        read_file(tmp_path / "no.yaml")
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(InvalidPlan, match="bytes"):
        read_file(big)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InvalidPlan, match="UTF-8"):
        read_file(binary)


@given(st.text(max_size=200))
def test_any_text_is_a_plan_or_an_error_of_ours(text: str) -> None:
    try:
        read_text(text).data()
    except InvalidPlan as error:
        assert "\n" not in error.message


def test_near_words_are_named() -> None:
    assert close_to("leafs", ["leaves", "rules"]) == "; did you mean 'leaves'?"
    assert close_to("zzz", ["b", "a"]) == "; known are a, b"
