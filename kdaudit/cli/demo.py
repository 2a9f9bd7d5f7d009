"""``kdaudit demo``: the bundled audit."""

from __future__ import annotations

from pathlib import Path

from kdaudit.cli.audit import Json, Out, Resume, perform

PLANS = Path(__file__).parent / "plans"


def demo(
    out: Out = Path("runs"),
    resume: Resume = False,  # noqa: FBT002 - typer
    as_json: Json = False,  # noqa: FBT002 - typer
) -> None:
    """Audit a model of census income: real data, bundled, no network.

    A network that scores people for pay above 50,000 dollars stands for the closed model. Three proxies are distilled
    from its answers, compared with it, and probed for bias by sex, race and age.
    """
    perform(PLANS / "census.yaml", out, resume=resume, as_json=as_json, command="demo")
