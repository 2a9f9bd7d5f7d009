"""``kdaudit check``: a plan's faults and its price, with nothing written and no teacher asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kdaudit.cli.audit import Changes, Json, data_folder


def check(
    plan: Annotated[Path, typer.Argument(help="The plan, a YAML file.")],
    changes: Changes = None,
    as_json: Json = False,  # noqa: FBT002 - typer
) -> None:
    """Validate a plan and say how many questions it will ask; nothing is written, no code of the plan is run."""
    import json

    from kdaudit.auditing.audits import read_plan
    from kdaudit.auditing.pricing import price

    read = read_plan(plan, tuple(changes or ()))
    estimate = price(read, data_folder())
    if as_json:
        typer.echo(json.dumps(estimate.to_data(), indent=2))
        return
    typer.echo(f"{plan}: reads well. {read.title}")
    for line in estimate.lines:
        typer.echo(f"  {line.rows:>8,}  {line.what}")
    typer.echo(f"  {estimate.total:>8,}  questions at most, of {read.limit:,} that the budget allows")
    for warning in estimate.warnings:
        typer.echo(f"  note: {warning}")
