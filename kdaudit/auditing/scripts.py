"""Probes in files of their own, and plans cut down to their probes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from kdaudit.auditing.source import Source, close_to, read_file, read_text, written
from kdaudit.digest import of_file
from kdaudit.errors import InvalidPlan

ENDING = ".probe.yaml"


def with_files(source: Source, folder: Path) -> Source:
    """Return the plan with each probe that names a file (``- file: sex.probe.yaml``) replaced by what that file says.

    Keys beside `file` override those in it; without a name it is called as the file.  The file's sha256 stands above
    it as a comment, so that a run folder tells what was asked without the file.

    Parameters
    ----------
    source : Source
    folder : Path
        The plan's folder: paths start here.

    Raises
    ------
    InvalidPlan
        If a file is missing, has another ending or lies outside the folder, or is no mapping.
    """
    items = source.tree.get("probes")
    if not isinstance(items, CommentedSeq) or not any(isinstance(i, CommentedMap) and "file" in i for i in items):
        return source
    for at, item in enumerate(items):
        if isinstance(item, CommentedMap) and "file" in item:
            path = _path(source, item["file"], folder, at)
            content = read_file(path).tree
            merged = CommentedMap({"name": path.name.removesuffix(ENDING).replace(".", "-")})
            merged |= {k: v for k, v in content.items() if k != "kdaudit"}
            merged |= {k: v for k, v in item.items() if k != "file"}
            merged.yaml_set_start_comment(f"{item['file']}, sha256 {of_file(path)}", indent=2)
            items[at] = merged
    return _written(source)


def _path(source: Source, name: Any, folder: Path, at: int) -> Path:  # noqa: ANN401 - plain data
    place = ("probes", at, "file")
    if not isinstance(name, str) or not name.endswith(ENDING):
        raise source.wrong(place, f"file is {name!r}; a path that ends in {ENDING} was expected")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise source.wrong(place, f"{name} lies outside the plan's folder; move it there")
    if not path.is_file():
        raise source.wrong(place, f"there is no file {name} in the plan's folder; `kdaudit init --probe` writes one")
    return path


def probes_alone(source: Source, only: Iterable[str] = ()) -> Source:
    """Return the plan without its comparisons, and with those probes alone that `only` names (all, if it is empty).

    Raises
    ------
    InvalidPlan
        If there are no probes, or none of a name.
    """
    items = source.tree.get("probes")
    if not isinstance(items, CommentedSeq) or not items:
        raise source.wrong((), "the plan has no probes; add items to `probes`")
    wanted, names = list(only), [str(i.get("name")) for i in items if isinstance(i, CommentedMap)]
    for name in wanted:
        if name not in names:
            raise InvalidPlan(f"--only {name}: there is no such probe{close_to(name, names)}", file=source.file)
    if wanted:
        for at in reversed(range(len(items))):
            if isinstance(items[at], CommentedMap) and str(items[at].get("name")) not in wanted:
                del items[at]
    source.tree.pop("compare", None)
    return _written(source)


def _written(source: Source) -> Source:
    """Return the source with its text written anew from its tree."""
    return read_text(written(source.tree), file=source.file)
