"""Where the public data sets lie, and a small table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    folder = os.environ.get("KDAUDIT_DATA", "")
    if not folder:
        pytest.skip("KDAUDIT_DATA is not set; it names the folder of public data sets")
    return Path(folder)
