"""Where teacher, proxies and a stranger's proxy look in a few pictures, as SVG; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from kdaudit.evidence import Evidence
from kdaudit.report.exhibits import Sights
from kdaudit.report.figures import elements, svg
from kdaudit.report.words import clean, cut

LEFT, TOP, SIDE, GAP = 118.0, 20.0, 58.0, 5.0
LEVELS = 5
"""Shades of grey of a picture: as many as an outline needs, so that a page stays small."""
FAINT, STRONG = 0.1, 0.5
"""Shares of the largest below which a patch is left bare, and from which on it bears its sign."""
LETTERS = 18
WORDS = (
    "The first picture of each of the teacher's decisions, none picked for what it shows. Blue patches (+) speak for "
    "that decision, orange ones (−) against it, the deeper the more; in each picture the largest share is full colour. "
    "What these pictures seem to show is counted above, over all rows."
)


def sights(evidence: Sequence[Evidence]) -> tuple[Sights, ...]:
    """Return the pictures that evidence on reasons holds: the teacher once, then each proxy and a stranger's.

    Parameters
    ----------
    evidence : sequence of Evidence
        Of one question, one a proxy.
    """
    held = [e for e in evidence if isinstance(e.context.get("sights"), dict) and "sight_proxy" in e.arrays]
    if not held:
        return ()
    first = held[0]
    rows: list[tuple[str, NDArray[np.float64]]] = [("the teacher", _scaled(first.arrays["sight_teacher"]))]
    for one in held:
        rows.append((one.proxy_name, _scaled(one.arrays["sight_proxy"])))
        if "sight_stranger" in one.arrays:
            rows.append((f"{one.proxy_name}, of a stranger", _scaled(one.arrays["sight_stranger"])))
    words = first.context["sights"]
    return (
        Sights(
            title="Where they look",
            decisions=tuple(map(str, words["decisions"])),
            pictures=tuple(tuple(tuple(line) for line in picture) for picture in first.arrays["pictures"].tolist()),
            patches=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in words["patches"]),
            subjects=tuple(name for name, _ in rows),
            shares=tuple(tuple(map(tuple, values.tolist())) for _, values in rows),
            words=WORDS,
        ),
    )


def _scaled(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return shares (k, patches) over the largest size of each picture."""
    out = np.asarray(values, dtype=np.float64)
    largest = np.abs(out).max(axis=1, keepdims=True)
    return np.round(out / np.where(largest > 0, largest, 1.0), 3)


def gallery(block: Sights) -> Markup:
    """Return one row of pictures a subject, with its shares laid over them."""
    parts = []
    for column, decision in enumerate(block.decisions):
        text = Markup('<text x="{:.1f}" y="13" text-anchor="middle">{}</text>')
        parts.append(text.format(LEFT + column * (SIDE + GAP) + SIDE / 2, clean(cut(decision, 9))))
    outlines = [elements(_outline(picture)) for picture in block.pictures]
    for row, (name, shares) in enumerate(zip(block.subjects, block.shares, strict=True)):
        y = TOP + row * (SIDE + GAP)
        text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end" class="ink">{}</text>')
        parts += [
            text.format(LEFT - 8, y + SIDE / 2 + 4 + 14 * (at - (len(lines) - 1) / 2), clean(line))
            for lines in [_lines(name)]
            for at, line in enumerate(lines)
        ]
        for column, outline in enumerate(outlines):
            moved = Markup('<g transform="translate({:.1f} {:.1f})">').format(LEFT + column * (SIDE + GAP), y)
            parts.append(moved + outline + elements(_laid(block.patches, shares[column])) + Markup("</g>"))
    wide = LEFT + len(block.decisions) * (SIDE + GAP)
    return svg(wide, TOP + len(block.subjects) * (SIDE + GAP), _alt(block), parts, kind="rules")


def _lines(name: str) -> list[str]:
    first, comma, second = name.partition(", ")
    return [cut(first, LETTERS - 1) + comma, second] if comma else [cut(name, LETTERS)]


def _outline(picture: Sequence[Sequence[float]]) -> Iterator[Markup]:
    """Yield the frame, and one path for each shade of grey, in runs along lines."""
    tall, wide = SIDE / len(picture), SIDE / len(picture[0])
    yield Markup('<path d="M0 0h{s:.0f}v{s:.0f}h-{s:.0f}z" fill="var(--card)" stroke="var(--rule)"/>').format(s=SIDE)
    runs: dict[int, list[str]] = {}
    for y, line in enumerate(picture):
        shades = [min(LEVELS, int(value * LEVELS + 0.5)) for value in line]
        start = 0
        for x in range(1, len(shades) + 1):
            if x == len(shades) or shades[x] != shades[start]:
                if shades[start]:
                    long = (x - start) * wide
                    run = f"M{start * wide:.1f} {y * tall:.1f}h{long:.1f}v{tall:.1f}h-{long:.1f}z"
                    runs.setdefault(shades[start], []).append(run)
                start = x
    for shade, found in sorted(runs.items()):
        yield Markup('<path d="{}" fill="var(--ink)" opacity="{:.2f}"/>').format("".join(found), 0.7 * shade / LEVELS)


def _laid(patches: Sequence[tuple[float, float, float, float]], shares: Sequence[float]) -> Iterator[Markup]:
    for (top, left, bottom, right), share in zip(patches, shares, strict=True):
        if abs(share) < FAINT:
            continue
        box = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--{})" opacity="{:.2f}"/>')
        x, y, wide, tall = left * SIDE, top * SIDE, (right - left) * SIDE, (bottom - top) * SIDE
        yield box.format(x, y, wide, tall, "teacher" if share > 0 else "proxy", 0.65 * abs(share))
        if abs(share) >= STRONG:
            sign = Markup('<text class="tiny ink" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
            yield sign.format(x + wide / 2, y + tall / 2 + 3.5, "+" if share > 0 else "−")


def _alt(block: Sights) -> str:
    shown = ", ".join(block.decisions)
    return f"{block.title}: shares of {len(block.patches)} patches for {shown}, of {', '.join(block.subjects)}"
