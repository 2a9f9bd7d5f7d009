"""``kdaudit probe``: the plan's probes alone, with an exit code that a pipeline can act on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kdaudit.cli.audit import AllowCode, Changes, Json, Out, data_folder

Only = Annotated[list[str] | None, typer.Option("--only", help="Name of a probe; may be given several times.")]
FORMATS = ("html", "json", "md", "junit")


def probe(
    plan: Annotated[Path, typer.Argument(help="The plan, a YAML file.")],
    only: Only = None,
    out: Out = Path("runs"),
    changes: Changes = None,
    allow_code: AllowCode = False,  # noqa: FBT002 - typer
    as_json: Json = False,  # noqa: FBT002 - typer
) -> None:
    """Ask the probes of a plan; leave with 1 if a claim FAILS, else with 4 if one is UNDECIDED, else with 0."""
    from kdaudit.auditing.audits import Options, audit
    from kdaudit.cli.progress import progress
    from kdaudit.cli.summary import print_json, print_summary
    from kdaudit.report.rendering import render

    with progress(quiet=as_json) as tell:
        options = Options(
            data=data_folder(),
            allow_code=allow_code,
            changes=tuple(changes or ()),
            tell=tell,
            probes_alone=True,
            only=tuple(only or ()),
        )
        done = audit(plan, out=out, options=options)
        tell("drawing the report")
        render(done.path, FORMATS)
    if as_json:
        print_json(done)
    else:
        print_summary(done)
        typer.echo(f"JUnit: {done.path / 'report' / 'report.junit.xml'}")
    verdicts = {str(finding.verdict) for finding in done.findings}
    raise typer.Exit(1 if "FAILS" in verdicts else 4 if "UNDECIDED" in verdicts or done.failed else 0)
