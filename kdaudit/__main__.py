"""``python -m kdaudit``."""

from __future__ import annotations

from kdaudit.cli.main import run

run()
