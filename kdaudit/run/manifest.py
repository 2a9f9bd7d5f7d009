"""The seal of a run: a digest of every file, and the check that finds whatever was changed since."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kdaudit.digest import of_data, of_file
from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.run.files import json_bytes, json_data
from kdaudit.run.folder import HOLDER, JOURNAL, LOCK, MANIFEST, RunFolder
from kdaudit.run.journal import SUFFIXES

SCHEMA = 1
"""Version of the manifest's form."""
REPORT, REVIEWS = "report", "reviews"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Problem:
    """Something that is not as the manifest says.

    Parameters
    ----------
    file : str
        Name relative to the run folder.
    what : str
        What is wrong with it.
    """

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file if self.file.isprintable() else ascii(self.file)}: {self.what}"


def seal(folder: RunFolder, status: Literal["complete", "partial"]) -> Path:
    """Write the manifest over every file of the run, as its last file, and return its path.

    The journal is removed.  The report has its own manifest, and reviews hold digests of their own.

    Raises
    ------
    BrokenRun
        If the run holds a link or what is no plain file.
    """
    for suffix in SUFFIXES:
        (folder.path / f"{JOURNAL}{suffix}").unlink(missing_ok=True)
    files, problems = _walk(folder.path)
    if problems:
        raise BrokenRun(f"this run cannot be sealed: {problems[0]}")
    return _write(folder, MANIFEST, status, _own(files))


def seal_report(folder: RunFolder) -> Path:
    """Write the manifest of the report, which may be drawn again after the run was sealed, and return its path.

    Raises
    ------
    BrokenRun
        If the run holds a link or what is no plain file.
    """
    files, problems = _walk(folder.path)
    if problems:
        raise BrokenRun(f"this report cannot be sealed: {problems[0]}")
    return _write(folder, f"{REPORT}/{MANIFEST}", "complete", _of_report(files))


def _write(folder: RunFolder, name: str, status: str, files: Mapping[str, Path]) -> Path:
    rows = {file: {"bytes": path.stat().st_size, "sha256": of_file(path)} for file, path in files.items()}
    rest = {"schema": SCHEMA, "status": status, "files": rows}
    return folder.write_json(name, {**rest, "digest": of_data(rest)})


def verify(path: Path) -> tuple[Problem, ...]:
    """Return what is wrong with a run folder; nothing, if every file is what the manifests say.

    Missing, changed and unlisted files, links, and names that would lead out of the folder.  Only files found in the
    folder are read: no name from a manifest is ever followed.

    Raises
    ------
    InvalidInput
        If `path` is no folder.
    """
    if not path.is_dir():
        raise InvalidInput(f"{path} is no folder; name a run folder")
    files, problems = _walk(path)
    problems += _compared(path, MANIFEST, _own(files))
    if any(name.startswith(f"{REPORT}/") for name in files):
        problems += _compared(path, f"{REPORT}/{MANIFEST}", _of_report(files))
    return tuple(sorted(problems, key=lambda problem: (problem.file, problem.what)))


def _walk(root: Path) -> tuple[dict[str, Path], list[Problem]]:
    files: dict[str, Path] = {}
    problems = []
    for here, folders, names in os.walk(root):
        for name in sorted([*folders, *names]):
            path = Path(here) / name
            place = path.relative_to(root).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                target = path.resolve()
                where = "inside" if target.is_relative_to(root.resolve()) else "outside"
                problems.append(Problem(place, f"is a link to a place {where} the run; a run holds plain files only"))
            elif stat.S_ISREG(mode):
                files[place] = path
            elif not stat.S_ISDIR(mode):
                problems.append(Problem(place, "is neither a file nor a folder"))
    return dict(sorted(files.items())), problems


def _own(files: Mapping[str, Path]) -> dict[str, Path]:
    apart = (MANIFEST, LOCK, HOLDER)
    return {n: p for n, p in files.items() if n not in apart and not n.startswith((f"{REPORT}/", f"{REVIEWS}/"))}


def _of_report(files: Mapping[str, Path]) -> dict[str, Path]:
    return {n: p for n, p in files.items() if n.startswith(f"{REPORT}/") and n != f"{REPORT}/{MANIFEST}"}


def _compared(root: Path, manifest: str, files: Mapping[str, Path]) -> list[Problem]:
    listed, problems = _listed(root, manifest)
    if listed is None:
        return problems
    for name in sorted({*listed, *files}):
        if _leads_out(name):
            problems.append(Problem(name, f"is listed in {manifest} and would lead out of the run folder"))
        elif name not in files:
            problems.append(Problem(name, f"is missing; it is listed in {manifest}"))
        elif name not in listed:
            problems.append(Problem(name, f"is not listed in {manifest}: it was added after the seal"))
        else:
            problems += _checked(name, files[name], listed[name])
    return problems


def _checked(name: str, path: Path, row: Mapping[str, Any]) -> list[Problem]:
    try:
        size = path.stat().st_size
        if size != row["bytes"]:
            return [Problem(name, f"was changed: it has {size} bytes, and {row['bytes']} were sealed")]
        if of_file(path) != row["sha256"]:
            return [Problem(name, "was changed: its sha256 is another one than that sealed")]
    except OSError as error:
        return [Problem(name, f"cannot be read: {error.strerror}")]
    return []


def _listed(root: Path, manifest: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    path = root / manifest
    if path.is_symlink() or not path.is_file():
        return None, [Problem(manifest, "is missing: this was never sealed, or its seal was taken away")]
    try:
        data = path.read_bytes()
        content = json_data(manifest, data)
    except (OSError, BrokenRun):
        return None, [Problem(manifest, "was changed: it cannot be read")]
    if not isinstance(content, dict) or not _well_formed(content):
        return None, [Problem(manifest, f"was changed: it is no manifest of schema {SCHEMA}")]
    rest = {key: value for key, value in content.items() if key != "digest"}
    problems = []
    # its bytes follow from its content, and its content from its digest: not even a space can be changed
    if content["digest"] != of_data(rest) or json_bytes(manifest, content) != data:
        problems = [Problem(manifest, "was changed: its own digest is another one")]
    return content["files"], problems


def _well_formed(content: Mapping[str, Any]) -> bool:
    rows = content.get("files")
    return (
        content.get("schema") == SCHEMA
        and isinstance(rows, dict)
        and {"digest", "status"} <= set(content)
        and all(
            isinstance(row, dict)
            and isinstance(row.get("bytes"), int)
            and _SHA256.fullmatch(str(row.get("sha256"))) is not None
            for row in rows.values()
        )
    )


def _leads_out(name: str) -> bool:
    # Windows reads a backslash as a separator and a colon as a drive
    parts = name.replace("\\", "/").split("/")
    return ":" in name or "\x00" in name or any(part in ("", ".", "..") for part in parts)
