"""Pictures with shares laid over them: who is drawn, where, how deep, and nothing but text from data."""

from __future__ import annotations

import re

import numpy as np
import pytest

from kdaudit.evidence import Evidence
from kdaudit.report.sights import FAINT, SIDE, gallery, sights

PATCHES = [(0.0, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 1.0), (0.5, 0.0, 1.0, 0.5), (0.5, 0.5, 1.0, 1.0)]
SHARES = np.array([[2.0, -1.0, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0]], dtype=np.float32)


def evidence(name="small", *, stranger=True, decisions=("3", "8")):
    pictures = np.zeros((2, 4, 4), dtype=np.float32)
    pictures[0, 1, 1:3] = 1.0
    arrays = {"pictures": pictures, "sight_teacher": SHARES, "sight_proxy": -SHARES}
    arrays |= {"sight_stranger": SHARES} if stranger else {}
    words = {"decisions": list(decisions), "patches": [list(patch) for patch in PATCHES]}
    return Evidence("", "", (), (), {"sights": words}, arrays, "strip", name)


def test_teacher_proxies_and_strangers_are_rows():
    (block,) = sights([evidence(), evidence("other", stranger=False)])
    assert block.subjects == ("the teacher", "small", "small, of a stranger", "other")
    assert block.shares[0][0] == (1.0, -0.5, 0.05, 0.0)
    assert block.shares[1][0] == (-1.0, 0.5, -0.05, 0.0)
    assert block.shares[0][1] == (0.0, 0.0, 0.0, 0.0)


def test_without_pictures_nothing_is_drawn():
    assert sights([]) == ()
    one = evidence()
    assert sights([Evidence("", "", (), (), {}, one.arrays, "strip", "small")]) == ()
    assert sights([Evidence("", "", (), (), {"sights": None}, one.arrays, "strip", "small")]) == ()


def test_patches_are_drawn_where_they_lie_and_as_deep_as_they_weigh():
    (block,) = sights([evidence(stranger=False)])
    page = str(gallery(block))
    rects = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" [^>]*fill="var\(--(\w+)\)" opacity="([\d.]+)"', page)
    # two of each first picture are large enough to be seen, none of the second
    half = SIDE / 2
    assert [(float(x), float(y), who) for x, y, who, _ in rects] == [
        (0.0, 0.0, "teacher"),
        (half, 0.0, "proxy"),
        (0.0, 0.0, "proxy"),
        (half, 0.0, "teacher"),
    ]
    assert [float(depth) for *_, depth in rects] == pytest.approx([0.65, 0.325, 0.65, 0.325], abs=0.006)
    assert abs(block.shares[0][0][2]) < FAINT
    # signs tell both ways apart without colour
    assert page.count(">+</text>") == 2 and page.count(">−</text>") == 2


def test_the_outline_is_where_the_pixels_are():
    (block,) = sights([evidence(stranger=False)])
    page = str(gallery(block))
    step = SIDE / 4
    # one run of two pixels, drawn once for each of two subjects
    assert page.count(f"M{step:.1f} {step:.1f}h{2 * step:.1f}v{step:.1f}h-{2 * step:.1f}z") == 2


def test_names_are_text():
    (block,) = sights([evidence("<script>", decisions=("<b>", "8"))])
    page = str(gallery(block))
    assert "<script>" not in page and "<b>" not in page
    assert "&lt;b&gt;" in page
