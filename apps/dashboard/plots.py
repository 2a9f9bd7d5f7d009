"""The transfer plot to look into: marks, colours and words as in the report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from kdaudit.report.document import Contrast, TransferPlot
from kdaudit.report.planes import limit, points
from kdaudit.report.style import DARK, LIGHT
from kdaudit.report.words import SIGNS, clean, cut, whole

CONFIG = {"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False}
"""No button that sends a chart away."""
LONGEST = 26
NARROW = (240.0, 400.0)
"""Pixels across and up that the plane has at least: on a telephone."""
LETTER = (5.5, 14.0)
"""Pixels that a letter of a label takes."""
PLACES = ("middle right", "middle left", "top center", "bottom center")


def palette(*, dark: bool) -> dict[str, str]:
    """Return the report's colours by name."""
    pairs = (item.split(":") for item in (DARK if dark else LIGHT).split(";"))
    return {name.removeprefix("--"): colour for name, colour in pairs}


def transfer(plot: TransferPlot, *, dark: bool) -> go.Figure:
    """Return the plane of the teacher's gap against the proxy's.

    Numbers in percent or points are drawn in points.
    """
    colours, factor = palette(dark=dark), 100.0 if plot.unit in ("percent", "points") else 1.0
    end, margin = limit(plot) * factor, plot.margin * factor
    figure = go.Figure()
    for x0, x1, y0, y1 in ((-margin, margin, -end, end), (-end, end, -margin, margin)):
        figure.add_shape(
            type="rect", x0=x0, x1=x1, y0=y0, y1=y1, fillcolor=colours["zone"], line_width=0, layer="below"
        )
    figure.add_shape(
        type="line", x0=-end, x1=end, y0=-end, y1=end, line={"color": colours["rule"], "dash": "dash"}, layer="below"
    )
    for text, x, y in (("CARRIED", 0.85, 0.95), ("INVENTED", 0.0, 0.95), ("MASKED", 0.85, 0.0)):
        figure.add_annotation(
            text=text, x=x * end, y=y * end, showarrow=False, font={"size": 10, "color": colours["soft"]}
        )
    for at, name in enumerate(_proxies(plot)):
        figure.add_trace(_trace(plot, name, colours, factor, lead=at == 0))
    axis = {"range": [-end, end], "zeroline": False, "gridcolor": colours["rule"], "ticksuffix": ""}
    unit = f", {escape(plot.unit)}" if plot.unit else ""
    figure.update_layout(
        xaxis={**axis, "title": f"gap in the teacher{unit}"},
        yaxis={**axis, "title": f"gap in the proxy{unit}"},
        height=520,
        margin={"l": 60, "r": 10, "t": 10, "b": 50},
        legend={"orientation": "h", "y": 1.08},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _proxies(plot: TransferPlot) -> list[str]:
    return list(dict.fromkeys(s.proxy_name for _, shown in points(plot) for s in shown))


def _trace(plot: TransferPlot, name: str, colours: dict[str, str], factor: float, *, lead: bool) -> go.Scatter:
    found = [(c, s) for c, shown in points(plot) for s in shown if s.proxy_name == name]
    across, up = [c.teacher for c, _ in found], [s.value for _, s in found]
    # plotly reads marked-up text: what comes from data is escaped
    names = [cut(clean(c.label), LONGEST) for c, _ in found]
    marks = [(c.teacher.value, s.value.value) for c, shown in points(plot) for s in shown]
    placed = places([(c.teacher.value, s.value.value) for c, s in found], names, marks, limit(plot))
    # a space on either side keeps a label off its mark and whisker
    labels = [f"\u2002{escape(text)}\u2002" if place else "" for text, place in zip(names, placed, strict=True)]
    hover = [
        escape(f"{clean(c.label)}: teacher {whole(c.teacher, c.unit, signed=True)}, ")
        + escape(f"{clean(name)} {whole(s.value, c.unit, signed=True)}, {s.transfer}")
        for c, s in found
    ]
    marker = {"symbol": "diamond" if lead else "diamond-open", "size": 11 if lead else 9, "color": colours["proxy"]}
    return go.Scatter(
        x=[factor * i.value for i in across],
        y=[factor * i.value for i in up],
        error_x=_whisker([(i.value, i.low, i.high) for i in across], factor, colours["teacher"]) if lead else None,
        error_y=_whisker([(i.value, i.low, i.high) for i in up], factor, colours["proxy"]),
        mode="markers+text" if lead else "markers",
        text=labels if lead else None,
        textposition=[place or PLACES[0] for place in placed],
        hovertext=hover,
        hoverinfo="text",
        marker=marker,
        name=escape(cut(clean(name), LONGEST)),
    )


def places(
    at: Sequence[tuple[float, float]], names: Sequence[str], marks: Sequence[tuple[float, float]], end: float
) -> list[str]:
    """Return on which side of its point each label stands; empty where none is free, on the narrowest page.

    A label that stands nowhere is read by pointing at its mark, and in the table below.
    """
    taken = [_box(_pixel(mark, end), (8.0, 8.0)) for mark in marks]
    out = []
    for point, name in zip(at, names, strict=True):
        size, (x, y) = (LETTER[0] * len(name), LETTER[1]), _pixel(point, end)
        aside, above = size[0] / 2 + 11, 15.0
        middles = ((x + aside, y), (x - aside, y), (x, y + above), (x, y - above))
        boxes = {place: _box(middle, size) for place, middle in zip(PLACES, middles, strict=True)}
        free = [place for place, box in boxes.items() if _inside(box) and not any(_meet(box, b) for b in taken)]
        out.append(free[0] if free else "")
        taken += [boxes[place] for place in free[:1]]
    return out


def _pixel(point: tuple[float, float], end: float) -> tuple[float, float]:
    x, y = ((value / end + 1) / 2 * pixels for value, pixels in zip(point, NARROW, strict=True))
    return x, y


def _box(middle: tuple[float, float], size: tuple[float, float]) -> tuple[float, float, float, float]:
    (x, y), (width, height) = middle, size
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _inside(box: tuple[float, float, float, float]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= NARROW[0] and box[3] <= NARROW[1]


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _whisker(ends: Sequence[tuple[float, float, float]], factor: float, colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [factor * (high - value) for value, _, high in ends],
        "arrayminus": [factor * (value - low) for value, low, _ in ends],
        "color": colour,
        "thickness": 2,
        "width": 0,
    }


def table(contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """Return the contrasts as a table of texts: the twin of every picture of them."""
    rows = [
        {
            "claim about": clean(c.label),
            "question": clean(c.question),
            "verdict": f"{SIGNS[c.verdict]} {c.verdict}",
            "teacher": whole(c.teacher, c.unit, signed=True),
            "proxy": clean(s.proxy_name),
            "shows": whole(s.value, c.unit, signed=True),
            "difference": whole(s.difference, c.unit, signed=True),
            "transfer": str(s.transfer),
            "asked": c.asked,
            "needed": "" if c.needed is None else f"{c.needed:,}",
        }
        for c in contrasts
        for s in c.shown
    ]
    return pd.DataFrame(rows)


def chart(figure: go.Figure, *, alt: str, twin: pd.DataFrame, key: str) -> None:
    """Show a figure with words for those who do not see it, and the same numbers as a table below."""
    st.plotly_chart(figure, config=CONFIG, alt=alt, key=key, theme="streamlit")
    with st.expander("The same as a table"):
        st.dataframe(twin, hide_index=True, alt=f"{alt}, as a table", key=f"{key}-table")
