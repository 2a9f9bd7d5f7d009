"""A finished (or unfinished) run as typed data, without a model and without judging it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.finding import Finding
from kdaudit.rules import Rules
from kdaudit.run.evidence import read_evidence
from kdaudit.run.folder import MANIFEST, RunFolder, is_id

FINDINGS_SCHEMA = 1
"""Version of the form of findings.json."""


@dataclass(frozen=True, eq=False)
class Run:
    """What lies in a run folder.

    Parameters
    ----------
    path : Path
    plan, environment, account : dict
        As plain data; empty where an unfinished run has not written them yet.
    findings : tuple of Finding
    evidence : mapping of str to Evidence
        By the name of its files without ending, rising.
    cards : mapping of str to dict
        Each proxy's card, in the order of the account (unfinished runs: rising).
    rules : mapping of str to Rules
        Bodies of those proxies that are rules.
    manifest : dict or None
        None where the run is not sealed.
    bodies : mapping of str to dict
        What the files of those rules hold, as plain data: on which scale they answer, a difference to whom.
    """

    path: Path
    plan: dict[str, Any]
    environment: dict[str, Any]
    account: dict[str, Any]
    findings: tuple[Finding, ...]
    evidence: Mapping[str, Evidence]
    cards: Mapping[str, dict[str, Any]]
    rules: Mapping[str, Rules]
    manifest: dict[str, Any] | None
    bodies: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def read(path: Path) -> Run:
    """Return what lies in the run folder at `path`; whether it was changed, `kdaudit.run.manifest.verify` tells.

    Raises
    ------
    InvalidInput
        If it is no run folder.
    BrokenRun
        If a file is missing from a complete run, or cannot be read as what it should be.
    """
    folder = RunFolder.open(path)
    manifest = _object(folder, MANIFEST) if folder.sealed else None
    whole = manifest is not None and manifest.get("status") == "complete"
    account = _object(folder, "account.json", optional=not whole)
    names = _proxies(path, account.get("proxies", ()))
    ruled = [name for name in names if (path / "proxies" / name / "rules.json").is_file()]
    return Run(
        path=path,
        plan=_object(folder, "plan.json"),
        environment=_object(folder, "environment.json", optional=not whole),
        account=account,
        findings=_findings(folder, optional=not whole),
        evidence={file.stem: read_evidence(folder, file.stem) for file in sorted(path.glob("evidence/*.json"))},
        cards={name: _object(folder, f"proxies/{name}/card.json") for name in names},
        rules={name: _rules(folder, name) for name in ruled},
        manifest=manifest,
        bodies={name: _object(folder, f"proxies/{name}/rules.json") for name in ruled},
    )


def runs_in(runs: Path) -> tuple[Path, ...]:
    """Return the run folders in the folder `runs`, newest first."""
    found = [path for path in runs.iterdir() if is_id(path.name) and path.is_dir()] if runs.is_dir() else []
    return tuple(sorted(found, reverse=True))


def findings_data(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return what findings.json holds, as plain data."""
    return {"schema": FINDINGS_SCHEMA, "findings": [finding.to_data() for finding in findings]}


def _object(folder: RunFolder, name: str, *, optional: bool = False) -> dict[str, Any]:
    if optional and not (folder.path / name).exists():
        return {}
    data = folder.read_json(name)
    if not isinstance(data, dict):
        raise BrokenRun(f"{folder.path / name} holds a {type(data).__name__}; an object was expected")
    return data


def _findings(folder: RunFolder, *, optional: bool) -> tuple[Finding, ...]:
    data = _object(folder, "findings.json", optional=optional)
    if not data:
        return ()
    if data.get("schema") != FINDINGS_SCHEMA:
        raise BrokenRun(
            f"{folder.path / 'findings.json'} has schema {data.get('schema')!r}; "
            f"this version reads schema {FINDINGS_SCHEMA}"
        )
    try:
        return tuple(Finding.from_data(row) for row in data["findings"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenRun(f"{folder.path / 'findings.json'} holds no findings: {error!r}") from error


def _proxies(path: Path, order: Iterable[str]) -> list[str]:
    there = sorted(card.parent.name for card in path.glob("proxies/*/card.json"))
    first = [name for name in order if name in there]
    return first + [name for name in there if name not in first]


def _rules(folder: RunFolder, name: str) -> Rules:
    file = f"proxies/{name}/rules.json"
    try:
        return Rules.from_data(_object(folder, file))
    except InvalidInput as error:
        raise BrokenRun(f"{folder.path / file}: {error}") from error
