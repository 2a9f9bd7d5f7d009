"""Kills an audit in the middle of a search and resumes it; run by test_search_killed.py in a process of its own.

usage: python killing_searches.py FOLDER TRIALS...  ->  one JSON document on standard output
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

_spec = importlib.util.spec_from_file_location("killing", Path(__file__).with_name("killing.py"))
killing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(killing)
SEARCH = "{name: found, kind: search, sizes: [[2], [4], [8]], trials: 5, steps: 40, batch: 64, parameters: 60}"


def prepare(folder: Path) -> None:
    killing.prepare(folder)
    head, _, rest = killing.PLAN.partition("proxies:")
    questions = rest[rest.index("compare:") :].replace("proxies: [tree]", "proxies: [found]")
    rulebook = next(line for line in questions.splitlines() if "rulebook" in line)
    text = f"{head}proxies:\n  - {SEARCH}\n{questions.replace(rulebook, '')}"
    (folder / "audit.yaml").write_text(text)


def told(out: Path) -> int:
    """Return how many trials of searches lie finished on workbenches."""
    count = 0
    for file in out.glob("0*/proxies/found/**/making/*.sqlite"):
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.01)) as connection:
                count += connection.execute("SELECT COUNT(*) FROM trials WHERE state = 'COMPLETE'").fetchone()[0]
        except sqlite3.Error:
            continue
    return count


def main(folder: Path, moments: list[int]) -> dict[str, object]:
    import torch

    import kdaudit.auditing.audits
    import kdaudit.compare.fidelities
    import kdaudit.distillation.searching
    import kdaudit.probe.counterfactuals
    import kdaudit.probe.groups  # noqa: F401 - imported before the first fork

    torch.set_num_threads(1)
    prepare(folder)
    assert os.waitpid(killing.forked(folder, folder / "whole"), 0)[1] == 0
    expected, results = killing.files(folder / "whole"), []
    for trials in moments:
        out = folder / f"killed-{trials}"
        child = killing.forked(folder, out)
        while told(out) < trials and os.waitpid(child, os.WNOHANG)[0] == 0:
            time.sleep(0.01)
        left = told(out)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        resumed = os.waitpid(killing.forked(folder, out), 0)[1]
        differs = killing.differing(killing.files(out), expected)
        benches = [str(path) for path in out.rglob("making")]
        results.append({"left": left, "resumed": resumed == 0, "differs": differs, "benches": benches})
    return {"kills": results}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), [int(text) for text in sys.argv[2:]])))
