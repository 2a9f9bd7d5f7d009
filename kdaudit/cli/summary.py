"""What a run found, in lines that are understood without the report."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from kdaudit.auditing.audits import Audit
    from kdaudit.finding import Finding
    from kdaudit.run.reading import Run

SIGN = {"HOLDS": "✓", "FAILS": "✕", "UNDECIDED": "?"}
COLOUR = {"HOLDS": "green", "FAILS": "red", "UNDECIDED": "yellow"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return `text` without control characters, so that data cannot steer the terminal."""
    return _CONTROL.sub("", text)


def print_summary(done: Audit) -> None:
    """Print what an audit found, where its report is and what it cost."""
    typer.echo(summary(done.path))
    typer.echo(f"\nQuestions to the teacher: {done.asked:,} used, {done.new:,} of them newly asked.")
    for name in done.failed:
        typer.echo(f"Not asked: {name}")
    report = done.path / "report" / "report.html"
    if report.is_file():
        typer.echo(f"Report: {report}")


def print_json(done: Audit) -> None:
    """Print the findings with the run's folder and cost as one JSON document."""
    data = {"run": str(done.path), "asked": done.asked, "new": done.new, "failed": list(done.failed)}
    data |= {"findings": [finding.to_data() for finding in done.findings]}
    typer.echo(json.dumps(data, indent=2, sort_keys=True, allow_nan=False))


def findings_json(path: Path) -> str:
    """Return the findings of a run as JSON text."""
    from kdaudit.run.reading import read

    run = read(path)
    data = {"run": path.name, "account": run.account, "findings": [f.to_data() for f in run.findings]}
    return json.dumps(data, indent=2, sort_keys=True, allow_nan=False)


def counts(path: Path) -> dict[str, Any]:
    """Return title, status and number of each verdict of a run; a run that was cut off says so."""
    from kdaudit.run.reading import read

    if not (path / "manifest.json").is_file():
        return {"title": "", "status": "unfinished", "verdicts": ""}
    run = read(path)
    numbers = {verdict: sum(f.verdict == verdict for f in run.findings) for verdict in SIGN}
    words = ", ".join(f"{n} {verdict}" for verdict, n in numbers.items() if n)
    return {"title": run.account["title"], "status": (run.manifest or {}).get("status", "?"), "verdicts": words}


def summary(path: Path) -> str:
    """Return what a run found: the answer, each finding about the teacher, and how far the proxies can be believed."""
    from kdaudit.report.verdict import headline
    from kdaudit.run.reading import read

    run = read(path)
    head = headline(run)
    lines = [run.account["title"], _chip(str(head.verdict)) + "  " + head.sentence]
    lines += [f"  {sentence}" for sentence in head.further]
    lines += ["", "What the teacher does, and whether the proxies show it"]
    for key, findings in _by_claim([f for f in run.findings if f.transfer != "NOT APPLICABLE"]).items():
        first = findings[0]
        lines.append(f"{_chip(first.verdict)}  {key[0]}: {first.sentence}")
        lines.append(f"             {_shown(findings)}")
        lines.append(f"             asked {first.asked:,}" + _needed(first))
    judged = [finding for finding in run.findings if finding.transfer == "NOT APPLICABLE"]
    lines += ["", "How far the proxies can be believed"] if judged else []
    lines += [f"{_chip(finding.verdict)}  {finding.proxy_name}: {finding.sentence}" for finding in judged]
    lines += _not_tested(run)
    return "\n".join(plain(line) if not sys.stdout.isatty() else line for line in lines)


def _by_claim(findings: list[Finding]) -> dict[tuple[str, str, str], list[Finding]]:
    out: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        out.setdefault((finding.question, finding.claim, finding.group), []).append(finding)
    return out


def _shown(findings: list[Finding]) -> str:
    """Return what each proxy shows; values that were counted say so once for all."""
    texts = [f.proxy.text(f.unit, signed=True) for f in findings]
    tails = {text.partition(" (exact")[2] for text in texts}
    head = "proxies"
    if len(tails) == 1 and tails != {""}:
        head = f"proxies (exact{tails.pop()}"
        texts = [text.partition(" (exact")[0] for text in texts]
    return f"{head}: " + ", ".join(
        f"{f.proxy_name} {text} {f.transfer}" for f, text in zip(findings, texts, strict=True)
    )


def _needed(finding: Finding) -> str:
    if finding.verdict != "UNDECIDED":
        return ""
    more = f"; about {finding.needed:,} questions would decide it" if finding.needed else ""
    return more + (f" ({finding.reason})" if finding.reason else "")


def _not_tested(run: Run) -> list[str]:
    words = [str(w) for w in run.account.get("not_tested", ())]
    words += [f"{one['question']}: {one['reason']}" for one in run.account.get("failed_questions", ())]
    return ["", "Not tested", *(f"  {w}" for w in words)] if words else []


def _chip(verdict: str) -> str:
    text = f"{SIGN[verdict]} {verdict:<9}"
    return typer.style(text, fg=COLOUR[verdict], bold=True) if sys.stdout.isatty() else text
