"""Run the benches beside this file: ``python tests/benchmarks/run.py [--only NAME] [--full]``.

Each ``bench_<name>.py`` offers ``run(report, full)`` and says each figure with ``report.figure(...)``.  They are
printed as tables and appended to ``benchmarks.jsonl``, one JSON line each, with the commit that they were measured at.
"""

import argparse
import importlib.util
import json
import math
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAMES = ("audit", "cost", "distil", "surrogates", "compare", "probe", "templates", "planted")
COLUMNS = ("bench", "measure", "value", "low", "high", "n", "target", "met", "peer", "commit")


class Report:
    """Where a bench says its figures.

    Parameters
    ----------
    bench : str
    commit : str
    file : Path
        Figures are appended here as they come, so that a bench that is stopped loses none.
    """

    def __init__(self, bench: str, commit: str, file: Path) -> None:
        self.bench, self.commit, self.file = bench, commit, file
        self.rows: list[dict[str, object]] = []

    def figure(self, measure: str, value: float, *, low=None, high=None, n=None, target: str = "", peer=None) -> None:
        """Say one figure; `target` is a text such as ``"<= 5"``; `peer` the same figure of another library."""
        # figures may come as numbers of numpy, which JSON does not know
        value = float(value)
        met = meets(value, target) if target else None
        row = dict(
            zip(COLUMNS, (self.bench, measure, value, low, high, n, target, met, peer, self.commit), strict=True)
        )
        row = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        self.rows.append(row)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def table(self) -> Table:
        """Return the figures as a table for people."""
        out = Table(title=f"bench {self.bench}")
        for name in COLUMNS[1:-1]:
            out.add_column(name, justify="left" if name in ("measure", "target", "met") else "right")
        for row in self.rows:
            out.add_row(*(_shown(row[name]) for name in COLUMNS[1:-1]))
        return out


def meets(value: float, target: str) -> bool:
    """Return whether `value` is as `target` says: ``"<= 5"``, ``"< 5"``, ``">= 5"`` or ``"> 5"``."""
    sign, _, bound = target.partition(" ")
    limit = float(bound)
    return {"<=": value <= limit, "<": value < limit, ">=": value >= limit, ">": value > limit}[sign]


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "NO"
        case float():
            return f"{value:.4g}"
        case _:
            return str(value)


def commit_of(root: Path) -> str:
    """Return the short commit, with ``+`` where files were changed since; empty without git."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def load(path: Path):
    """Return the bench in the file `path`."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(arguments: list[str], *, here: Path = HERE, file: Path = ROOT / "benchmarks.jsonl") -> int:
    """Run benches; return 0 if all targets that were measured are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=NAMES, help="the one bench to run")
    parser.add_argument(
        "--full", action="store_true", help="as large as it goes; without it a bench ends in 45 minutes"
    )
    chosen = parser.parse_args(arguments)
    found = [name for name in NAMES if (here / f"bench_{name}.py").exists() and chosen.only in (None, name)]
    if not found:
        print(f"there is no bench {chosen.only}; there are {', '.join(p.stem[6:] for p in here.glob('bench_*.py'))}")
        return 2
    console, missed = Console(), 0
    for name in found:
        report, start = Report(name, commit_of(ROOT), file), time.perf_counter()
        try:
            load(here / f"bench_{name}.py").run(report, chosen.full)
        finally:
            console.print(report.table())
        console.print(f"bench {name}: {len(report.rows)} figures in {time.perf_counter() - start:.0f} s\n")
        missed += sum(row["met"] is False for row in report.rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
