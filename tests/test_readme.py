"""The examples that people copy run: those of the README and those of docstrings."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
WITH_EXAMPLES = sorted(
    ".".join(p.relative_to(ROOT).with_suffix("").parts)
    for p in (ROOT / "kdaudit").rglob("*.py")
    if re.search(r"^\s*>>> (?!.*\+SKIP)", p.read_text(), flags=re.MULTILINE)
)


@pytest.mark.parametrize("block", BLOCKS, ids=[f"block {i}" for i in range(len(BLOCKS))])
def test_an_example_of_the_readme_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_an_example_of_a_docstring_runs(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0 and result.failed == 0


def test_the_readme_names_both_commands_and_only_targets_that_there_are():
    text, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    assert {"audit", "test"} <= set(re.findall(r"make ([a-z-]+)", text))
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", text)) <= targets


def test_each_folder_of_the_package_is_on_the_map():
    text = (ROOT / "README.md").read_text()
    rooms = {p.name for p in (ROOT / "kdaudit").iterdir() if (p / "__init__.py").exists()}
    assert [name for name in sorted(rooms) if f"`{name}`" not in text] == []
