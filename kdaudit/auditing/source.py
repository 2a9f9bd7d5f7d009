"""A plan's text: read as YAML 1.2, each value with its place, changed by ``--set``."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kdaudit.errors import InvalidPlan

LARGEST = 1_000_000
"""Bytes of the largest plan that is read."""
MOST_VALUES = 100_000
"""Values that a plan may hold once its aliases are followed."""

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """A plan as it was written.

    Parameters
    ----------
    text : str
        YAML, after ``--set``.
    tree : CommentedMap
        With the place of each key.
    file : Path, optional
        For messages.
    """

    text: str
    tree: CommentedMap
    file: Path | None = None

    def at(self, path: Path_) -> dict[str, Any]:
        """Return file, line and column of the value at `path`, as arguments of `InvalidPlan`."""
        node: Any = self.tree
        line, column = 0, 0
        for step in path:
            place = _place(node, step)
            if place is None:
                break
            (line, column), node = place
        return {"file": self.file, "line": line + 1, "column": column + 1}

    def wrong(self, path: Path_, message: str) -> InvalidPlan:
        """Return the error that says what is wrong with the value at `path`."""
        return InvalidPlan(message, **self.at(path))

    def data(self) -> dict[str, Any]:
        """Return the plan as plain data: dict, list, str, int, float, bool, None."""
        counter = [0]

        def plain(node: object, path: Path_) -> Any:  # noqa: ANN401 - plain data
            counter[0] += 1
            if counter[0] > MOST_VALUES:
                raise self.wrong(path, f"the plan holds more than {MOST_VALUES:,} values once its aliases are followed")
            if isinstance(node, Mapping):
                return {str(k): plain(v, (*path, k)) for k, v in node.items()}
            if isinstance(node, Sequence) and not isinstance(node, str):
                return [plain(v, (*path, i)) for i, v in enumerate(node)]
            if node is None or isinstance(node, bool):
                return node
            if isinstance(node, str):
                return str(node)
            if isinstance(node, int):
                return int(node)
            if isinstance(node, float) and math.isfinite(node):
                return float(node)
            raise self.wrong(
                path, f"{node!r} is no plain value; a text, a number, true, false or null was expected (quote it)"
            )

        out: dict[str, Any] = plain(self.tree, ())
        return out


def _place(node: object, step: str | int) -> tuple[tuple[int, int], Any] | None:
    if isinstance(node, CommentedMap) and step in node:
        return node.lc.key(step), node[step]
    if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        return node.lc.item(step), node[step]
    return None


def read_file(file: Path, changes: Iterable[str] = ()) -> Source:
    """Read a plan from a file.

    Raises
    ------
    InvalidPlan
        If there is no such file, or as for `read_text`.
    """
    if not file.is_file():
        raise InvalidPlan(f"there is no plan {file}; `kdaudit init` writes one")
    if file.stat().st_size > LARGEST:
        raise InvalidPlan(f"the plan has {file.stat().st_size:,} bytes; at most {LARGEST:,} are read", file=file)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidPlan(f"the plan is no UTF-8 text ({error.reason} at byte {error.start})", file=file) from error
    return read_text(text, file=file, changes=changes)


def read_text(text: str, *, file: Path | None = None, changes: Iterable[str] = ()) -> Source:
    """Read a plan from its text.

    Parameters
    ----------
    text : str
        YAML 1.2: ``no`` is a text, a key may stand once.
    file : Path, optional
        For messages.
    changes : iterable of str
        ``key=value`` as after ``--set``; keys are joined by dots, an item of a list is called by its name
        (``proxies.tree.leaves=8``); values are YAML.

    Raises
    ------
    InvalidPlan
        With line and column, on text that is no YAML, a key that stands twice or a change that fits nowhere.
    """
    tree = _parse(text, file)
    if not isinstance(tree, CommentedMap):
        raise InvalidPlan("the plan is no mapping; it starts with lines such as `title: ...`", file=file, line=1)
    changed = False
    for change in changes:
        _set(tree, change)
        changed = True
    if not changed:
        return Source(text, tree, file)
    return Source(written(tree), tree, file)


def written(tree: CommentedMap) -> str:
    """Return the YAML text of a tree, comments kept."""
    stream = io.StringIO()
    _yaml().dump(tree, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _parse(text: str, file: Path | None) -> object:
    try:
        return _yaml().load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = (error.problem or str(error)).split("\n")[0].strip()
        if "duplicate key" in problem:
            problem = f"{problem.split(' with ')[0].replace('found ', '')} stands twice; keep one of them"
        place = {} if mark is None else {"line": mark.line + 1, "column": mark.column + 1}
        raise InvalidPlan(f"not valid YAML: {problem}", file=file, **place) from error
    except RecursionError as error:
        raise InvalidPlan("not valid YAML: lists or mappings lie too deep in one another", file=file) from error
    except AttributeError as error:
        # the parser's own fault: it stumbles over a mapping that is merged into itself
        raise InvalidPlan("not valid YAML: a mapping is merged (`<<`) into itself", file=file) from error
    except (YAMLError, ValueError) as error:
        raise InvalidPlan(f"not valid YAML: {str(error).splitlines()[0]}", file=file) from error


def _set(tree: CommentedMap, change: str) -> None:
    key, equals, value = change.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise InvalidPlan(f"--set {change!r} cannot be read; write --set section.key=value")
    node: Any = tree
    for step in steps[:-1]:
        node = _inside(node, step, change)
    if not isinstance(node, CommentedMap):
        raise InvalidPlan(f"--set {change!r}: {'.'.join(steps[:-1])} holds no keys")
    node[steps[-1]] = _parse(value, None) if value.strip() else None


def _inside(node: object, step: str, change: str) -> object:
    if isinstance(node, CommentedSeq):
        for item in node:
            if isinstance(item, CommentedMap) and item.get("name") == step:
                return item
        names = [str(item.get("name")) for item in node if isinstance(item, CommentedMap)]
        raise InvalidPlan(f"--set {change!r}: there is no item called {step!r}{close_to(step, names)}")
    if isinstance(node, CommentedMap) and step in node:
        return node[step]
    known = list(node) if isinstance(node, CommentedMap) else []
    raise InvalidPlan(f"--set {change!r}: there is no key {step!r}{close_to(step, known)}")


def close_to(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or the known words where none is near."""
    words = sorted(str(k) for k in known)
    near = get_close_matches(str(word), words, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(words)}" if words else ""
