"""The transfer plot as SVG: the teacher's gap across, the proxy's gap up, margins as bands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from markupsafe import Markup

from kdaudit.report.document import Contrast, Shown, TransferPlot
from kdaudit.report.figures import elements, nice_step, svg
from kdaudit.report.words import clean, cut, number

WIDTH, HEIGHT = 420.0, 400.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 8.0, 8.0, 46.0
LETTER, LINE = 6.3, 13.0
"""Average width and height of a letter at 12 pixels."""
LONGEST = 26


@dataclass(frozen=True)
class Box:
    """A rectangle that something else must not cover."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return not (
            self.right <= other.left or other.right <= self.left or self.bottom <= other.top or other.bottom <= self.top
        )


@dataclass
class Page:
    """What has been placed so far: marks, words of the zones, labels."""

    taken: list[Box] = field(default_factory=list)

    def place(self, x: float, y: float, text: str, letter: float = LETTER) -> tuple[float, float, str] | None:
        """Return where `text` fits near a point, and its anchor; None where it fits nowhere."""
        wide = len(text) * letter
        for dx, dy, anchor in _offsets():
            left = x + dx if anchor == "start" else x + dx - wide
            box = Box(left, y + dy - LINE + 3, left + wide, y + dy + 3)
            inside = box.left >= LEFT and box.right <= WIDTH - 1 and box.top >= TOP and box.bottom <= HEIGHT - BOTTOM
            if inside and not any(box.meets(other) for other in self.taken):
                self.taken.append(box)
                return x + dx, y + dy, anchor
        return None


def _offsets() -> Iterator[tuple[float, float, str]]:
    for far in (0.0, 10.0, 20.0, 32.0, 46.0):
        for dx, anchor in ((7.0, "start"), (-7.0, "end")):
            for dy in (-6.0 - far, 14.0 + far):
                yield dx, dy, anchor


