"""Planes with two boundaries and maps of layer by layer, as SVG; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from kdaudit.evidence import Evidence
from kdaudit.report.document import BoundaryPlane, LayerMap
from kdaudit.report.figures import elements, svg
from kdaudit.report.words import clean, cut, number

LEFT, TOP, BOTTOM, SIDE = 96.0, 8.0, 40.0, 300.0
TICKS = 6
"""Most values written along an axis."""
CELLS = tuple[tuple[int, ...], ...]


def planes(evidence: Evidence) -> tuple[BoundaryPlane, ...]:
    """Return the plane that evidence holds, if any."""
    words, arrays = evidence.context.get("plane"), evidence.arrays
    if evidence.shows != "plane" or not isinstance(words, dict) or not {"teacher", "proxy"} <= set(arrays):
        return ()
    across, up = words["across"], words["up"]
    names = [str(axis["field"]).replace("_", " ") for axis in (across, up)]
    outputs = [str(name) for name in words["outputs"]]
    teacher, proxy = (_cells(arrays[name].tolist()) for name in ("teacher", "proxy"))
    shade = f"Shaded: the teacher decides {outputs[0]}" if len(outputs) == 1 else "Shaded: classes of the teacher"
    return (
        BoundaryPlane(
            title=f"{evidence.proxy_name}: {names[0]} across, {names[1]} up",
            across=(names[0], tuple(map(str, across["labels"]))),
            up=(names[1], tuple(map(str, up["labels"]))),
            teacher=teacher,
            proxy=proxy,
            proxy_name=evidence.proxy_name,
            words=f"All else kept: {words['anchor']}. {shade}; thick line: where the teacher's decision turns; "
            f"thin dashed line: where {evidence.proxy_name}'s does; dots: the two part.",
        ),
    )


def maps(evidence: Evidence) -> tuple[LayerMap, ...]:
    """Return the maps of layer by layer that evidence holds."""
    found = evidence.context.get("maps")
    if evidence.shows != "map" or not isinstance(found, list):
        return ()
    out = []
    for words in found:
        shown = [evidence.arrays.get(f"{words['array']}{end}") for end in ("", "_low", "_high")]
        known = [tuple(tuple(float(x) for x in row) for row in part.tolist()) for part in shown if part is not None]
        if len(known) == len(shown):
            values, low, high = known
            rows, columns = (tuple(map(str, words[key])) for key in ("rows", "columns"))
            out.append(LayerMap(str(words["title"]), rows, columns, values, low, high, str(words.get("words", ""))))
    return tuple(out)


def _cells(values: Sequence[Sequence[int]]) -> CELLS:
    return tuple(tuple(int(x) for x in row) for row in values)


def plane(block: BoundaryPlane) -> Markup:
    """Return both boundaries over one plane."""
    m, n = len(block.teacher), len(block.teacher[0])
    wide, high = SIDE / m, SIDE / n
    parts = [_shades(block, wide, high), _dots(block, wide, high)]
    for cells, stroke in (
        (block.teacher, 'stroke="var(--teacher)" stroke-width="3.5"'),
        (block.proxy, 'stroke="var(--proxy)" stroke-width="1.8" stroke-dasharray="5 3"'),
    ):
        path = Markup(" ").join(_edges(cells, wide, high))
        parts.append(Markup('<path d="{}" fill="none" {}/>').format(path, Markup(stroke)))
    parts += [_axis_across(block.across, wide), _axis_up(block.up, high)]
    same = sum(a == b for x, y in zip(block.teacher, block.proxy, strict=True) for a, b in zip(x, y, strict=True))
    alt = f"{block.title}: teacher and {block.proxy_name} decide alike in {same} of {m * n} points"
    return svg(LEFT + SIDE + 8, TOP + SIDE + BOTTOM, alt, parts, kind="plane")


def _corner(i: float, j: float, wide: float, high: float) -> tuple[float, float]:
    return LEFT + i * wide, TOP + SIDE - j * high


def _shades(block: BoundaryPlane, wide: float, high: float) -> Markup:
    tones = {0: "var(--card)", 1: "var(--zone)"}
    out = []
    for i, column in enumerate(block.teacher):
        for j, label in enumerate(column):
            if label >= 0:
                x, y = _corner(i, j + 1, wide, high)
                tone = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>')
                out.append(tone.format(x, y, wide + 0.2, high + 0.2, Markup(tones[label % 2])))
    frame = Markup('<rect x="{:.1f}" y="{:.1f}" width="{s:.1f}" height="{s:.1f}" fill="none" stroke="var(--rule)"/>')
    return elements([*out, frame.format(LEFT, TOP, s=SIDE)])


def _dots(block: BoundaryPlane, wide: float, high: float) -> Markup:
    out = []
    for i, (a, b) in enumerate(zip(block.teacher, block.proxy, strict=True)):
        for j, (x, y) in enumerate(zip(a, b, strict=True)):
            if x != y and x >= 0 and y >= 0:
                across, up = _corner(i + 0.5, j + 0.5, wide, high)
                out.append(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.6" fill="var(--ink)"/>').format(across, up))
    return elements(out)


def _edges(cells: CELLS, wide: float, high: float) -> Iterator[Markup]:
    """Yield the sides between cells of different decisions."""
    for i, column in enumerate(cells):
        for j, label in enumerate(column):
            if i + 1 < len(cells) and _parts(label, cells[i + 1][j]):
                (x, y), (_, end) = _corner(i + 1, j, wide, high), _corner(i + 1, j + 1, wide, high)
                yield Markup("M{:.1f} {:.1f}V{:.1f}").format(x, y, end)
            if j + 1 < len(column) and _parts(label, column[j + 1]):
                (x, y), (end, _) = _corner(i, j + 1, wide, high), _corner(i + 1, j + 1, wide, high)
                yield Markup("M{:.1f} {:.1f}H{:.1f}").format(x, y, end)


def _parts(a: int, b: int) -> bool:
    return a != b and a >= 0 and b >= 0


def _ticks(labels: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    step = max(1, -(-len(labels) // TICKS))
    for i in range(0, len(labels), step):
        yield i, labels[i]


def _axis_across(axis: tuple[str, tuple[str, ...]], wide: float) -> Markup:
    out = []
    for i, label in _ticks(axis[1]):
        x, y = _corner(i + 0.5, 0, wide, 0)
        text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
        out.append(text.format(x, y + 15, cut(clean(label), 9)))
    name = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    out.append(name.format(LEFT + SIDE / 2, TOP + SIDE + 33, clean(axis[0])))
    return elements(out)


def _axis_up(axis: tuple[str, tuple[str, ...]], high: float) -> Markup:
    out = []
    for j, label in _ticks(axis[1]):
        _, y = _corner(0, j + 0.5, 0, high)
        text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>')
        out.append(text.format(LEFT - 5, y + 4, cut(clean(label), 11)))
    name = Markup('<text transform="translate(12 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>')
    out.append(name.format(TOP + SIDE / 2, clean(axis[0])))
    return elements(out)


def layer_map(block: LayerMap) -> Markup:
    """Return a map: one cell a pair of layers, darker where they are more alike, with its number."""
    n, m = len(block.rows), len(block.columns)
    wide, high = min(84.0, 420.0 / max(m, 1)), 34.0
    parts = []
    for i, name in enumerate(block.rows):
        y = TOP + i * high
        text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>')
        parts.append(text.format(LEFT - 5, y + 21, cut(clean(name), 14)))
        for j, value in enumerate(block.values[i]):
            parts.append(_cell(LEFT + j * wide, y, (wide, high), (value, block.low[i][j], block.high[i][j])))
    for j, name in enumerate(block.columns):
        text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
        parts.append(text.format(LEFT + (j + 0.5) * wide, TOP + n * high + 15, cut(clean(name), int(wide / 6))))
    alt = f"{block.title}: {n} layers of the teacher by {m} of the proxy"
    # a map of one column is not drawn larger than a boundary
    return svg(LEFT + max(m * wide, SIDE) + 8, TOP + n * high + 24, alt, parts, kind="plane")


def _cell(x: float, y: float, size: tuple[float, float], numbers: tuple[float, float, float]) -> Markup:
    value, low, high = numbers
    known = value == value
    share = min(1.0, max(0.0, value)) if known else 0.0
    box = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--teacher)" opacity="{:.2f}"/>')
    word = Markup('<text class="tiny ink" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    text = number(value)[:5] if known else "–"
    middle = x + size[0] / 2
    drawn = box.format(x, y, size[0] - 1, size[1] - 1, 0.75 * share) + word.format(middle, y + 14, text)
    if low == low and high == high:
        decimals = 3 if size[0] >= 80 else 2
        drawn += word.format(middle, y + 27, f"{low:.{decimals}f} to {high:.{decimals}f}".replace("-", "−"))
    return drawn
