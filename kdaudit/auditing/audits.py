"""The main job: a plan in, findings and a sealed run folder out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from kdaudit.auditing import losses, rows, scripts, source, steps
from kdaudit.auditing.casting import Teachers, Troupe, open_teachers
from kdaudit.auditing.items import QuestionItem
from kdaudit.auditing.others import other_of
from kdaudit.auditing.plan import Plan, from_source
from kdaudit.errors import BrokenRun, InvalidAnswers, InvalidInput
from kdaudit.finding import Finding
from kdaudit.run.folder import RunFolder
from kdaudit.run.journal import Journal
from kdaudit.run.manifest import seal
from kdaudit.run.reading import findings_data, runs_in
from kdaudit.store.answers import Store


@dataclass(frozen=True)
class Options:
    """How an audit is run; nothing here changes what it finds.

    Parameters
    ----------
    data : Path, optional
        Folder of public data sets.
    allow_code : bool
        Whether Python files that the plan names may run.
    changes : tuple of str
        ``key=value``, as after ``--set``.
    now : callable
        Clock, for the run's id and log.
    tell : callable
        Told each step in words.
    probes_alone : bool
        Whether the plan's comparisons are left out.
    only : tuple of str
        Names of the probes that are asked; all, if it is empty.
    """

    data: Path | None = None
    allow_code: bool = False
    changes: tuple[str, ...] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    tell: Callable[[str], None] = lambda _: None
    probes_alone: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """An audit that is complete.

    Parameters
    ----------
    path : Path
        Its run folder.
    findings : tuple of Finding
    asked, new : int
        Distinct teacher rows used, and those that were newly asked.
    failed : tuple of str
        Questions that could not be asked.
    """

    path: Path
    findings: tuple[Finding, ...]
    asked: int
    new: int
    failed: tuple[str, ...] = ()


def read_plan(file: Path, changes: Iterable[str] = (), *, only: Iterable[str] | None = None) -> Plan:
    """Return the plan in a file; with `only`, its probes of these names alone (all, if it is empty).

    Raises
    ------
    InvalidPlan
        With file, line and column.
    """
    folder = file.resolve().parent
    text = scripts.with_files(source.read_file(file, changes), folder)
    if only is not None:
        text = scripts.probes_alone(text, only)
    return from_source(text, folder, domain_of=rows.domain_of)


def audit(
    plan: Path | str, *, out: Path | str = "runs", resume: Path | str | None = None, options: Options | None = None
) -> Audit:
    """Run the audit that a plan describes.

    Parameters
    ----------
    plan : path
        YAML file.
    out : path
        Folder of runs; answers are kept beside them, so that a second audit asks nothing twice.
    resume : path, optional
        Run folder that was cut off: it goes on there.
    options : Options, optional

    Returns
    -------
    Audit
        Its run folder is sealed; reports are drawn by `kdaudit.report`.

    Raises
    ------
    InvalidInput
        On a plan, rows, a teacher or answers that do not fit; a run folder is only made once plan, rows and teacher do.
        Where answers stop fitting after a proxy was made, as when the teacher cannot be reached any more, the folder
        stays and can be resumed.
    TeacherMoved
        If a teacher moved since the run that is resumed.

    Examples
    --------
    >>> findings = audit("audit.yaml", out="runs").findings  # doctest: +SKIP
    """
    options = options or Options()
    read = read_plan(Path(plan), options.changes, only=options.only if options.probes_alone else None)
    options.tell("reading rows")
    parts = steps.load_parts(read, options.data)
    questions = rows.supplied(read, options.data).questions
    options.tell("opening the teacher")
    teachers = open_teachers(read, parts, allow_code=options.allow_code)
    runs = Path(out)
    store = Store(runs / "answers")
    with _folder(read, runs, resume, options) as folder:
        stage = steps.Stage(
            plan=read,
            folder=folder,
            journal=Journal(folder.path / "journal.sqlite"),
            store=store,
            ledger=losses.ledger(read),
            parts=parts,
            tell=lambda words: _told(folder, options, words),
        )
        try:
            return _perform(stage, teachers, questions, resumed=resume is not None)
        except InvalidInput as error:
            if isinstance(error, InvalidAnswers) and _begun(stage):
                stage.journal.close()
                raise InvalidAnswers(
                    f"{error}. What was made and answered before is kept; once that is mended, go on with --resume"
                ) from error
            # other bad input leaves nothing behind but the answers that were good
            if resume is None:
                stage.journal.close()
                folder.discard()
            raise


def _begun(stage: steps.Stage) -> bool:
    """Return whether a proxy was made, so that there is work to go on with."""
    return any(stage.journal.finished(f"proxies/{item.name}") is not None for item in stage.plan.proxies)


def unfinished(runs: Path, plan: Plan) -> Path:
    """Return the newest run of `plan` in the folder `runs` that was cut off.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    resolved = plan.resolved()
    for folder in runs_in(runs) if runs.is_dir() else ():
        run = RunFolder(folder)
        if not run.sealed and (folder / "plan.json").is_file() and run.read_json("plan.json") == resolved:
            return folder
    raise InvalidInput(f"no unfinished run of this plan lies in {runs}; leave --resume away to start one")


def _told(folder: RunFolder, options: Options, words: str) -> None:
    folder.log(options.now(), words)
    options.tell(words)


def _folder(plan: Plan, runs: Path, resume: Path | str | None, options: Options) -> RunFolder:
    if resume is None:
        now = options.now()
        # two runs of one plan differ in their names alone; chance here is the clock's, not the seed's
        folder = RunFolder.create(runs, now=now, rng=np.random.default_rng(int(now.timestamp() * 1e6)))
        folder.write_bytes("audit.yaml", plan.source.text.encode())
        folder.write_json("plan.json", plan.resolved())
        folder.write_json("environment.json", steps.environment())
        return folder
    folder = RunFolder.open(Path(resume))
    if folder.sealed:
        raise InvalidInput(f"run {folder.path.name} is complete; there is nothing to resume")
    if folder.read_json("plan.json") != plan.resolved():
        raise BrokenRun(f"run {folder.path.name} was made from another plan; resume it with its own audit.yaml")
    return folder


def _perform(stage: steps.Stage, teachers: Teachers, questions: tuple[QuestionItem, ...], *, resumed: bool) -> Audit:
    plan = stage.plan
    canary = steps.watch_teachers(stage, teachers, resume=resumed)
    spent = {}
    troupes: dict[str, Troupe] = {}
    for item in plan.proxies:
        other = other_of(item, teachers, troupes)
        troupes[item.name] = replace(steps.make_proxy(stage, item, replace(teachers, other=other)), other=other)
    spent["proxies"] = stage.ledger.used
    asked: tuple[steps.Asked, ...] = ()
    for part in ("judge", "pool"):
        before = stage.ledger.used
        items = [item for item in questions if item.recipe.part == part]
        asked += tuple(steps.ask_question(stage, item, teachers, troupes) for item in items)
        spent[part] = stage.ledger.used - before
    findings = tuple(finding for one in asked for finding in one.findings)
    stage.folder.write_json("findings.json", findings_data(findings))
    stage.tell("sealing")
    stage.store.seal(stage.folder.path / "answers")
    stage.folder.write_json("account.json", steps.account_of(stage, teachers, asked, canary, spent))
    stage.journal.close()
    failed = tuple(one.item.key for one in asked if one.failed)
    seal(stage.folder, "partial" if failed else "complete")
    new = stage.store.spent.get(teachers.teacher.identity.digest, 0)
    return Audit(stage.folder.path, findings, stage.ledger.used, new, failed)
