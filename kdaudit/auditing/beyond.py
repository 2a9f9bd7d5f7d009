"""Rows that a maker asked beyond those given to it, noted so that a resumed run counts them without asking again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kdaudit.abilities import Beyond
from kdaudit.auditing.items import ProxyItem
from kdaudit.errors import BrokenRun
from kdaudit.samples import Samples
from kdaudit.store.index import Keys

FILE = "asked.json"


def extra(item: ProxyItem, parts: Mapping[str, Samples]) -> int:
    """Return how many rows a proxy's maker asks at most beyond ``fit`` and ``select``; 0 for most."""
    return item.recipe.extra(parts) if isinstance(item.recipe, Beyond) else 0


def note(folder: Path, before: Keys, after: Keys) -> None:
    """Write the keys that are in `after` alone; no file where there are none."""
    new = np.setdiff1d(after, before)
    if not len(new):
        return
    folder.mkdir(parents=True, exist_ok=True)
    texts = [key.ljust(16, b"\0").hex() for key in new.tolist()] if new.dtype.kind == "S" else new.tolist()
    data = {"keys": "content" if new.dtype.kind == "S" else "recorded", "rows": texts}
    (folder / FILE).write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def noted(folder: Path) -> Keys | None:
    """Return the keys that `note` wrote; None where nothing was asked beyond.

    Raises
    ------
    BrokenRun
        If the file is not what `note` writes.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["keys"] == "recorded":
            return np.array([str(text) for text in data["rows"]], dtype=str)
        return np.array([bytes.fromhex(text) for text in data["rows"]], dtype="S16")
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenRun(f"{file} does not tell which rows were asked: {error!r}; start a new run") from error
