"""Which fields count, for the teacher and for each proxy, side by side, as SVG; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from kdaudit.evidence import Evidence
from kdaudit.interval import Interval
from kdaudit.report.document import ReasonChart
from kdaudit.report.figures import svg
from kdaudit.report.words import clean, cut, number, whole

MOST = 12
"""Fields that are drawn; the others count less."""
LEFT, WIDE, RIGHT = 150.0, 290.0, 60.0
BAR, GAP = 9.0, 10.0
LETTERS = 22


def charts(evidence: Sequence[Evidence]) -> tuple[ReasonChart, ...]:
    """Return the charts of evidence on reasons: one for all proxies that are explained in the same units.

    Parameters
    ----------
    evidence : sequence of Evidence
        Of one question, one a proxy.
    """
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for one in evidence:
        weights = one.context.get("mean_absolute")
        if isinstance(weights, dict) and weights.get("teacher") and weights.get("proxy"):
            groups.setdefault((str(one.context.get("scale")), repr(weights["teacher"])), []).append(one)
    return tuple(_chart(scale, found) for (scale, _), found in groups.items())


def _chart(scale: str, evidence: list[Evidence]) -> ReasonChart:
    teacher = _intervals(evidence[0], "teacher")
    order = sorted(teacher, key=lambda unit: (-teacher[unit].value if teacher[unit].known else 0.0, unit))
    shown = tuple(order[:MOST])
    nobody: tuple[Interval | None, ...] = (None,) * len(shown)
    people = [("the teacher", tuple(teacher[unit] for unit in shown), nobody)]
    for one in evidence:
        proxy, stranger = _intervals(one, "proxy"), _intervals(one, "stranger")
        people.append(
            (one.proxy_name, tuple(proxy[unit] for unit in shown), tuple(stranger.get(unit) for unit in shown))
        )
    rest, units = len(order) - len(shown), str(evidence[0].context.get("unit", "fields"))
    words = (
        f"Mean size of the share of the answer of each of the {units}, whichever way it pulls, with its interval over "
        "rows. "
        "Grey strokes: the same proxy made from a stranger."
    )
    return ReasonChart(
        title=f"Which {units} count",
        units=shown,
        subjects=tuple(name for name, *_ in people),
        values=tuple(values for _, values, _ in people),
        controls=tuple(controls for *_, controls in people),
        unit="points" if scale == "score" else "",
        words=words + (f" {rest} further {units} count less." if rest else ""),
    )


def _intervals(evidence: Evidence, who: str) -> dict[str, Interval]:
    return {str(k): Interval.from_data(v) for k, v in evidence.context["mean_absolute"].get(who, {}).items()}


def chart(block: ReasonChart) -> Markup:
    """Return the bars of all subjects, field by field."""
    people, fields = len(block.subjects), len(block.units)
    lane = people * BAR + GAP
    top = 16.0 * people + 8
    ends = [i.high for values in block.values for i in values if i.known]
    far = (
        max([*ends, *(c.value for row in block.controls for c in row if c is not None and c.known)], default=1.0) or 1.0
    )
    parts = [_legend(name, at) for at, name in enumerate(block.subjects)]
    for row, unit in enumerate(block.units):
        y = top + row * lane
        label = Markup('<text x="{:.0f}" y="{:.1f}" text-anchor="end" class="ink">{}</text>')
        parts.append(label.format(LEFT - 8, y + people * BAR / 2 + 4, clean(cut(unit.replace("_", " "), LETTERS))))
        for at in range(people):
            parts.append(_bar(block, at, row, y + at * BAR, far))
    axis = Markup('<path d="M{x} {:.1f}V{:.1f}" stroke="var(--control)"/>')
    parts.append(axis.format(top - 2, top + fields * lane - GAP + 2, x=LEFT))
    return svg(LEFT + WIDE + RIGHT, top + fields * lane, _alt(block), parts, kind="plane")


def _colour(at: int) -> Markup:
    # proxies differ by shade, so that the picture reads without colour too
    if at == 0:
        return Markup('fill="var(--teacher)"')
    return Markup('fill="var(--proxy)" fill-opacity="{:.2f}"').format(max(0.3, 1.0 - 0.35 * (at - 1)))


def _legend(name: str, at: int) -> Markup:
    y = 4 + 16.0 * at
    box = Markup('<rect x="{:.0f}" y="{:.1f}" width="14" height="8" {}/>').format(LEFT, y, _colour(at))
    return box + Markup('<text x="{:.0f}" y="{:.1f}">{}</text>').format(LEFT + 20, y + 8, clean(name))


def _bar(block: ReasonChart, at: int, row: int, y: float, far: float) -> Markup:
    value, control = block.values[at][row], block.controls[at][row]
    if not value.known:
        return Markup("")
    long = value.value / far * WIDE
    low, high = (LEFT + x / far * WIDE for x in (max(value.low, 0.0), value.high))
    out = Markup('<rect x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}" {}/>').format(
        LEFT, y, long, BAR - 2, _colour(at)
    )
    whisker = Markup('<path d="M{:.1f} {y:.1f}H{:.1f}" stroke="var(--ink)" stroke-width="1"/>')
    out += whisker.format(low, high, y=y + (BAR - 2) / 2)
    if control is not None and control.known:
        stroke = Markup('<path d="M{:.1f} {:.1f}v{:.1f}" stroke="var(--control)" stroke-width="2.5"/>')
        out += stroke.format(LEFT + control.value / far * WIDE, y - 1, BAR)
    if at == 0:
        text = Markup('<text x="{:.1f}" y="{:.1f}" class="tiny">{}</text>')
        out += text.format(high + 5, y + BAR - 2, clean(number(value.value, block.unit)))
    return out


def _alt(block: ReasonChart) -> str:
    first = [f"{unit} {whole(value, block.unit)}" for unit, value in zip(block.units, block.values[0], strict=True)]
    return f"{block.title}. The teacher: {'; '.join(first[:5])}. Beside it: {', '.join(block.subjects[1:])}"
