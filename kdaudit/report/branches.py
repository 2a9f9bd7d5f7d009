"""Trees and rule lists as SVG: the rules as branches, and beside each what the proxy says and what the teacher does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from kdaudit.interval import Interval
from kdaudit.report.document import RuleEnd, RulePicture
from kdaudit.report.figures import elements, mark, nice_step, svg
from kdaudit.report.style import DRAWING, LIGHT
from kdaudit.report.words import clean, count, cut, number
from kdaudit.surrogates.drawing import draw

if TYPE_CHECKING:
    from kdaudit.domain import Domain
    from kdaudit.evidence import Row
    from kdaudit.rules import Rules

LETTERS = 62
"""Characters of the longest line, its indent included."""
LINE, STEP, TOP, BOTTOM = 20.0, 16.0, 34.0, 10.0
LEFT, RIGHT, WIDTH = 430.0, 640.0, 710.0
"""Ends of the scale, and of the drawing."""
BARS = {"│": "│ ", "├": "├─", "└": "└─"}


def picture_of(rules: Rules, domain: Domain, rates: Sequence[Row | None] = (), unit: str | None = None) -> RulePicture:
    """Return the picture of a body of rules.

    Parameters
    ----------
    rules : Rules
    domain : Domain
        Names the levels.
    rates : sequence of Row or None
        What the teacher does where each rule holds, if it was measured.
    unit : str, optional
        Of the answers; without it "percent" where all lie between 0 and 1, else none.
    """
    ends = []
    for position, rule in enumerate(rules.rules):
        best = max(range(len(rule.score)), key=lambda at: rule.score[at])
        row = rates[position] if position < len(rates) else None
        ends.append(RuleEnd(rules.outputs[best], rule.score[best], rule.n, None if row is None else row.value))
    control = next((row.control for row in rates if row is not None and row.control is not None), None)
    if unit is None:
        unit = "percent" if all(0.0 <= end.score <= 1.0 for end in ends) else ""
    lines = tuple(draw(rules, domain, width=LETTERS))
    return RulePicture(lines, tuple(ends), control, unit, rules.family)


def branches(picture: RulePicture) -> Markup:
    """Return the picture as SVG, to stand inside a page that has the style's variables."""
    scale = _scale(picture)
    high = TOP + LINE * len(picture.lines) + BOTTOM
    parts = [_axis(scale, picture.unit, high)]
    if picture.control is not None and picture.control.known:
        line = Markup('<path d="M{:.1f} {:.1f}V{:.1f}" stroke="var(--control)" stroke-dasharray="3 3"/>')
        parts.append(line.format(_x(picture.control.value, scale), TOP - 4, high - BOTTOM))
    for number_, (text, at) in enumerate(picture.lines):
        parts.append(_line(text, number_))
        if at is not None:
            parts.append(_end(picture.ends[at], number_, scale))
    return svg(WIDTH, high, _alt(picture), parts, kind="rules")


def standalone(picture: RulePicture) -> bytes:
    """Return the picture as an SVG file of its own."""
    found = str(branches(picture)).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    head, body = found.split(">", 1)
    ground = f'<style>:root{{{LIGHT}}}{DRAWING}</style><rect width="100%" height="100%" fill="var(--card)"/>'
    return f"{head}>{ground}{body}\n".replace("\n}", "}").encode()


def _line(text: str, number_: int) -> Markup:
    """Return one line: its branches as strokes, its words behind them."""
    depth, rest = 0, text
    parts = []
    y = TOP + LINE * number_
    middle = y + LINE / 2
    while rest[:1] in BARS or (rest.startswith("   ") and rest.strip()):
        x = 6.0 + STEP * depth
        match rest[0]:
            case "│":
                path = f"M{x:.1f} {y:.1f}V{y + LINE:.1f}"
            case "├":
                path = f"M{x:.1f} {y:.1f}V{y + LINE:.1f}M{x:.1f} {middle:.1f}h9"
            case "└":
                path = f"M{x:.1f} {y:.1f}V{middle:.1f}h9"
            case _:
                path = ""
        if path:
            parts.append(Markup('<path d="{}" stroke="var(--rule)" stroke-width="1.4" fill="none"/>').format(path))
        depth, rest = depth + 1, rest[3:]
    words = Markup('<text class="ink" x="{:.1f}" y="{:.1f}">{}</text>')
    parts.append(words.format(2 + STEP * depth, middle + 4, cut(clean(rest.strip()), LETTERS)))
    return elements(parts)


def _end(end: RuleEnd, number_: int, scale: tuple[float, float]) -> Markup:
    y = TOP + LINE * number_ + LINE / 2
    parts = [Markup('<path d="M{:.1f} {y:.1f}H{:.1f}" stroke="var(--rule)"/>').format(LEFT, RIGHT, y=y)]
    if end.teacher is not None and end.teacher.known:
        low, high = _x(end.teacher.low, scale), _x(end.teacher.high, scale)
        line = Markup('<path d="M{:.1f} {y:.1f}H{:.1f}" stroke="var(--teacher)" stroke-width="2.5"/>')
        parts.append(line.format(low, high, y=y))
        parts.append(mark(_x(end.teacher.value, scale), y, "teacher", 4.0))
    parts.append(mark(_x(end.score, scale), y, "proxy", 4.0))
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>')
    parts.append(text.format(WIDTH - 4, y + 4, count(end.n)))
    return elements(parts)


def _axis(scale: tuple[float, float], unit: str, high: float) -> Markup:
    low, top = scale
    parts = []
    step = nice_step(top - low)
    at = low if low >= 0 else -step * int(-low / step)
    while at <= top + 1e-12:
        line = Markup('<path d="M{x:.1f} {:.1f}V{:.1f}" stroke="var(--zone)"/>')
        parts.append(line.format(TOP - 4, high - BOTTOM, x=_x(at, scale)))
        text = Markup('<text class="tiny" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
        parts.append(text.format(_x(at, scale), TOP - 8, clean(number(at, unit).replace(".0 ", " "))))
        at += step
    head = Markup('<text x="{:.1f}" y="12" text-anchor="{}">{}</text>')
    for x, who, words in ((LEFT + 8, "proxy", "proxy says"), (LEFT + 98, "teacher", "teacher does")):
        parts += [mark(x, 8, who, 4.0), head.format(x + 9, "start", words)]
    parts.append(head.format(WIDTH - 4, "end", "made from"))
    return elements(parts)


def _scale(picture: RulePicture) -> tuple[float, float]:
    if picture.unit == "percent" and all(0.0 <= end.score <= 1.0 for end in picture.ends):
        return (0.0, 1.0)
    values = [end.score for end in picture.ends] + [0.0]
    for end in picture.ends:
        values += _span(end.teacher)
    low, high = min(values), max(values)
    return (low, high) if high > low else (low, low + 1.0)


def _span(interval: Interval | None) -> list[float]:
    return [] if interval is None or not interval.known else [interval.low, interval.high]


def _x(value: float, scale: tuple[float, float]) -> float:
    share = (value - scale[0]) / (scale[1] - scale[0])
    return LEFT + 8 + min(1.0, max(0.0, share)) * (RIGHT - LEFT - 16)


def _alt(picture: RulePicture) -> str:
    size = len(picture.ends)
    noun = {"tree": "tree with", "list": "rule list of", "set": "rule set of"}.get(picture.family, "rules:")
    what = ("leaf" if size == 1 else "leaves") if picture.family == "tree" else ("rule" if size == 1 else "rules")
    return f"{noun} {size} {what}; the text below holds the same rules and numbers"
