"""``kdaudit init``: a commented plan to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TEMPLATES = {
    "tabular": "a table of rows, and a Python function or model that scores them",
    "recorded": "a table of rows, and a table of scores that somebody recorded; nothing is asked live",
    "census": "the bundled demo, to change",
}


def init(
    file: Annotated[Path, typer.Argument(help="Where to write the plan.")] = Path("audit.yaml"),
    template: Annotated[str, typer.Option("--template", help=", ".join(TEMPLATES))] = "tabular",
) -> None:
    """Write a commented plan."""
    from kdaudit.auditing.source import close_to
    from kdaudit.cli.demo import PLANS
    from kdaudit.errors import InvalidInput

    if template not in TEMPLATES:
        raise InvalidInput(f"there is no template {template!r}{close_to(template, TEMPLATES)}")
    if file.exists():
        raise InvalidInput(f"{file} is there already; name another file or remove it")
    if not file.parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}")
    file.write_text((PLANS / f"{template}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(f"wrote {file}: {TEMPLATES[template]}. Change it, then: kdaudit check {file}")
