"""Overview: the answer, how far the proxies can be believed, and what was not tested."""

from __future__ import annotations

import frame
import streamlit as st

from kdaudit.report.account import cost, untested
from kdaudit.report.believing import believing
from kdaudit.report.charges import privacy, shown_in_place
from kdaudit.report.curves import curves
from kdaudit.report.verdict import box
from kdaudit.run.reading import Run

FILES = {"report.html": "text/html", "report.json": "application/json", "report.md": "text/markdown"}


def show() -> None:
    """Draw the page."""
    run = frame.opened()
    if run is None:
        return
    st.title("Overview", anchor=False)
    st.text(str(run.account.get("title", "")))
    frame.blocks([box(run)])
    frame.blocks(believing(run))
    frame.blocks(curves(run))
    frame.blocks(untested(run))
    frame.blocks([*cost(run), *shown_in_place(run), *privacy(run)])
    _downloads(run)


def _downloads(run: Run) -> None:
    there = [name for name in FILES if (run.path / "report" / name).is_file()]
    for column, name in zip(st.columns(len(FILES)), there, strict=False):
        data = (run.path / "report" / name).read_bytes()
        column.download_button(f"Download {name}", data, file_name=f"{run.path.name}.{name}", mime=FILES[name])
