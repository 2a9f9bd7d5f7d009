"""``kdaudit show``: what a run found, on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kdaudit.cli.audit import Json


def show(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,  # noqa: FBT002 - typer
) -> None:
    """Print what a run found."""
    from kdaudit.cli.summary import findings_json, summary

    typer.echo(findings_json(run) if as_json else summary(run))
