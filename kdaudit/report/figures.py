"""Evidence strips and their marks as SVG, built from numbers; every text is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable

from markupsafe import Markup

from kdaudit.evidence import Row
from kdaudit.interval import Interval
from kdaudit.report.words import clean, number, span, whole

WIDTH, HEIGHT, EDGE = 280.0, 28.0, 8.0
LETTER = 6.5
"""Width of a letter of a label, rather too much."""
MIDDLE = HEIGHT / 2


def elements(parts: Iterable[Markup]) -> Markup:
    """Join parts of a picture."""
    return Markup("").join(parts)


def svg(width: float, height: float, alt: str, parts: Iterable[Markup], *, kind: str) -> Markup:
    """Return a picture with its alternative text."""
    head = Markup('<svg class="{}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">')
    return head.format(kind, width, height, clean(alt)) + elements(parts) + Markup("</svg>")


def place(x: float, scale: tuple[float, float], width: float = WIDTH) -> float:
    """Return where a number lies on the drawn scale, clipped to its ends."""
    low, high = scale
    share = (x - low) / ((high - low) or 1.0)
    return EDGE + min(1.0, max(0.0, share)) * (width - 2 * EDGE)


def strip(row: Row, scale: tuple[float, float]) -> Markup:
    """Return one row on its scale: grey bar control, dotted bracket ceiling, mark with whisker value."""
    parts = [Markup('<path d="M{:.1f} {m}H{:.1f}" stroke="var(--rule)"/>').format(EDGE, WIDTH - EDGE, m=MIDDLE)]
    if scale[0] < 0.0 < scale[1]:
        zero = Markup('<path d="M{:.1f} 4V24" stroke="var(--rule)"/>')
        parts.append(zero.format(place(0.0, scale)))
    if row.control is not None and row.control.known:
        parts.append(control_bar(row.control, scale))
    if row.ceiling is not None and row.ceiling.known:
        parts.append(bracket(row.ceiling, scale))
    if row.value.known:
        low, high, at = (place(x, scale) for x in (row.value.low, row.value.high, row.value.value))
        parts.append(whisker(low, high, "teacher" if row.of == "teacher" else "proxy"))
        parts.append(mark(at, MIDDLE, "teacher" if row.of == "teacher" else "proxy"))
    return svg(WIDTH, HEIGHT, _alt(row), parts, kind="strip")


def control_bar(control: Interval, scale: tuple[float, float]) -> Markup:
    """Return the grey bar from end to end of the control's interval, with a stroke at its value."""
    low, high, at = (place(x, scale) for x in (control.low, control.high, control.value))
    left, wide = (low, high - low) if high - low >= 2 else ((low + high) / 2 - 1, 2.0)
    bar = Markup('<rect x="{:.1f}" y="7" width="{:.1f}" height="14" fill="var(--band)"/>').format(left, wide)
    return bar + Markup('<path d="M{:.1f} 6V22" stroke="var(--control)" stroke-width="2"/>').format(at)


def bracket(ceiling: Interval, scale: tuple[float, float]) -> Markup:
    """Return the dotted bracket: a stroke at the ceiling's value, feet from end to end of its interval."""
    low, high, at = (place(x, scale) for x in (ceiling.low, ceiling.high, ceiling.value))
    low, high = min(low, at - 3), max(high, at + 3)
    path = Markup('<path d="M{a:.1f} 5V23M{l:.1f} 5H{h:.1f}M{l:.1f} 23H{h:.1f}" class="ceiling"/>')
    return path.format(a=at, l=low, h=high)


def whisker(low: float, high: float, who: str) -> Markup:
    """Return the line of a value's interval."""
    line = Markup('<path d="M{:.1f} {m}H{:.1f}" stroke="var(--{who})" stroke-width="2.5"/>')
    return line.format(low, high, m=MIDDLE, who=who)


def mark(x: float, y: float, who: str, size: float = 4.5) -> Markup:
    """Return the mark of a subject: teacher a circle, proxy a diamond."""
    if who == "teacher":
        return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="var(--teacher)"/>').format(x, y, size)
    s = size + 1
    path = Markup('<path d="M{:.1f} {:.1f}l{s:.1f} {s:.1f}l-{s:.1f} {s:.1f}l-{s:.1f} -{s:.1f}z" fill="var(--proxy)"/>')
    return path.format(x, y - s, s=s)


def axis(scale: tuple[float, float], unit: str) -> Markup:
    """Return the labelled ends of a scale, to stand above its strips."""
    low, high = scale
    parts = [Markup('<path d="M{e} 13v5H{f:.0f}v-5" stroke="var(--rule)" fill="none"/>').format(e=EDGE, f=WIDTH - EDGE)]
    ends = ((low, EDGE, "start"), (high, WIDTH - EDGE, "end"))
    for x, at, anchor in ends:
        text = Markup('<text x="{:.0f}" y="10" text-anchor="{}">{}</text>')
        parts.append(text.format(at, anchor, clean(number(x, unit))))
    if low < 0.0 < high:
        at = place(0.0, scale)
        parts.append(Markup('<path d="M{:.1f} 13v5" stroke="var(--rule)"/>').format(at))
        left, right = (EDGE + LETTER * (len(number(x, unit)) + 1) for x in scale)
        if left < at < WIDTH - right:
            parts.append(Markup('<text x="{:.1f}" y="10" text-anchor="middle">0</text>').format(at))
    alt = f"scale from {number(low, unit)} to {number(high, unit)}"
    return svg(WIDTH, 19, alt, parts, kind="strip axis")


def sample(kind: str) -> Markup:
    """Return a mark for the key: "proxy", "teacher", "control" or "ceiling"."""
    scale = (0.0, 1.0)
    middle = Interval(0.5, 0.46, 0.54, 1)
    if kind == "control":
        parts = [control_bar(middle, scale)]
    elif kind == "ceiling":
        parts = [bracket(middle, scale)]
    else:
        parts = [whisker(WIDTH / 2 - 14, WIDTH / 2 + 14, kind), mark(WIDTH / 2, MIDDLE, kind)]
    head = Markup('<svg class="sample" viewBox="{:.0f} 0 32 28" aria-hidden="true">').format(WIDTH / 2 - 16)
    return head + elements(parts) + Markup("</svg>")


def nice_step(room: float) -> float:
    """Return a step of 1, 2, 2.5 or 5 times a power of ten that cuts `room` into two to five parts."""
    raw = room / 4
    power = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= raw)


def _alt(row: Row) -> str:
    text = f"value {whole(row.value, row.unit)}"
    if row.control is not None and row.control.known:
        text += f", control {number(row.control.value, row.unit)} ({span(row.control, row.unit)})"
    if row.ceiling is not None and row.ceiling.known:
        text += f", ceiling {number(row.ceiling.value, row.unit)} ({span(row.ceiling, row.unit)})"
    return text
