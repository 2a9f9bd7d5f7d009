from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

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
  parts: {teacher: 200, fit: 200, select: 80, judge: 200, pool: 300}
teacher: {name: scorer, kind: trained, part: teacher, hidden: [4], steps: 40}
behaviours:
  - {name: scored above the line, outputs: [above]}
proxies:
  - {name: student, kind: student, hidden: [4], steps: 40}
  - {name: tree, kind: tree, leaves: 4}
compare:
  - {name: fidelity, kind: fidelity, by: [sex]}
  - {name: rulebook, kind: rulebook, proxies: [tree]}
probes:
  - {name: sex, kind: parity, field: sex, questions: 100}
  - {name: flip, kind: flip, field: sex, level: female, other: male, questions: 50}
budget: {questions: 2000}
"""
PYTHON = 'teacher: {name: scorer, kind: python, factory: "teacher.py:load", version: "1"}'
TRAINED = "teacher: {name: scorer, kind: trained, part: teacher, hidden: [4], steps: 40}"


class Case:
    """A plan's folder that a test may spoil."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.plan, self.rows, self.out = (
            folder,
            folder / "audit.yaml",
            folder / "rows.csv",
            folder / "runs",
        )
        rng = np.random.default_rng(5)
        n = 1000
        age, hours = rng.integers(18, 91, n), np.round(rng.uniform(1, 80, n), 2)
        sex = rng.choice(["female", "male"], n)
        above = (age / 90 + hours / 80 + 0.4 * (sex == "male") + rng.normal(0, 0.2, n) > 1.3).astype(int)
        pd.DataFrame({"age": age, "hours": hours, "sex": sex, "above": above}).to_csv(self.rows, index=False)
        self.plan.write_text(PLAN)

    def change(self, old: str, new: str) -> None:
        text = self.plan.read_text()
        assert old in text
        self.plan.write_text(text.replace(old, new, 1))

    def teacher(self, body: str) -> None:
        """Let a function of the plan's own file answer; `body` follows ``def score(frame):``."""
        self.change(TRAINED, PYTHON)
        code = f"import numpy as np\n\n\ndef score(frame):\n    {body}\n\n\ndef load():\n    return score\n"
        (self.folder / "teacher.py").write_text(code)

    @property
    def runs(self) -> list[Path]:
        return [path for path in sorted(self.out.glob("0*")) if path.is_dir()] if self.out.exists() else []

    def arguments(self, *more: str) -> list[str]:
        return ["audit", str(self.plan), "--out", str(self.out), *more]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)
