"""Curves of size as SVG: students of growing size with their bands, their controls, and the law that they follow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from kdaudit.evidence import Evidence
from kdaudit.interval import Interval
from kdaudit.report.believing import strips_of
from kdaudit.report.document import Block, Curve, Fold, Heading, Knot, Paragraph, Strip, Table
from kdaudit.report.figures import elements, nice_step, svg
from kdaudit.report.policies import heading, policies
from kdaudit.report.words import clean, count, number, whole

if TYPE_CHECKING:
    from kdaudit.run.reading import Run

WIDTH, HEIGHT = 560.0, 290.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 12.0, 48.0, 42.0
LONGER = 0.75
"""How far the frame reaches beyond the values for the sake of an interval, as a share of their spread."""


def curves(run: Run) -> tuple[Block, ...]:
    """Return what making the proxies brought to light: curves of size and tables of policies; empty where neither."""
    out: list[Block] = []
    for evidence in run.evidence.values():
        if evidence.shows == "curve" and evidence.rows:
            out += _section(evidence)
        if evidence.shows == "policies" and evidence.rows:
            # a single point makes no picture
            drawn = (curve_of(evidence),) if len(evidence.arrays["parameters"]) > 1 else ()
            out += [*heading(evidence), *drawn, *policies(evidence)]
    return tuple(out)


def _gains(evidence: Evidence) -> list[Block]:
    """Return what each doubling would add by the law."""
    gains = [Interval.from_data(dict(data)) for data in evidence.context.get("gain", ())]
    sizes = [count(int(x)) for x in evidence.arrays["parameters"]]
    if len(gains) != len(sizes):
        return []
    rows = tuple((size, whole(gain, "points", signed=True)) for size, gain in zip(sizes, gains, strict=True))
    return [Table(("parameters", "what doubling them adds, by the law"), rows, frozenset({0, 1}))]


def _section(evidence: Evidence) -> list[Block]:
    title = Heading(f"{evidence.proxy_name}: {evidence.title}")
    sentences = [Paragraph(f"{text}.") for text in evidence.context.get("sentences", ())]
    about = Paragraph(f"Measured on {evidence.context.get('population', 'rows apart')}.", quiet=True)
    strips = tuple(Strip(evidence.proxy_name, row.group, row) for row in evidence.rows)
    table = Fold(
        f"Numbers of the curve ({count(len(strips))} sizes)",
        (strips_of(evidence.rows[0].title, strips), *_gains(evidence)),
    )
    return [title, *sentences, curve_of(evidence), about, table]


def curve_of(evidence: Evidence) -> Curve:
    """Return the block of a curve."""
    sizes = [float(x) for x in evidence.arrays["parameters"]]
    drawn = [row for row in evidence.rows if row.measure == evidence.rows[0].measure]
    knots = tuple(Knot(x, row.value, row.control) for x, row in zip(sizes, drawn, strict=True))
    law: tuple[tuple[float, float, float, float], ...] = ()
    if "law" in evidence.arrays:
        names = ("law_parameters", "law", "law_low", "law_high")
        columns = ([float(x) for x in evidence.arrays[name]] for name in names)
        law = tuple(zip(*columns, strict=True))
    first = evidence.rows[0]
    return Curve("parameters", first.title or first.measure, first.unit, knots, law)


def curve(block: Curve) -> Markup:
    """Return the picture; the table beside it holds the same numbers."""
    known = [part for k in block.knots for part in (k.value, k.control) if part is not None and part.known]
    sizes = [k.size for k in block.knots] + [point[0] for point in block.law]
    if not known or min(sizes) <= 0:
        return Markup("")
    plane = _Plane(sizes, _ends(block, known))
    parts = [_grid(plane, block), *_law(plane, block.law), *(_control(plane, k) for k in block.knots)]
    parts += [*(_knot(plane, knot) for knot in block.knots), *_legend(block)]
    alt = f"{block.measure} against {block.across}, {len(block.knots)} sizes; the table below holds the same numbers"
    return svg(WIDTH, HEIGHT, alt, parts, kind="curve")


def _ends(block: Curve, known: Sequence[Interval]) -> list[float]:
    """Return the ends of what is drawn: every value, and intervals as far as they leave the values readable."""
    values = [part.value for part in known] + [x for point in block.law for x in point[1:]]
    beyond = LONGER * ((max(values) - min(values)) or 1.0)
    low = max(min(part.low for part in known), min(values) - beyond)
    return [*values, low, min(max(part.high for part in known), max(values) + beyond)]


class _Plane:
    """Sizes across on a scale of powers, values up."""

    def __init__(self, sizes: Sequence[float], values: Sequence[float]) -> None:
        self.left, self.right = math.log(min(sizes)), math.log(max(sizes))
        room = max(values) - min(values) or 0.1
        self.low, self.high = min(values) - 0.08 * room, max(values) + 0.08 * room

    def x(self, size: float) -> float:
        share = (math.log(size) - self.left) / ((self.right - self.left) or 1.0)
        return LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _grid(plane: _Plane, block: Curve) -> Markup:
    out = [
        Markup('<path d="M{:.1f} {:.1f}H{:.1f}" stroke="var(--rule)"/>').format(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT)
    ]
    step = nice_step(plane.high - plane.low)
    for k in range(math.ceil(plane.low / step), math.floor(plane.high / step) + 1):
        line = Markup('<path d="M{:.1f} {y:.1f}H{:.1f}" stroke="var(--rule)" opacity=".4"/>')
        out.append(line.format(LEFT, WIDTH - RIGHT, y=plane.y(k * step)))
        text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>')
        out.append(text.format(LEFT - 6, plane.y(k * step) + 4, number(k * step, block.unit, bare=True)))
    taken = -math.inf
    for knot in block.knots:
        x, words = plane.x(knot.size), count(int(knot.size))
        if x - 3.2 * len(words) > taken:  # names that would run into each other are left to the table
            text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
            out.append(text.format(x, HEIGHT - BOTTOM + 16, words))
            taken = x + 3.2 * len(words) + 6
    tail = {"percent": ", percent", "": ""}.get(block.unit, f", {block.unit}")
    across = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    out.append(across.format((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, clean(block.across)))
    up = Markup('<text x="2" y="13">{}{}</text>')
    return elements([*out, up.format(clean(block.measure), clean(tail))])


def _legend(block: Curve) -> list[Markup]:
    """Return what the marks stand for, in one line above the picture."""
    middle = 30.0
    marks = [
        (
            Markup('<path d="M0 {:.1f}l4.8 4.8l-4.8 4.8l-4.8 -4.8z" fill="var(--proxy)"/>').format(middle - 4.8),
            "student",
        )
    ]
    if any(knot.control is not None and knot.control.known for knot in block.knots):
        bar = Markup('<rect x="-5" y="{:.1f}" width="10" height="12" fill="var(--band)"/>').format(middle - 6)
        line = Markup('<path d="M-6 {:.1f}h12" stroke="var(--control)" stroke-width="2"/>').format(middle)
        marks.append((bar + line, "its control"))
    if block.law:
        dashes = Markup('<path d="M-9 {:.1f}h18" stroke="var(--control)" stroke-dasharray="4 4"/>').format(middle)
        marks.append((dashes, "fitted law with its band"))
    out, x = [], LEFT + 8.0
    for mark, words in marks:
        out.append(Markup('<g transform="translate({:.1f} 0)">{}</g>').format(x, mark))
        out.append(Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(x + 14, middle + 4, words))
        x += 40 + 7.2 * len(words)
    return out


def _law(plane: _Plane, law: Sequence[tuple[float, float, float, float]]) -> list[Markup]:
    if not law:
        return []
    upper = [(plane.x(size), plane.y(high)) for size, _, _, high in law]
    lower = [(plane.x(size), plane.y(low)) for size, _, low, _ in reversed(law)]
    band = Markup('<path d="{}Z" fill="var(--band)" opacity=".5"/>').format(_path([*upper, *lower]))
    middle = _path([(plane.x(size), plane.y(value)) for size, value, _, _ in law])
    return [band, Markup('<path d="{}" fill="none" stroke="var(--control)" stroke-dasharray="4 4"/>').format(middle)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _control(plane: _Plane, knot: Knot) -> Markup:
    if knot.control is None or not knot.control.known:
        return Markup("")
    x, part = plane.x(knot.size), knot.control
    box = Markup('<rect x="{:.1f}" y="{:.1f}" width="10" height="{:.1f}" fill="var(--band)"/>')
    bar = box.format(x - 5, plane.y(part.high), max(2.0, plane.y(part.low) - plane.y(part.high)))
    stroke = Markup('<path d="M{:.1f} {:.1f}h12" stroke="var(--control)" stroke-width="2"/>')
    return bar + stroke.format(x - 6, plane.y(part.value))


def _knot(plane: _Plane, knot: Knot) -> Markup:
    if not knot.value.known:
        return Markup("")
    x, y = plane.x(knot.size), plane.y(knot.value.value)
    line = Markup('<path d="M{:.1f} {:.1f}V{:.1f}" stroke="var(--proxy)" stroke-width="2.5"/>')
    whisker = line.format(x, plane.y(knot.value.low), plane.y(knot.value.high))
    diamond = Markup('<path d="M{:.1f} {:.1f}l5 5l-5 5l-5 -5z" fill="var(--proxy)"/>')
    return whisker + diamond.format(x, y - 5)
