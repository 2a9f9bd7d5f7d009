"""``kdaudit report``: draw a run's report again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    formats: Annotated[str, typer.Option("--format", help="Joined by commas: html, md, json, junit.")] = "html,md,json",
) -> None:
    """Draw the report of a run again from what lies in its folder."""
    from kdaudit.errors import BrokenRun
    from kdaudit.report.rendering import render
    from kdaudit.run.manifest import verify as problems_of

    problems = [p for p in problems_of(run) if not p.file.startswith("report")]
    if problems:
        raise BrokenRun(f"{run}: {problems[0]}; no report is drawn from a run that was changed")
    for file in render(run, tuple(part.strip() for part in formats.split(","))):
        typer.echo(str(file))
