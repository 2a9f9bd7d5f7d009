"""What all pages share: which runs there are, which one is open, and how blocks of a report are shown."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from markupsafe import Markup

from kdaudit.digest import of_file
from kdaudit.errors import KdauditError
from kdaudit.report.document import Block
from kdaudit.report.html import fragment
from kdaudit.report.style import BLOCKS, DARK, DRAWING, LIGHT
from kdaudit.run.manifest import verify
from kdaudit.run.reading import Run, read, runs_in

KEPT = 8
"""Runs that are kept in memory."""
_SVG = re.compile(
    r'<svg class="([a-z ]+)" viewBox="([-\d. ]+)"(?: role="img" aria-label="([^"]*)"| aria-hidden="true")>(.*?)</svg>',
    re.S,
)


def folders(arguments: Iterable[str]) -> dict[str, Path]:
    """Return the run folders that are meant, by name: runs themselves or folders of runs, newest first.

    A name from a link is only ever looked up here; it is never made into a path.
    """
    out: dict[str, Path] = {}
    for argument in list(arguments) or ["runs"]:
        path = Path(argument)
        for run in (path,) if (path / "plan.json").is_file() else runs_in(path):
            if (run / "plan.json").is_file():
                out.setdefault(run.name, run)
    return dict(sorted(out.items(), reverse=True))


def choose_run(found: dict[str, Path]) -> None:
    """Show the choice of runs and keep the chosen one's path for the page."""
    st.session_state["opened"] = None
    if not found:
        st.sidebar.text("No run was found. Make one: kdaudit demo")
        return
    name = st.sidebar.selectbox("Run", list(found), key="run", bind="query-params")
    st.session_state["opened"] = str(found.get(str(name), next(iter(found.values()))))


def opened() -> Run | None:
    """Return the chosen run, or None after saying why it cannot be shown."""
    place = st.session_state.get("opened")
    if place is None:
        st.info("There is no run to show yet.")
        return None
    path = Path(place)
    manifest = path / "manifest.json"
    try:
        digest = of_file(manifest) if manifest.is_file() else ""
        run, problems = _read(place, digest) if digest else (read(path), ("this run is not finished",))
    except KdauditError as error:
        st.error("This run cannot be read.")
        st.text(str(error))
        return None
    if problems:
        st.warning("This run is not what was sealed; do not rely on it.")
        st.text("\n".join(problems))
    if not run.account:
        st.info("This run has found nothing yet.")
        return None
    return run


@st.cache_resource(max_entries=KEPT, show_spinner="Reading the run")
def _read(place: str, digest: str) -> tuple[Run, tuple[str, ...]]:  # noqa: ARG001 - the digest makes a changed run a new one
    # keyed by texts alone: tables are hashed by a sample of their rows, and would be taken for one another
    path = Path(place)
    return read(path), tuple(str(problem) for problem in verify(path))


def dark() -> bool:
    """Whether the page is dark."""
    return st.context.theme.type == "dark"


def blocks(parts: Iterable[Block]) -> None:
    """Show blocks as the report shows them; every text in them is escaped there."""
    variables = DARK if dark() else LIGHT
    rules = BLOCKS.replace("svg.", "img.")
    style = Markup("<style>.kdaudit{{{};{}}}</style>").format(Markup(variables), Markup(rules))
    body = as_images(fragment(parts), variables)
    st.html(str(Markup('<div class="kdaudit">{}{}</div>').format(style, body)))


def as_images(page: Markup, variables: str) -> Markup:
    """Return the page with its drawings as pictures: Streamlit takes drawings out of a page.

    A picture knows no variable of the page, so it brings its own, and its words become the picture's `alt`.
    """
    head = f'xmlns="http://www.w3.org/2000/svg"><style>:root{{{variables}}}{DRAWING}</style>'

    def image(found: re.Match[str]) -> str:
        kind, size, words, inner = found.groups()
        width, height = size.split()[2:]
        drawing = f'<svg viewBox="{size}" width="{width}" height="{height}" {head}{inner}</svg>'
        source = base64.b64encode(drawing.encode()).decode()
        return f'<img class="{kind}" alt="{words or ""}" src="data:image/svg+xml;base64,{source}">'

    return Markup(_SVG.sub(image, str(page)))
