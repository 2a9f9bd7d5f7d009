"""Kills an audit at random moments and resumes it; run by test_killed.py in a process of its own.

The process imports everything once and forks for each run, so that a run costs what its work costs.
usage: python killing.py FOLDER KILLS SEED  ->  one JSON document on standard output
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

TEACHER = """
import json, os
from pathlib import Path
import numpy as np
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity

LOG = Path(__file__).with_name("asked.log")


class Teacher:
    outputs = ("above",)
    scale = "probability"
    offers = frozenset({SCORE, LABEL})
    form = None

    def __init__(self, name, weight):
        self.identity, self.weight = Identity(name, name[0].encode().hex() * 32), weight

    def answer(self, samples, signals, draw=0):
        asked = [f"{self.identity.name} {key.hex()}" for key in samples.keys().tolist()]
        with LOG.open("ab", buffering=0) as stream:
            stream.write((json.dumps(asked) + "\\n").encode())
        age, hours = samples.columns["age"], samples.columns["hours"]
        z = 0.05 * (age - 45) + 0.08 * (hours - 38) + self.weight * samples.columns["sex"]
        s = 1 / (1 + np.exp(-z))
        return Answers({SCORE: s[:, None], LABEL: (s > 0.5).astype(np.int64)})


def load():
    return Teacher("scorer", 0.9)


def other():
    return Teacher("other", -0.4)
"""
PLAN = """\
title: Is the scorer fair?
seed: 5
domain:
  fields:
    - {kind: real, name: age, low: 18, high: 90, integer: true}
    - {kind: real, name: hours, low: 1, high: 80}
    - {kind: category, name: sex, levels: [female, male], protected: true}
samples:
  file: rows.csv
  label: above
  parts: {fit: 250, select: 80, judge: 250, pool: 400}
teacher:
  name: scorer
  kind: python
  factory: "teacher.py:load"
  version: "1"
  strangers: [{name: other, kind: python, factory: "teacher.py:other", version: "1"}]
behaviours:
  - {name: scored above the line, outputs: [above]}
proxies:
  - {name: student, kind: student, hidden: [8], steps: 25}
  - {name: tree, kind: tree, leaves: 4, queries: 1}
compare:
  - {name: fidelity, kind: fidelity, by: [sex]}
  - {name: rulebook, kind: rulebook, proxies: [tree]}
probes:
  - {name: sex, kind: parity, field: sex, questions: 150}
  - {name: flip, kind: flip, field: sex, level: female, other: male, questions: 60}
budget: {questions: 3000}
"""
BATCH = 64
"""Rows a batch: several batches a part, so that a kill can fall between two."""


def prepare(folder: Path) -> None:
    rng = np.random.default_rng(5)
    n = 1000
    age, hours = rng.integers(18, 91, n), np.round(rng.uniform(1, 80, n), 2)
    sex, above = rng.choice(["female", "male"], n), rng.integers(0, 2, n)
    pd.DataFrame({"age": age, "hours": hours, "sex": sex, "above": above}).to_csv(folder / "rows.csv", index=False)
    (folder / "teacher.py").write_text(TEACHER)
    (folder / "audit.yaml").write_text(PLAN)


def run(folder: Path, out: Path) -> None:
    """Run the plan, or go on with the run that lies unfinished in `out`."""
    from kdaudit.auditing import audits
    from kdaudit.errors import InvalidInput
    from kdaudit.store.answers import Store

    audits.Store = lambda place: Store(place, batch=BATCH)
    plan = folder / "audit.yaml"
    try:
        going_on = audits.unfinished(out, audits.read_plan(plan))
    except InvalidInput:
        going_on = None
    if going_on is None and any((path / "manifest.json").exists() for path in out.glob("0*")):
        return
    audits.audit(plan, out=out, resume=going_on, options=audits.Options(allow_code=True))


def forked(folder: Path, out: Path) -> int:
    child = os.fork()
    if child:
        return child
    try:
        run(folder, out)
        (folder / "modules.json").write_text(json.dumps(sorted(sys.modules)))
    except BaseException as error:  # noqa: BLE001 - a forked child must not go on as its parent
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


def files(out: Path) -> dict[str, str]:
    """Return the digests of all that must be the same bytes whatever happened on the way."""
    from kdaudit.digest import of_file
    from kdaudit.run.manifest import verify

    (path,) = [path for path in out.glob("0*") if (path / "manifest.json").exists()]
    assert not verify(path)
    kept = (p for p in path.rglob("*") if p.is_file())
    names = {p.relative_to(path).as_posix(): of_file(p) for p in kept}
    return {
        name: digest
        for name, digest in names.items()
        # the pid of a writer that was killed after its last file stays, and is no part of the run
        if name.split("/")[0] not in ("log.jsonl", "run.lock", "run.pid", "manifest.json")
    }


def differing(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Return the names of files that are missing, too many or not the same bytes."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def asked(folder: Path) -> list[list[str]]:
    log = folder / "asked.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def main(folder: Path, kills: int, seed: int) -> dict[str, object]:
    import torch

    torch.set_num_threads(1)
    prepare(folder)
    # a first run tells what a run loads: loaded here, before the forks that are killed, it is loaded once
    assert os.waitpid(forked(folder, folder / "first"), 0)[1] == 0
    for name in json.loads((folder / "modules.json").read_text()):
        if name not in sys.modules:
            with suppress(ImportError):
                importlib.import_module(name)
    (folder / "asked.log").unlink()
    start = time.monotonic()
    assert os.waitpid(forked(folder, folder / "whole"), 0)[1] == 0
    length = time.monotonic() - start
    expected, log = files(folder / "whole"), folder / "asked.log"
    once = Counter(row for batch in asked(folder) for row in batch)
    rng = np.random.default_rng(seed)
    results = []
    for number in range(kills):
        log.unlink(missing_ok=True)
        out = folder / f"killed-{number}"
        moment = float(rng.uniform(0.02, length))
        child = forked(folder, out)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        died = os.waitpid(child, 0)[1] != 0
        before = asked(folder)
        resumed = os.waitpid(forked(folder, out), 0)[1]
        counts = Counter(row for batch in asked(folder) for row in batch)
        twice = {row for row, times in counts.items() if times > 1}
        results.append(
            {
                "moment": round(moment, 3),
                "died": died,
                "resumed": resumed == 0,
                "differs": differing(files(out), expected) if resumed == 0 else ["not resumed"],
                "twice_outside_the_batch_in_flight": len(twice - set(before[-1] if before else [])),
                "twice": len(twice),
                "all_asked": set(counts) == set(once),
            }
        )
    return {"length": length, "once": max(once.values()), "rows": len(once), "kills": results}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
