"""``kdaudit ls``: the runs in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kdaudit.cli.audit import Json


def ls(
    runs: Annotated[Path, typer.Argument(help="Folder of runs.")] = Path("runs"),
    as_json: Json = False,  # noqa: FBT002 - typer
) -> None:
    """List the runs in a folder, newest first."""
    import json

    from kdaudit.cli.summary import counts, plain
    from kdaudit.errors import InvalidInput
    from kdaudit.run.reading import runs_in

    if not runs.is_dir():
        raise InvalidInput(f"there is no folder {runs}; name the folder of runs")
    rows = [{"run": path.name, **counts(path)} for path in runs_in(runs)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['run']}  {row['status']:<10}  {row['verdicts']:<44}  {plain(str(row['title']))}")
    if not rows:
        typer.echo(f"no runs in {runs}")
