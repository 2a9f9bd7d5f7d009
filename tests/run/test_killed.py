"""A process that is killed at any moment loses nothing but the batch in flight."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from kdaudit.run.manifest import verify

ROWS, BATCH = 480, 8
CHILD = """
import os, sys, time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from kdaudit.domain import Domain, Real
from kdaudit.run.folder import RunFolder
from kdaudit.run.journal import Journal
from kdaudit.run.manifest import seal
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LOGIT, SCORE
from kdaudit.store.answers import Store
from kdaudit.subject import Answers, Identity

root, rows, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


class Slow:
    identity, outputs, scale, form = Identity("slow", "5" * 64), ("above",), "probability", None
    offers = frozenset({LOGIT})

    def answer(self, samples, signals, draw=0):
        x = samples.columns["x"]
        with (root / "asked").open("ab", buffering=0) as log:
            log.write((" ".join(f"{v:g}" for v in x) + "\\n").encode())
        time.sleep(0.012)
        return Answers({LOGIT: np.sin(x)[:, None]})


x = np.arange(float(rows))
samples = Samples(Domain((Real("x"),)), {"x": x}, np.arange(rows), Origin("made up"))
path = root / "runs" / "run"
path.mkdir(parents=True, exist_ok=True)
store = Store(root / "runs" / "answers", batch=batch)
with RunFolder(path) as folder:
    folder.write_json("plan.json", {"rows": rows})
    with Journal(path / "journal.sqlite") as journal:
        for step in range(3):
            part = samples.take(np.arange(step * rows // 3, (step + 1) * rows // 3))
            mean = store.ask(Slow(), part, (SCORE,)).score.mean()
            if journal.finished(f"step {step}") is None:
                folder.write_json(f"evidence/{step}.json", {"mean": float(mean)})
                journal.finish(f"step {step}", [f"evidence/{step}.json"])
    store.seal(path / "answers")
    seal(folder, "complete")
"""


def _bytes_of(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}


def _go(root: Path, *, kill_after: float | None) -> tuple[int, float]:
    command = [sys.executable, "-c", CHILD, str(root), str(ROWS), str(BATCH)]
    begun, asked = time.perf_counter(), root / "asked"
    before = asked.stat().st_size if asked.exists() else 0
    child = subprocess.Popen(command)
    if kill_after is not None:
        # counted from the first row that it asks: before that there is nothing to lose
        while child.poll() is None and not (asked.exists() and asked.stat().st_size > before):
            time.sleep(0.002)
        time.sleep(kill_after)
        child.send_signal(signal.SIGKILL)
    return child.wait(), time.perf_counter() - begun


def test_killed_at_random_moments_and_resumed(tmp_path):
    calm, hard = tmp_path / "calm", tmp_path / "hard"
    for root in (calm, hard):
        root.mkdir()
    assert _go(calm, kill_after=None)[0] == 0
    rng, kills = np.random.default_rng(7), 0
    for _ in range(8):
        kills += _go(hard, kill_after=float(rng.uniform(0, 0.12)))[0] == -signal.SIGKILL
    assert kills >= 6
    assert _go(hard, kill_after=None)[0] == 0
    assert _bytes_of(hard / "runs" / "run") == _bytes_of(calm / "runs" / "run")
    assert verify(hard / "runs" / "run") == ()
    batches = (hard / "asked").read_text().split("\n")[:-1]
    counts = Counter(row for batch in batches for row in batch.split())
    assert len(counts) == ROWS and sum(Counter((calm / "asked").read_text().split()).values()) == ROWS
    # each kill may have one batch in flight, and nothing else is ever asked twice
    assert sum(counts.values()) - ROWS <= kills * BATCH
    repeated = {batch for batch, times in Counter(batches).items() if times > 1}
    assert {row for row, times in counts.items() if times > 1} <= {row for batch in repeated for row in batch.split()}
