"""Findings as JUnit XML, which pipelines read: a fault is a failure, what is undecided is an error and never a pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kdaudit.report.document import Document
from kdaudit.report.words import clean

Findings = list[Mapping[str, Any]]
TAGS = {"FAILS": "failure", "UNDECIDED": "error"}


def render(document: Document) -> bytes:
    """Return one test case for each finding; a question is a test suite.

    Time, host and path are not written: the same run gives the same bytes.
    """
    findings: Findings = list(document.data.get("findings", []))
    suites: dict[str, Findings] = {}
    for finding in findings:
        suites.setdefault(str(finding["question"]), []).append(finding)
    root = Element("testsuites", {"name": clean(document.title), **_counts(findings)})
    for name, found in suites.items():
        suite = SubElement(root, "testsuite", {"name": clean(name), **_counts(found)})
        for finding in found:
            _case(suite, finding)
    indent(root)
    head, body = '<?xml version="1.0" encoding="UTF-8"?>', str(tostring(root, encoding="unicode"))
    return f"{head}\n{body}\n".encode()


def _counts(findings: Findings) -> dict[str, str]:
    verdicts = [str(finding["verdict"]) for finding in findings]
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count("FAILS")),
        "errors": str(verdicts.count("UNDECIDED")),
    }


def _case(suite: Element, finding: Mapping[str, Any]) -> None:
    who = f" [{finding['proxy_name']}]" if finding.get("proxy_name") else ""
    name = clean(f"{finding['claim']}{who}")
    case = SubElement(suite, "testcase", classname=clean(str(finding["question"])), name=name)
    told = clean(str(finding["sentence"] or finding["claim"]))
    verdict = str(finding["verdict"])
    if verdict in TAGS:
        fault = SubElement(case, TAGS[verdict], message=told, type=verdict)
        fault.text = clean(_detail(finding))
    else:
        SubElement(case, "system-out").text = told


def _detail(finding: Mapping[str, Any]) -> str:
    lines = [f"transfer: {finding['transfer']}", f"rows asked: {finding['asked']}"]
    if finding.get("needed"):
        lines.append(f"rows that would decide it: {finding['needed']}")
    if finding.get("reason"):
        lines.append(str(finding["reason"]))
    lines.append(f"repeat: {finding['repeat']}")
    return "; ".join(lines)
