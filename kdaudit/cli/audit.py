"""``kdaudit audit``: the main job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kdaudit.auditing.audits import Audit

Out = Annotated[Path, typer.Option("--out", help="Folder of runs; answers are kept beside them.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the newest unfinished run of this plan.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="Change a key, such as proxies.tree.leaves=8.")]
AllowCode = Annotated[bool, typer.Option("--allow-code", help="Let Python files below the plan's folder run.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]

FORMATS = ("html", "json", "md")


def audit(
    plan: Annotated[Path, typer.Argument(help="The plan, a YAML file.")],
    out: Out = Path("runs"),
    resume: Resume = False,  # noqa: FBT002 - typer
    changes: Changes = None,
    allow_code: AllowCode = False,  # noqa: FBT002 - typer
    as_json: Json = False,  # noqa: FBT002 - typer
) -> None:
    """Audit the teacher that a plan names, and write a run folder with its report."""
    perform(plan, out, resume=resume, changes=tuple(changes or ()), allow_code=allow_code, as_json=as_json)


def perform(
    plan: Path,
    out: Path,
    *,
    resume: bool,
    changes: tuple[str, ...] = (),
    allow_code: bool = False,
    as_json: bool = False,
    command: str = "audit",
) -> None:
    """Run an audit with progress, draw its report, print what was found, and leave with its exit code."""
    from kdaudit.auditing.audits import Options, read_plan, unfinished
    from kdaudit.auditing.audits import audit as run_audit
    from kdaudit.cli.progress import cancellable, progress
    from kdaudit.cli.summary import print_json, print_summary
    from kdaudit.report.rendering import render

    going_on = unfinished(out, read_plan(plan, changes)) if resume else None
    name = f"{command} {plan}" if command == "audit" else command
    again = f"kdaudit {name} --out {out} --resume" + "".join(f" --set {c}" for c in changes)
    again += " --allow-code" if allow_code else ""
    with progress(quiet=as_json) as tell, cancellable(lambda: f"stopped; nothing is lost. Go on with: {again}"):
        options = Options(data=data_folder(), allow_code=allow_code, changes=changes, tell=tell)
        done: Audit = run_audit(plan, out=out, resume=going_on, options=options)
        tell("drawing the report")
        render(done.path, FORMATS)
    if as_json:
        print_json(done)
    else:
        print_summary(done)
    raise typer.Exit(4 if done.failed else 0)


def data_folder() -> Path | None:
    """Return the folder of public data sets that ``KDAUDIT_DATA`` names, or None."""
    folder = os.environ.get("KDAUDIT_DATA")
    return Path(folder) if folder else None
