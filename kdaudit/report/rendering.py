"""Draws a run's report into its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kdaudit.errors import InvalidInput
from kdaudit.report import html, json, junit, markdown
from kdaudit.report.composition import compose
from kdaudit.report.document import Document
from kdaudit.run.folder import RunFolder
from kdaudit.run.manifest import seal_report
from kdaudit.run.reading import read

FORMATS: dict[str, Callable[[Document], bytes]] = {
    "html": html.render,
    "md": markdown.render,
    "json": json.render,
    "junit": junit.render,
}
"""Format -> what draws it; its file is ``report.<format>``, for JUnit ``report.junit.xml``."""
ENDINGS = {"junit": "junit.xml"}
DRAWN = ("html", "md", "json")
"""Formats that are drawn where none is asked for."""


def render(run: Path, formats: tuple[str, ...] = DRAWN) -> tuple[Path, ...]:
    """Write ``report/report.<format>`` for each of `formats`, and the report's own manifest.

    Parameters
    ----------
    run : Path
        Run folder.
    formats : tuple of {"html", "md", "json", "junit"}

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    InvalidInput
        On an unknown format; nothing is written then.
    """
    for name in formats:
        if name not in FORMATS:
            raise InvalidInput(f"there is no report format {name!r}; formats are {', '.join(FORMATS)}")
    document = compose(read(run))
    with RunFolder.open(run) as folder:
        files = tuple(
            folder.write_bytes(f"report/report.{ENDINGS.get(name, name)}", FORMATS[name](document))
            for name in dict.fromkeys(formats)
        )
        seal_report(folder)
    return files
