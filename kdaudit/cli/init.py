"""``kdaudit init``: a commented plan to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TEMPLATES = {
    "tabular": "a table of rows, and a Python function or model that scores them",
    "recorded": "a table of rows, and a table of scores that somebody recorded; nothing is asked live",
    "texts": "a table of texts, and a model in a local folder that reads them",
    "census": "the bundled demo, to change",
}
PROBES = {
    "groups": "whether groups are decided alike",
    "counterfactual": "whether one field alone changes the decision",
    "templates": "whether texts are answered alike when the people in them are others",
    "slices": "where the model errs most, found by search",
    "vulnerability": "whether small changes made on the proxy turn the model's decisions",
}
ALSO = {"template": "templates", "counterfactuals": "counterfactual", "slice": "slices", "group": "groups"}
"""Other numbers of the same names."""


def init(
    file: Annotated[Path, typer.Argument(help="Where to write the plan.")] = Path("audit.yaml"),
    template: Annotated[str, typer.Option("--template", help=", ".join(TEMPLATES))] = "tabular",
    probe: Annotated[str, typer.Option("--probe", help=f"A probe file instead: {', '.join(PROBES)}")] = "",
) -> None:
    """Write a commented plan, or a commented probe file for a plan to name."""
    from kdaudit.auditing.source import close_to
    from kdaudit.cli.demo import PLANS
    from kdaudit.errors import InvalidInput

    probe = ALSO.get(probe, probe)
    if probe and probe not in PROBES:
        raise InvalidInput(f"there is no probe template {probe!r}{close_to(probe, PROBES)}")
    if probe and file == Path("audit.yaml"):
        file = Path(f"{probe}.probe.yaml")
    if template not in TEMPLATES:
        raise InvalidInput(f"there is no template {template!r}{close_to(template, TEMPLATES)}")
    if file.exists():
        raise InvalidInput(f"{file} is there already; name another file or remove it")
    if not file.parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}")
    if probe:
        file.write_text((PLANS / f"{probe}.probe.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        typer.echo(f"wrote {file}: {PROBES[probe]}. Name it in a plan, under `probes:`  - file: {file.name}")
        return
    file.write_text((PLANS / f"{template}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(f"wrote {file}: {TEMPLATES[template]}. Change it, then: kdaudit check {file}")
