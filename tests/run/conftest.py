from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim, Finding, Severity, Transfer, Verdict
from kdaudit.interval import Interval, unknown
from kdaudit.rules import Rule, Rules
from kdaudit.run.evidence import write_evidence
from kdaudit.run.folder import RunFolder
from kdaudit.run.manifest import seal, seal_report
from kdaudit.run.reading import findings_data

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RULES = Rules("list", (Rule((), (0.25,), 7),), ("above",))


def evidence_of(proxy: str = "tree") -> Evidence:
    gap = Interval(0.04, 0.01, 0.07, 800, 0.95, "MOVER")
    row = Row("gap", "sex: female - male", "teacher", gap, "points", 800, no_control="the teacher", no_ceiling="none")
    other = Row(
        "agreement",
        "all",
        "teacher-proxy",
        Interval(0.9, 0.88, 0.92, 3000, 0.95, "Wilson"),
        "percent",
        asked=3000,
        control=Interval(0.7, 0.6, 0.8, 3000),
        excess=Interval(0.2, 0.1, 0.3, 3000),
        control_kind="label_only",
        no_ceiling="no twin",
        title="Agreement with the teacher",
    )
    lost = Row("kl", "all", "proxy", unknown("no scores"), "nats", no_control="no scores", no_ceiling="no scores")
    return Evidence(
        "probes/parity",
        "Are women and men scored above the line equally often?",
        (row, other, lost),
        (Claim("within 5 points", "gap", "sex: female - male", "within", 0.05, "teacher", "{value}"),),
        {"method": "PPI++", "sizes": [1, 2], "note": "é"},
        {"curve": np.linspace(0, 1, 5).reshape(5, 1), "counts": np.arange(3), "mask": np.array([True, False])},
        "transfer",
        proxy,
    )


def finding() -> Finding:
    known = Interval(0.04, 0.01, 0.07, 800, 0.95, "MOVER")
    return Finding(
        "probes/parity",
        "within 5 points",
        "gap",
        "sex: female - male",
        "within",
        0.05,
        "points",
        known,
        known,
        unknown("one"),
        Verdict.UNDECIDED,
        Transfer.UNDECIDED,
        Severity.OPEN,
        800,
        2000,
        "evidence/probes.parity.tree",
        "kdaudit audit audit.yaml",
        "tree",
    )


def sealed_run(runs: Path, seed: int = 0) -> Path:
    folder = RunFolder.create(runs, now=NOW, rng=np.random.default_rng(seed))
    with folder:
        folder.write_bytes("audit.yaml", b"kdaudit: 1\n")
        folder.write_json("plan.json", {"title": "a plan", "seed": 3})
        folder.write_json("environment.json", {"python": "3"})
        folder.log(NOW, "begun")
        for proxy in ("tree", "list"):
            write_evidence(folder, evidence_of(proxy))
            folder.write_json(f"proxies/{proxy}/card.json", {"name": proxy, "size": {"leaves": 1}})
        folder.write_json("proxies/tree/rules.json", RULES.to_data())
        folder.write_bytes("answers/ffff/score.parquet", b"PAR1 answers PAR1")
        folder.write_json("findings.json", findings_data([finding()]))
        folder.write_json("account.json", {"title": "A", "proxies": ["tree", "list"]})
        seal(folder, "complete")
        folder.write_bytes("report/report.html", b"<!doctype html>")
        folder.write_bytes("report/figures/one.svg", b"<svg/>")
        seal_report(folder)
    return folder.path


@pytest.fixture
def run(tmp_path) -> Path:
    """The path of a sealed run with a report."""
    return sealed_run(tmp_path / "runs")


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    """A new run folder that holds nothing."""
    return RunFolder.create(tmp_path / "runs", now=NOW, rng=np.random.default_rng(1))


@pytest.fixture
def evidence() -> Evidence:
    """Evidence with three rows, a claim and three arrays."""
    return evidence_of()
