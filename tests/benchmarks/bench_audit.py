"""What an audit costs and what its self-reported figures are worth."""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from kdaudit.auditing.audits import Options, audit, read_plan
from kdaudit.auditing.casting import load, open_teachers
from kdaudit.auditing.steps import load_parts
from kdaudit.cli.demo import PLANS
from kdaudit.data.sets import load_set
from kdaudit.domain import Category, Domain, Real
from kdaudit.interval import Interval
from kdaudit.run.reading import read
from kdaudit.samples import Origin, Samples
from kdaudit.signal import SCORE
from kdaudit.statistics.rates import mean

REPEATS = 5
SEEDS, FRESH = 20, 20_000
"""Audits of the bundled plan, and rows on which each of their proxies is measured afresh."""


def run(report, full: bool) -> None:
    keys(report)
    self_reports(report)


def self_reports(report) -> None:
    """Self-reported agreement of each proxy minus agreement measured afresh on rows that the run never saw."""
    if not os.environ.get("KDAUDIT_DATA"):
        print("self-reports: skipped, rows that no run saw need KDAUDIT_DATA")
        return
    differences: dict[str, list[float]] = {}
    covered, seconds = [], []
    rows = load_set("acs_income_full", Path(os.environ["KDAUDIT_DATA"]))
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(SEEDS):
            changes = (f"seed={seed}", "compare=[{name: fidelity, kind: fidelity, worst_slice: false}]", "probes=[]")
            start = time.perf_counter()
            done = audit(PLANS / "census.yaml", out=Path(folder) / "runs", options=Options(changes=changes))
            seconds.append(time.perf_counter() - start)
            for name, reported, measured in pairs(done.path, changes, rows, seed):
                differences.setdefault(name, []).append(100 * (reported.value - measured))
                covered.append(reported.low <= measured <= reported.high)
    every = [d for one in differences.values() for d in one]
    for name, one in differences.items():
        told(report, f"{name}: self-reported minus fresh agreement, points", one)
    told(report, "all proxies: self-reported minus fresh agreement, points", every)
    rate = mean(np.array(covered, dtype=float))
    what = "share of 95 % intervals that hold the fresh agreement"
    report.figure(what, rate.value, low=rate.low, high=rate.high, n=len(covered))
    report.figure("seconds of an audit without probes", statistics.median(seconds), n=SEEDS)


def told(report, what: str, values: list[float]) -> None:
    """Say mean signed and mean absolute difference, with intervals over the audits."""
    for kind, numbers, target in (("signed", values, ""), ("absolute", np.abs(values), "<= 1")):
        found = mean(np.array(numbers))
        report.figure(f"{what}, mean {kind}", found.value, low=found.low, high=found.high, n=len(values), target=target)
    report.figure(f"{what}, size of the mean", abs(statistics.fmean(values)), n=len(values), target="<= 0.5")


def unseen(rows: Samples, parts: dict[str, Samples], seed: int) -> Samples:
    """Return people who are in no part of the run, without those who are alike in every field to one of the makers'.

    Rows whose content stands in judge or pool stay: the population has them, and no maker saw them.
    """
    made_from = np.concatenate([parts[part].keys() for part in ("fit", "select")])
    new = np.flatnonzero(~np.isin(rows.keys(), made_from))
    return rows.take(np.random.default_rng(seed).choice(new, FRESH, replace=False))


def pairs(path: Path, changes: tuple[str, ...], rows: Samples, seed: int) -> list[tuple[str, Interval, float]]:
    """Return for each proxy of a run its name, what the run says of its agreement, and its agreement on fresh rows."""
    plan = read_plan(PLANS / "census.yaml", changes)
    parts = load_parts(plan, None)
    teacher = open_teachers(plan, parts, allow_code=False).teacher
    fresh = unseen(rows, parts, seed)
    theirs = teacher.answer(fresh, {SCORE}).label
    out = []
    for name in read(path).cards:
        row = read(path).evidence[f"compare.fidelity.{name}"].row("agreement", "all", "proxy")
        ours = load(path / "proxies" / name).answer(fresh, {SCORE}).label
        out.append((name, row.value, float((ours == theirs).mean())))
    return out


def keys(report, rows: int = 1_000_000) -> None:
    """Seconds to key a million rows of 30 columns, 20 reals and 10 categories, on one core."""
    draw = np.random.default_rng(0)
    levels = tuple(f"level {i}" for i in range(12))
    reals = tuple(Real(f"r{i}", missing=True) for i in range(20))
    categories = tuple(Category(f"c{i}", levels, missing=True) for i in range(10))
    columns = {f.name: draw.normal(size=rows) for f in reals}
    columns |= {f.name: draw.integers(-1, len(levels), rows, dtype=np.int32) for f in categories}
    domain = Domain(reals + categories)
    seconds = []
    for _ in range(REPEATS):
        samples = Samples(domain, columns, np.arange(rows), Origin("drawn at random"))
        start = time.process_time()  # of this process, whatever else the machine does
        samples.keys()
        seconds.append(time.process_time() - start)
    report.figure(
        "seconds to key 1,000,000 rows of 30 columns",
        statistics.median(seconds),
        low=min(seconds),
        high=max(seconds),
        n=REPEATS,
        target="<= 5",
    )
