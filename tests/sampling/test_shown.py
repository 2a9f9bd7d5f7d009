"""New texts and pictures: made of what there is, inside the domain, and not the ones that there are."""

import numpy as np
import pytest

from kdaudit.domain import Domain, Image, Text
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.neighbours import neighbours
from kdaudit.sampling.pool import drawn
from kdaudit.sampling.samplers import SIDE, between

PICTURES = Domain((Image("scene", (2, 8, 9)),))


def pictures(n, seed=0):
    values = np.random.default_rng(seed).random((n, 2, 8, 9)).astype(np.float32)
    return Samples(PICTURES, {"scene": values}, np.arange(n), Origin("drawn"))


def texts(lines):
    domain, ids = Domain((Text("line", missing=True),)), np.arange(len(lines))
    return Samples(domain, {"line": np.array(lines, dtype=object)}, ids, Origin("lines"))


def test_texts_lose_words_and_win_none():
    rows = texts(["one two three four five six", "seven", None])
    found = drawn("jitter", rows, 40, np.random.default_rng(0))
    assert len(found) > 10
    for text, parent in zip(found.samples.columns["line"], found.parents, strict=True):
        words, given = text.split(), rows.columns["line"][parent].split()
        assert 0 < len(words) < len(given)
        assert [word for word in given if word in words] == words


def test_pictures_get_whole_patches_of_others():
    rows = pictures(12)
    found = drawn("jitter", rows, 30, np.random.default_rng(0))
    assert len(found) == 30
    given = rows.columns["scene"]
    down, across = np.arange(8) * SIDE // 8, np.arange(9) * SIDE // 9
    for picture, parent in zip(found.samples.columns["scene"], found.parents, strict=True):
        sources = set()
        for r in range(SIDE):
            for c in range(SIDE):
                where = np.ix_([0, 1], np.flatnonzero(down == r), np.flatnonzero(across == c))
                own = [at for at in range(12) if (given[at][where] == picture[where]).all()]
                assert len(own) == 1
                sources |= set(own)
        assert parent in sources
        assert len(sources) == 2


def test_between_two_pictures_lies_their_blend():
    rows = pictures(4)
    mixed = between(rows, np.array([0]), np.array([1]), np.array([0.25]), np.random.default_rng(0))["scene"]
    np.testing.assert_allclose(mixed[0], 0.75 * rows.columns["scene"][0] + 0.25 * rows.columns["scene"][1], rtol=1e-5)


def test_the_nearest_picture_is_the_one_with_the_smallest_distance():
    rows = pictures(30)
    flat = rows.columns["scene"].reshape(30, -1).astype(float)
    found = neighbours(rows, np.arange(30), 1, np.random.default_rng(0))[:, 0]
    far = ((flat[:, None] - flat[None]) ** 2).sum(axis=2) + np.diag(np.full(30, np.inf))
    assert (found == far.argmin(axis=1)).all()


@pytest.mark.parametrize("sampler", ["jitter", "interpolation"])
def test_new_pictures_are_new_and_inside(sampler):
    rows = pictures(20)
    found = drawn(sampler, rows, 25, np.random.default_rng(1)).samples
    assert len(found) == 25
    assert not set(found.keys().tolist()) & set(rows.keys().tolist())
    assert found.columns["scene"].min() >= 0
    assert found.columns["scene"].max() <= 1
