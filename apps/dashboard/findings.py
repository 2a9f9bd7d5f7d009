"""Findings: a table to filter, one finding in detail, and the transfer plot."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import frame
import plots
import streamlit as st

from kdaudit.finding import Verdict
from kdaudit.report.bias import plottable, strips_behind
from kdaudit.report.contrasts import contrasts, measure_words
from kdaudit.report.document import Block, Contrast, Paragraph, TransferPlot, TransferTable
from kdaudit.report.words import clean
from kdaudit.run.reading import Run


def show() -> None:
    """Draw the page."""
    run = frame.opened()
    if run is None:
        return
    st.title("Findings", anchor=False)
    found = contrasts(run)
    if not found:
        st.info("This run claims nothing about the teacher.")
        return
    chosen = _filtered(found)
    if not chosen:
        st.info("No finding meets these filters.")
        return
    st.dataframe(plots.table(chosen), hide_index=True, alt="Findings that meet the filters", key="findings")
    _planes(run, chosen)
    _detail(run, chosen)


def _filtered(found: tuple[Contrast, ...]) -> tuple[Contrast, ...]:
    left, middle, right = st.columns(3)
    questions = list(dict.fromkeys(c.question for c in found))
    proxies = list(dict.fromkeys(s.proxy_name for c in found for s in c.shown))
    asked = left.multiselect("Question", questions, key="question", bind="query-params", placeholder="all")
    verdicts = middle.multiselect(
        "Verdict", [str(v) for v in Verdict], key="verdict", bind="query-params", placeholder="all"
    )
    shown = right.multiselect("Proxy", proxies, key="proxy", bind="query-params", placeholder="all")
    return tuple(
        _of_proxies(c, shown)
        for c in found
        if (not asked or c.question in asked)
        and (not verdicts or c.verdict in verdicts)
        and (not shown or any(s.proxy_name in shown for s in c.shown))
    )


def _of_proxies(contrast: Contrast, names: list[str]) -> Contrast:
    return replace(contrast, shown=tuple(s for s in contrast.shown if not names or s.proxy_name in names))


def _planes(run: Run, chosen: tuple[Contrast, ...]) -> None:
    def kind(c: Contrast) -> tuple[str, str, str, float]:
        return (c.measure, c.unit, c.form, c.margin)

    for at, (_, same) in enumerate(groupby(sorted(chosen, key=kind), key=kind)):
        group = tuple(same)
        if not plottable(group):
            continue
        plot = TransferPlot(group, group[0].unit, group[0].margin)
        st.subheader("What the proxies show against what the teacher does", anchor=False)
        titles = (row.title for e in run.evidence.values() for row in e.rows if row.measure == group[0].measure)
        st.text(clean(measure_words(group[0].measure, titles)))
        alt = f"Gap in the teacher against gap in the proxy for {len(group)} claims"
        plots.chart(plots.transfer(plot, dark=frame.dark()), alt=alt, twin=plots.table(group), key=f"plane-{at}")


def _detail(run: Run, chosen: tuple[Contrast, ...]) -> None:
    st.subheader("One finding", anchor=False)
    names = {f"{c.question}: {c.label}": c for c in chosen}
    name = st.selectbox("Finding", list(names), key="finding", bind="query-params")
    contrast = names.get(str(name), chosen[0])
    parts: list[Block] = [Paragraph(contrast.sentence), Paragraph(f"Claim: {contrast.claim}.", quiet=True)]
    parts += [Paragraph(contrast.reason, quiet=True)] if contrast.reason else []
    frame.blocks([*parts, TransferTable((contrast,)), *strips_behind(run, contrast)])
    commands = sorted({f.repeat for f in run.findings if f.question == contrast.question and f.repeat})
    for command in commands:
        st.code(command, language=None)
