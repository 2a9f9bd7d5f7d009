"""``kdaudit dash``: the dashboard on runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def dash(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders, or folders of runs.")] = None,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,  # noqa: FBT002
) -> None:
    """Open the dashboard on runs; it reads run folders, asks no teacher and is reachable from this machine only."""
    import subprocess

    from kdaudit.errors import InvalidInput

    folders = [path.resolve() for path in (runs or [Path("runs")])]
    for folder in folders:
        if not folder.is_dir():
            raise InvalidInput(f"there is no folder {folder}; name a run or a folder of runs")
    raise typer.Exit(subprocess.call(command(folders, port, browser=browser)))


def command(folders: list[Path], port: int, *, browser: bool) -> list[str]:
    """Return the command that serves the dashboard, with nothing sent anywhere and only this machine admitted."""
    options = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "server.fileWatcherType": "none",
        "server.enableStaticServing": "false",
        "server.maxUploadSize": "1",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": "false",
        "client.disableDataExport": "true",
    }
    flags = [part for key, value in options.items() for part in (f"--{key}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(app_file()), *flags, "--", *map(str, folders)]


def app_file() -> Path:
    """Return the dashboard's script: beside the package in a checkout, inside it in an installed wheel.

    Raises
    ------
    InvalidInput
        If the extra is not installed or the files are not there.
    """
    from importlib.util import find_spec

    from kdaudit.errors import InvalidInput

    if find_spec("streamlit") is None or find_spec("plotly") is None:
        raise InvalidInput("the dashboard needs streamlit and plotly: pip install 'kdaudit[dashboard]'")
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_dashboard", package.parent / "apps" / "dashboard"):
        if (folder / "app.py").is_file():
            return folder / "app.py"
    raise InvalidInput("the dashboard's files are not there; install kdaudit again with its extra `dashboard`")