@dataclass(frozen=True)
class Plane:
    """A square of `-limit` to `limit` both ways."""

    limit: float

    def x(self, value: float) -> float:
        """Return the place across."""
        return LEFT + (self._clip(value) + self.limit) / (2 * self.limit) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the place down."""
        return HEIGHT - BOTTOM - (self._clip(value) + self.limit) / (2 * self.limit) * (HEIGHT - TOP - BOTTOM)

    def _clip(self, value: float) -> float:
        return max(-self.limit, min(self.limit, value))


def points(plot: TransferPlot) -> list[tuple[Contrast, tuple[Shown, ...]]]:
    """Return the contrasts that have a place on the plane, with the proxies that do, the lead first."""
    out = []
    for contrast in plot.contrasts:
        shown = tuple(s for s in contrast.shown if s.value.known)
        if contrast.teacher.known and shown:
            out.append((contrast, shown))
    return out


def limit(plot: TransferPlot) -> float:
    """Return how far the axes reach: all values and twice the margin; whiskers as far as they do not dwarf them."""
    found = points(plot)
    values = [c.teacher.value for c, _ in found] + [s.value.value for _, shown in found for s in shown]
    ends = [abs(x) for c, _ in found for x in (c.teacher.low, c.teacher.high)]
    ends += [abs(x) for _, shown in found for s in shown for x in (s.value.low, s.value.high)]
    reach = max([abs(v) for v in values] + [2 * plot.margin])
    return 1.12 * max(reach, min(max(ends, default=0.0), 1.8 * reach)) or 1.0


def transfer(plot: TransferPlot) -> Markup:
    """Return the plot; the table beside it holds the same numbers."""
    plane, page = Plane(limit(plot)), Page()
    found = points(plot)
    parts = [_bands(plane, plot.margin), _ticks(plane, plot.unit)]
    for contrast, shown in found:
        for one in shown:
            x, y = plane.x(contrast.teacher.value), plane.y(one.value.value)
            page.taken.append(Box(x - 5, y - 5, x + 5, y + 5))
    words = _zones(plane, plot.margin, page)
    marks = [_mark(plane, contrast, shown) for contrast, shown in found]
    labels = [_label(plane, page, contrast, shown[0]) for contrast, shown in found]
    labels += [_small(plane, page, contrast, one) for contrast, shown in found for one in shown[1:]]
    lead = clean(found[0][1][0].proxy_name) if found else "proxy"
    alt = f"Gap in the teacher against gap in {lead}, {len(found)} claims; the table below holds the same numbers"
    return svg(WIDTH, HEIGHT, alt, [*parts, words, *marks, *labels, _axes(plot.unit)], kind="plane")


def _bands(plane: Plane, margin: float) -> Markup:
    end = plane.limit
    band = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--zone)"/>')
    across = band.format(
        plane.x(-end), plane.y(margin), plane.x(end) - plane.x(-end), plane.y(-margin) - plane.y(margin)
    )
    up = band.format(plane.x(-margin), plane.y(end), plane.x(margin) - plane.x(-margin), plane.y(-end) - plane.y(end))
    line = Markup('<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}" stroke="var(--rule)" stroke-dasharray="4 4"/>')
    return elements([across, up, line.format(plane.x(-end), plane.y(-end), plane.x(end), plane.y(end))])


def _ticks(plane: Plane, unit: str) -> Markup:
    step = nice_step(1.9 * plane.limit)
    out = []
    for k in range(-math.floor(plane.limit / step), math.floor(plane.limit / step) + 1):
        text = _tick(k * step, unit)
        across = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
        out.append(across.format(plane.x(k * step), HEIGHT - BOTTOM + 16, text))
        up = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>')
        out.append(up.format(LEFT - 6, plane.y(k * step) + 4, text))
    return elements(out)


def _tick(value: float, unit: str) -> str:
    text = number(value, unit, signed=True, bare=True)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _zones(plane: Plane, margin: float, page: Page) -> Markup:
    """Return the words of transfer, each where no mark lies under it."""
    end, middle, out = plane.limit, 5.0, []
    left, right = plane.x(-end) + 4, plane.x(end) - 4
    top, bottom = plane.y(end) + 12, plane.y(-end) - 6
    level = plane.y(0) + 4
    wanted = [
        ("INVENTED", plane.x(0), top, "middle"),
        ("INVENTED", plane.x(0), bottom, "middle"),
        ("MASKED", right, level, "end"),
        ("MASKED", left, level, "start"),
        ("CARRIED", right, top, "end"),
        ("CARRIED", left, bottom, "start"),
    ]
    if plane.x(margin) - plane.x(-margin) > 50:
        wanted.append(("ABSENT", plane.x(0), level, "middle"))
    for text, x, y, anchor in wanted:
        wide = len(text) * 7.2
        start = {"start": x, "end": x - wide, "middle": x - wide / 2}[anchor]
        box = Box(start, y - 9, start + wide, y + middle - 3)
        if not any(box.meets(other) for other in page.taken):
            page.taken.append(box)
            word = Markup('<text class="zone" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
            out.append(word.format(x, y, anchor, text))
    return elements(out)


def _mark(plane: Plane, contrast: Contrast, shown: tuple[Shown, ...]) -> Markup:
    lead, teacher = shown[0].value, contrast.teacher
    x, y = plane.x(teacher.value), plane.y(lead.value)
    parts = []
    for one in shown[1:]:
        small = Markup('<path d="M{:.1f} {:.1f}l3.5 3.5l-3.5 3.5l-3.5 -3.5z" class="hollow"/>')
        parts.append(small.format(x, plane.y(one.value.value) - 3.5))
    across = Markup('<path d="M{:.1f} {:.1f}H{:.1f}" stroke="var(--teacher)" stroke-width="2"/>')
    up = Markup('<path d="M{:.1f} {:.1f}V{:.1f}" stroke="var(--proxy)" stroke-width="2"/>')
    parts.append(across.format(plane.x(teacher.low), y, plane.x(teacher.high)))
    parts.append(up.format(x, plane.y(lead.low), plane.y(lead.high)))
    parts.append(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3.8" fill="var(--ink)"/>').format(x, y))
    return elements(parts)


def _label(plane: Plane, page: Page, contrast: Contrast, lead: Shown) -> Markup:
    x, y = plane.x(contrast.teacher.value), plane.y(lead.value.value)
    return _text(page, x, y, cut(clean(contrast.label), LONGEST), kind="ink")


def _small(plane: Plane, page: Page, contrast: Contrast, one: Shown) -> Markup:
    x, y = plane.x(contrast.teacher.value), plane.y(one.value.value)
    return _text(page, x, y, cut(clean(one.proxy_name), 12), kind="tiny", letter=5.4)


def _text(page: Page, x: float, y: float, text: str, *, kind: str, letter: float = LETTER) -> Markup:
    found = page.place(x, y, text, letter)
    if found is None:
        return Markup("")  # nothing fits beside this mark; the table names it
    at, down, anchor = found
    line = Markup("")
    if abs(down - y) > 16:
        lead = Markup('<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}" stroke="var(--rule)"/>')
        line = lead.format(x, y, at, down - (4 if down > y else -3))
    word = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return line + word.format(kind, at, down, anchor, text)


def _axes(unit: str) -> Markup:
    tail = f", {clean(unit)}" if unit else ""
    across = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">gap in the teacher{}</text>')
    up = Markup('<text transform="translate(12 {:.1f}) rotate(-90)" text-anchor="middle">gap in the proxy{}</text>')
    middle = (HEIGHT - BOTTOM + TOP) / 2
    return across.format((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, tail) + up.format(middle, tail)
