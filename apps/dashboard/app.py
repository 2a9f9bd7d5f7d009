"""The dashboard: reads run folders, asks no teacher, loads no model.

Started by ``kdaudit dash RUNS``, or by ``streamlit run app.py -- RUNS``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

# pages lie beside this script, wherever it was installed
sys.path.insert(0, str(Path(__file__).parent))

import findings
import frame
import overview


def main() -> None:
    """Draw the frame and the page that was chosen."""
    st.set_page_config(page_title="kdaudit", layout="wide")
    page = st.navigation(
        [
            st.Page(overview.show, title="Overview", default=True),
            st.Page(findings.show, title="Findings", url_path="findings"),
        ]
    )
    frame.choose_run(frame.folders(sys.argv[1:]))
    page.run()


main()
