"""``kdaudit verify``: is a run folder what its manifest says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(run: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Recompute every digest of a run folder; fail on changed, missing and unlisted files."""
    from kdaudit.errors import BrokenRun
    from kdaudit.run.manifest import verify as problems_of

    problems = problems_of(run)
    for problem in problems:
        typer.echo(str(problem), err=True)
    if problems:
        raise BrokenRun(f"{run} is not what its manifest says: {len(problems)} problems, listed above")
    typer.echo(f"{run}: every file is what the manifest says")
